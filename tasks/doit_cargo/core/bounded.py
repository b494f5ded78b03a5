"""Reads untrusted files: regular ones only, opened once, up to a limit."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

LIMIT: Final = 64 * 1024**2
"""Bytes: more than any manifest, record or list that is read whole."""


def read(path: Path | str, limit: int = LIMIT) -> bytes:
    """The file's bytes.

    Raises OSError, also for what is no regular file (a pipe would be waited for, a device has no
    end) and for one of more than `limit` bytes.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        with open(descriptor, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"larger than {limit:,} bytes", str(path))
    return data


def read_text(path: Path | str, limit: int = LIMIT) -> str:
    """The same as UTF-8. Raises UnicodeDecodeError as well."""
    return read(path, limit).decode()
