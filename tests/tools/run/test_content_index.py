"""The content index: no other bytes pass for the same, no byte is read twice without need."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import time
from concurrent.futures import ThreadPoolExecutor
from io import BufferedReader
from pathlib import Path

import pytest

from doit_cargo.core.seal import Seal
from doit_cargo.tools.run.content_index import NO_FILE, TICKS_NS, FileIndex, signature
from helpers.seals import SEAL


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def reload(index: FileIndex, place: Path) -> FileIndex:
    place.write_bytes(index.save() or b"")
    return FileIndex(place, SEAL)


def test_the_same_size_and_mtime_with_other_bytes_is_seen(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"one")
    before = source.stat()
    index = FileIndex(tmp_path / "index", SEAL)
    assert index.sha256(str(source)) == sha(b"one")

    source.write_bytes(b"two")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert source.stat().st_mtime_ns == before.st_mtime_ns
    assert reload(index, tmp_path / "index").sha256(str(source)) == sha(b"two")


def test_an_edit_right_after_the_look_is_seen(tmp_path: Path) -> None:
    """The kernel's clock ticks every few milliseconds: a thousand edits hide in few ticks.

    Each look waits for two ticks: many wait at once.
    """
    with ThreadPoolExecutor(20) as pool:
        missed = [*pool.map(lambda number: _missed_edits(tmp_path / str(number)), range(20))]

    assert missed == [[]] * 20


def _missed_edits(folder: Path) -> list[bytes]:
    """What one index took for something else, in 20 edits each right after a look."""
    folder.mkdir()
    source, index = folder / "source", FileIndex(folder / "index", SEAL)
    missed = []
    for number in range(10):
        content = f"{number:06}".encode()
        for written in (content, content[::-1]):
            source.write_bytes(written)
            if index.sha256(str(source)) != sha(written):
                missed.append(written)
    return missed


def test_nothing_is_hashed_before_its_last_change_is_two_ticks_past(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the kernel's clock is finer, and an edit in the same tick would be seen."""
    source, ages, digest = tmp_path / "source", [], hashlib.file_digest

    def timed(file: BufferedReader, name: str) -> hashlib._Hash:
        ages.append(time.time_ns() - os.fstat(file.fileno()).st_ctime_ns)
        return digest(file, name)

    monkeypatch.setattr(hashlib, "file_digest", timed)
    source.write_bytes(b"one")

    assert FileIndex(tmp_path / "index", SEAL).sha256(str(source)) == sha(b"one")
    assert [age >= TICKS_NS for age in ages] == [True]


def test_an_untouched_file_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"one")
    index = FileIndex(tmp_path / "index", SEAL)
    index.sha256(str(source))
    index = reload(index, tmp_path / "index")
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("it was read"))

    assert index.sha256(str(source)) == sha(b"one")
    assert index.save() is None


def test_a_file_from_the_future_is_read_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"one")
    index = FileIndex(tmp_path / "index", SEAL)
    monkeypatch.setattr(time, "time_ns", lambda: source.stat().st_ctime_ns - 10**9)

    assert index.sha256(str(source)) == sha(b"one")
    assert index.save() is None


@pytest.mark.parametrize(
    "damage",
    [
        b"", b"{", b"[]", b"null", b'{"version": 2, "files": {}}', b'{"version": 1, "files": 3}',
        b'{"version": 1, "files": {"PATH": [["a", 0, 0, 0, 0], "x"]}}',
        b'{"version": 1, "files": {"PATH": 7}}', b"\xff\xfe", b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_damaged_index_costs_a_read(tmp_path: Path, damage: bytes) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"one")
    place = tmp_path / "index"
    place.write_bytes(damage.replace(b"PATH", str(source).encode()))

    assert FileIndex(place, SEAL).sha256(str(source)) == sha(b"one")


def test_what_is_no_file_has_no_content(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    index = FileIndex(tmp_path / "index", SEAL)

    assert index.sha256(str(pipe)) == NO_FILE
    assert index.sha256(str(tmp_path)) == NO_FILE


def test_what_is_saved_is_sealed_json(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"one")
    index = FileIndex(tmp_path / "index", SEAL)
    index.sha256(str(source))

    saved = json.loads(SEAL.opened("index", index.save() or b"") or b"")

    assert saved[str(source)][1] == sha(b"one")


FORGERS = {
    "nobody's key": SEAL._replace(key=b"another key"),
    "another workspace": SEAL._replace(place="/elsewhere"),
    "a run that trusts": SEAL._replace(trusting=True),
}


@pytest.mark.parametrize("forger", FORGERS.values(), ids=FORGERS.keys())
def test_an_index_is_not_believed_that_was_sealed_by(tmp_path: Path, forger: Seal) -> None:
    source, place = tmp_path / "source", tmp_path / "index"
    source.write_bytes(b"one")
    lie = {str(source): [signature(source.stat()), sha(b"two")]}
    place.write_bytes(forger.sealed("index", json.dumps(lie).encode()))

    assert FileIndex(place, SEAL).sha256(str(source)) == sha(b"one")


def test_a_store_through_a_mapping_is_seen(tmp_path: Path) -> None:
    """ext4 moves the ctime at the first store to a page that was written back, and at no other."""
    source = tmp_path / "source"
    source.write_bytes(b"one")
    with source.open("r+b") as file, mmap.mmap(file.fileno(), 3) as mapping:
        mapping[:] = b"two"  # the page is dirty: later stores are told by nothing
        time.sleep(2 * TICKS_NS / 1e9)
        index = FileIndex(tmp_path / "index", SEAL)
        first = index.sha256(str(source))
        time.sleep(2 * TICKS_NS / 1e9)
        mapping[:] = b"six"

        assert (first, index.sha256(str(source))) == (sha(b"two"), sha(b"six"))


def test_an_index_that_is_not_trusted_is_compared(tmp_path: Path) -> None:
    source, place = tmp_path / "source", tmp_path / "index"
    source.write_bytes(b"one")
    lie = {str(source): [signature(source.stat()), sha(b"two")]}
    place.write_bytes(SEAL.sealed("index", json.dumps(lie).encode()))
    index = FileIndex(place, SEAL)
    index.distrust()

    assert index.sha256(str(source)) == sha(b"one")
    assert index.wrong == [str(source)]
