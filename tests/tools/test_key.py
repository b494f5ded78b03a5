"""The key: made once, for this user alone, or given by a variable."""

from __future__ import annotations

from pathlib import Path

import pytest

from doit_cargo.core.errors import SetupError
from doit_cargo.core.seal import Seal
from doit_cargo.tools import key

STATE = Path("/work/.doit-cargo")


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the key is kept."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv(key.VARIABLE, raising=False)
    return tmp_path / "doit-cargo" / "key"


def fresh() -> Seal:
    """As another process has it."""
    key.seal.cache_clear()
    return key.seal(STATE)


def test_it_is_made_once(kept: Path) -> None:
    first = fresh()

    assert fresh() == first
    assert kept.read_bytes() == first.key
    assert (len(first.key), kept.stat().st_mode & 0o777) == (32, 0o600)


def test_each_user_has_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fresh()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))

    assert fresh().key != first.key


@pytest.mark.parametrize("spoil", [b"", b"short", b"x" * 33])
def test_one_of_another_length_is_replaced(kept: Path, spoil: bytes) -> None:
    fresh()
    kept.write_bytes(spoil)

    assert len(fresh().key) == 32
    assert kept.read_bytes() == fresh().key


def test_one_that_others_could_read_is_replaced(kept: Path) -> None:
    first = fresh()
    kept.chmod(0o644)

    assert fresh().key != first.key
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_variable_gives_the_same_to_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(key.VARIABLE, "a secret of this project")
    first = fresh()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))

    assert fresh() == first
    assert not (tmp_path / "doit-cargo").exists()


def test_a_word_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(key.VARIABLE, "swordfish")
    with pytest.raises(SetupError, match=f"{key.VARIABLE} is too short"):
        fresh()


def test_a_folder_that_is_open_to_others_is_refused(kept: Path) -> None:
    fresh()
    kept.parent.chmod(0o777)
    with pytest.raises(SetupError, match="other users can write there"):
        fresh()


def test_no_place_is_one_message(kept: Path) -> None:
    kept.parent.write_text("a file where the folder belongs")
    with pytest.raises(SetupError, match="Set XDG_STATE_HOME"):
        fresh()
