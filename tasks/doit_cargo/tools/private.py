"""Files outside every workspace that nobody but this user can read, write or replace."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from doit_cargo.tools import files

_MODE = 0o600
_OTHERS = 0o077
_MAX_BYTES = 4 * 1024**2


def read(path: Path) -> bytes | None:
    """The bytes of a file in that folder; None if it is absent or could be another user's word.

    That is a link, no regular file, of another owner, open to others, larger than 4 MiB; or in a
    folder in which others may rename.
    """
    with suppress(OSError):
        if not _is_mine(os.stat(path.parent), stat.S_IWGRP | stat.S_IWOTH):
            return None
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if stat.S_ISREG(found.st_mode) and _is_mine(found, _OTHERS):
                data = file.read(_MAX_BYTES + 1)
                return data if len(data) <= _MAX_BYTES else None
    return None


def write(path: Path, data: bytes) -> None:
    """Put a file there for this user alone. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.write(path.parent, path, data, _MODE, durable=False)


def _is_mine(found: os.stat_result, forbidden: int) -> bool:
    return found.st_uid == os.geteuid() and not found.st_mode & forbidden
