"""The content index: a file's SHA-256 for as long as its stat says that it did not change.

The kernel sets a file's ctime at each change of its bytes, name or mode, and no call sets it
back; so equal (size, mtime, ctime, inode, mode) means equal bytes, but for three cases. A change
within one tick of the kernel's clock (at most 10 ms on Linux) may leave the ctime as it was:
therefore nothing is hashed before its ctime is two ticks old. A clock that runs behind the ctime
proves nothing, and neither does a file system that doesn't keep it so (`mounts`): such files are
hashed each time.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from doit_cargo.core import bounded
from doit_cargo.core.seal import Seal
from doit_cargo.tools.run.mounts import Mounts

TICKS_NS = 20_000_000
# vm.dirty_expire_centisecs and dirty_writeback_centisecs, 30 s and 5 s, and much patience
_WRITTEN_BACK_NS = 300 * 10**9
_KIND = "index"  # of the seal; another word for another form
_MAX_BYTES = 512 * 1024**2  # some 300 bytes a file
# What stands for the content of something that is no regular file: it equals no SHA-256.
NO_FILE = "no regular file"

Signature = tuple[int, int, int, int, int]


def signature(found: os.stat_result) -> Signature:
    """What changes when a file's bytes, mode or identity do."""
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_mode


class FileIndex:
    """Path → (signature, SHA-256). Loaded when first asked, saved as one file."""

    def __init__(self, path: Path, seal: Seal, mounts: Mounts | None = None) -> None:
        self._path = path
        self._seal = seal
        self._mounts = mounts or Mounts()
        self._entries: dict[str, list[Any]] | None = None
        self._suspect: dict[str, list[Any]] = {}
        self._fresh: set[str] = set()  # read within two ticks of their last change
        self._changed = False
        self.wrong: list[str] = []  # paths that the index on disk says something false of

    def distrust(self) -> None:
        """Read every file, and compare with what the index on disk says of it."""
        self._suspect, self._entries = self._load(), {}

    def sha256(self, path: str, found: os.stat_result | None = None, *, settle: bool = True) -> str:
        """The SHA-256 (hex) of a file's bytes. Raises OSError if it can't be read.

        Without `settle` a file that has just been written is not waited for: it is read once more
        when the index is saved, and until then by each caller that asks.
        """
        found = found or os.stat(path)
        entries = self._load()
        trusted = self._mounts.keep_ctime(path, found.st_dev)
        known = entries.get(path) if trusted else None
        if known and tuple(known[0]) == signature(found):
            return str(known[1])
        if not settle and trusted and _age(found) < TICKS_NS:
            self._fresh.add(path)
            return self._read(path, entries, keep=False, settle=False)
        return self._read(path, entries, keep=trusted)

    def save(self) -> bytes | None:
        """The index's bytes if something is new in it."""
        for path in sorted(self._fresh):
            with suppress(OSError):
                self.sha256(path)
        self._fresh.clear()
        if not self._changed:
            return None
        self._changed = False
        return self._seal.sealed(_KIND, json.dumps(self._entries).encode())

    def _load(self) -> dict[str, list[Any]]:
        if self._entries is None:
            self._entries = {}
            with suppress(OSError, ValueError, RecursionError):
                data = self._seal.opened(_KIND, bounded.read(self._path, _MAX_BYTES))
                self._entries = json.loads(data) if data else {}
        return self._entries

    def _read(
        self, path: str, entries: dict[str, list[Any]], *, keep: bool, settle: bool = True
    ) -> str:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return NO_FILE
            settled = settle and _settle(descriptor)
            if keep:
                _write_back(descriptor)
            before = os.fstat(descriptor)
            with open(descriptor, "rb", closefd=False) as file:
                sha = hashlib.file_digest(file, "sha256").hexdigest()
            if keep and settled and signature(os.fstat(descriptor)) == signature(before):
                entries[path] = [signature(before), sha]
                self._changed = True
                self._compare(path, entries[path])
            return sha
        finally:
            os.close(descriptor)

    def _compare(self, path: str, read: list[Any]) -> None:
        said = self._suspect.get(path)
        if said and tuple(said[0]) == read[0] and said[1] != read[1]:
            self.wrong.append(path)


def _write_back(descriptor: int) -> None:
    """Have the next store through a mapping move the ctime: one to a dirty page does not.

    What was changed longer ago than this the kernel has written back by itself.
    """
    if _age(os.fstat(descriptor)) < _WRITTEN_BACK_NS:
        os.fsync(descriptor)


def _settle(descriptor: int) -> bool:
    """Wait until the file's last change is two ticks past; False if the clock is behind it."""
    age = _age(os.fstat(descriptor))
    if 0 <= age < TICKS_NS:
        time.sleep((TICKS_NS - age) / 1e9)
    return age >= 0


def _age(found: os.stat_result) -> int:
    """Nanoseconds since the last change; negative where the clock is behind it."""
    return time.time_ns() - found.st_ctime_ns
