"""Credentials: long, random, and kept as digests that only the pepper's holder can make."""

import copy
import pickle

import pytest

from netvalve.storage.credentials import CredentialHasher, new_api_key, new_password


def test_a_digest_depends_on_the_credential_and_the_pepper() -> None:
    hasher, other = CredentialHasher(b"one"), CredentialHasher(b"two")
    assert hasher.digest("key") == hasher.digest("key")
    assert len({hasher.digest("key"), hasher.digest("kez"), other.digest("key")}) == 3
    assert len(hasher.digest("key")) == 32


def test_a_credential_matches_its_own_digest_alone() -> None:
    hasher = CredentialHasher(b"pepper")
    assert hasher.matches("key", hasher.digest("key"))
    assert not hasher.matches("other", hasher.digest("key"))


def test_new_credentials_are_random_text_that_fits_a_header() -> None:
    keys, passwords = {new_api_key() for _ in range(50)}, {new_password() for _ in range(50)}
    assert (len(keys), len(passwords)) == (50, 50)
    assert {len(key) for key in keys} == {43}
    assert {len(password) for password in passwords} == {32}
    assert all(each.isascii() and ":" not in each for each in keys | passwords)


def test_a_hasher_cannot_be_printed_pickled_or_copied() -> None:
    hasher = CredentialHasher(b"pepper")
    assert f"{hasher} {hasher!r}" == "<CredentialHasher> <CredentialHasher>"
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            take(hasher)
