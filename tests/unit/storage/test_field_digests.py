"""Digests of fields compare, and say nothing else."""

import pytest

from netvalve.domain.card import CardNumber
from netvalve.storage.field_digests import FieldDigests
from netvalve.storage.key_ring import KeyRing
from netvalve.storage.vault import Vault

NUMBER = "4012001037141112"
KEY_RING = KeyRing.generate()


@pytest.fixture
def digests() -> FieldDigests:
    return FieldDigests(KEY_RING)


def test_the_same_value_has_the_same_digest_after_a_restart(digests: FieldDigests) -> None:
    again = FieldDigests(KEY_RING)
    assert digests.of_field(1, "amount", b"12.5") == again.of_field(1, "amount", b"12.5")


@pytest.mark.parametrize(
    ("client_id", "name", "value"),
    [
        (2, "amount", b"12.5"),
        (1, "currency", b"12.5"),
        (1, "amount", b"12.51"),
        (1, "amoun", b"t12.5"),
    ],
)
def test_client_name_and_value_count(
    digests: FieldDigests, client_id: int, name: str, value: bytes
) -> None:
    assert digests.of_field(client_id, name, value) != digests.of_field(1, "amount", b"12.5")


def test_another_ring_gives_another_digest(digests: FieldDigests) -> None:
    other = FieldDigests(KeyRing.generate())
    for name in ("amount", "cardNumber"):
        assert digests.of_field(1, name, b"1") != other.of_field(1, name, b"1")


def test_a_card_number_has_the_vaults_digest(digests: FieldDigests) -> None:
    sealed = Vault(KEY_RING, today=lambda: 1).seal(1, 10, CardNumber(NUMBER))
    assert digests.of_field(1, "cardNumber", NUMBER.encode()) == sealed.digest[:16].hex()


def test_a_new_cipher_key_changes_no_digest(digests: FieldDigests) -> None:
    rotated = FieldDigests(KEY_RING.rotated())
    for name in ("amount", "cardNumber"):
        assert digests.of_field(1, name, b"1") == rotated.of_field(1, name, b"1")
