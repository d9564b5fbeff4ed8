"""The key ring's file: complete, its owner's alone, and never shown."""

import copy
import os
import pickle
import stat
from pathlib import Path

import pytest

from netvalve.storage.key_ring import KeyRing, KeyRingError


def test_a_saved_ring_is_loaded_as_it_was(tmp_path: Path) -> None:
    ring, path = KeyRing.generate().rotated(), tmp_path / "keyring.json"
    ring.save(path)
    assert KeyRing.load(path) == ring
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["keyring.json"]


def test_a_saved_ring_survives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rename lasts once its folder is on the disk."""
    path, synced = tmp_path / "keyring.json", []

    def fsync(descriptor: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), path.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    KeyRing.generate().save(path)
    assert synced == [(False, False), (True, True)]


def test_a_rotation_adds_an_active_key_and_keeps_the_rest() -> None:
    ring = KeyRing.generate()
    rotated = ring.rotated()
    assert rotated.active == 2
    assert rotated.cipher_keys[1] == ring.cipher_keys[1]
    assert rotated.cipher_keys[2] != ring.cipher_keys[1]
    assert (rotated.digest_key, rotated.pepper) == (ring.digest_key, ring.pepper)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    KeyRing.generate().save(path)
    path.chmod(0o644)
    with pytest.raises(KeyRingError, match="chmod 600"):
        KeyRing.load(path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"active": 2, "cipher_keys": {}, "digest_key": "", "pepper": ""}',
        '{"active": 1, "cipher_keys": {"1": "c2hvcnQ="}, "digest_key": "", "pepper": ""}',
    ],
)
def test_a_file_that_is_no_key_ring_is_refused_without_its_content(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "keyring.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyRingError, match="not a key ring") as refused:
        KeyRing.load(path)
    assert "c2hvcnQ=" not in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyRingError, match=r"nothing\.json"):
        KeyRing.load(tmp_path / "nothing.json")


def test_a_ring_cannot_be_printed_pickled_or_copied() -> None:
    ring = KeyRing.generate()
    assert f"{ring} {ring!r}" == "<KeyRing> <KeyRing>"
    for take in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            take(ring)
