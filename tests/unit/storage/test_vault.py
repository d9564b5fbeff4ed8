"""The vault: what it seals opens where it was sealed, and nowhere else."""

from dataclasses import replace

import pytest

from netvalve.domain.card import CardNumber, SealedCard
from netvalve.storage.vault import KeyRing, Vault, VaultError

NUMBER = CardNumber("4012001037141112")
DAY = 20_000


@pytest.fixture
def key_ring() -> KeyRing:
    return KeyRing.generate()


@pytest.fixture
def vault(key_ring: KeyRing) -> Vault:
    return Vault(key_ring, today=lambda: DAY)


@pytest.fixture
def sealed(vault: Vault) -> SealedCard:
    return vault.seal(1, 10, NUMBER)


def test_a_sealed_number_opens_again(vault: Vault, sealed: SealedCard) -> None:
    assert vault.reveal(sealed) == NUMBER
    assert (sealed.first_six, sealed.last_four, sealed.key_day) == ("401200", "1112", DAY)
    assert NUMBER.reveal().encode() not in sealed.ciphertext


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": 2},
        {"card_id": 11},
        {"key_day": DAY + 1},
        {"nonce": bytes(12)},
        {"nonce": b""},
        {"ciphertext": bytes(32)},
        {"ciphertext": b""},
    ],
)
def test_a_moved_or_changed_row_does_not_open(
    vault: Vault, sealed: SealedCard, changes: dict[str, object]
) -> None:
    moved = replace(sealed, **changes)  # type: ignore[arg-type]  # one field of many
    with pytest.raises(VaultError) as refused:
        vault.reveal(moved)
    assert refused.value.__suppress_context__
    assert "4012" not in str(refused.value)


def test_a_missing_key_version_is_named(vault: Vault, sealed: SealedCard) -> None:
    with pytest.raises(VaultError, match="version 9"):
        vault.reveal(replace(sealed, key_version=9))


def test_the_same_card_has_one_digest_a_client(vault: Vault, sealed: SealedCard) -> None:
    again, elsewhere = vault.seal(1, 11, NUMBER), vault.seal(2, 12, NUMBER)
    assert again.digest == sealed.digest
    assert elsewhere.digest != sealed.digest
    assert again.nonce != sealed.nonce


def test_old_cards_open_after_a_rotation_and_keep_their_digest(
    key_ring: KeyRing, sealed: SealedCard
) -> None:
    later = Vault(key_ring.rotated(), today=lambda: DAY + 1)
    assert later.reveal(sealed) == NUMBER
    new = later.seal(1, 11, NUMBER)
    assert (new.key_version, new.digest) == (2, sealed.digest)


def test_a_vault_shows_no_key(key_ring: KeyRing, vault: Vault) -> None:
    assert key_ring.digest_key.hex() not in repr(vars(vault))
