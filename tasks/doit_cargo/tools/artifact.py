"""Reads an artifact once and whole, through no symbolic link, and hashes it."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path

from doit_cargo.core.errors import CheckError

SIZE_LIMIT = 1 << 30
"""The most bytes of any file that is read into memory; policy sets tighter bounds."""

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_KINDS = {
    stat.S_IFDIR: "a directory", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip
_REMOVE = "remove it and build again"


def sha256(data: bytes) -> str:
    """Hash bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def read(path: Path, *, max_size: int = SIZE_LIMIT) -> bytes:
    """Read a regular file, once and whole, through no symbolic link.

    Raises CheckError, with the path and what to do, when it is missing, of another kind, empty,
    larger than `max_size` bytes, unreadable, or changes while it is read.
    """
    try:
        descriptor = os.open(path, _OPEN)
    except OSError as error:
        raise CheckError(f"{path} {_refusal(path, error)}") from None
    try:
        return _whole(path, descriptor, max_size)
    except OSError as error:
        raise CheckError(f"{path} cannot be read: {error.strerror}") from None
    finally:
        os.close(descriptor)


def _refusal(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "is missing: build it first"
    if error.errno in {errno.ELOOP, errno.EMLINK} and path.is_symlink():
        return f"is a symbolic link, which is never followed: {_REMOVE}"
    if error.errno in {errno.ENXIO, errno.EOPNOTSUPP}:
        return f"is a socket or a device, no file: {_REMOVE}"
    if error.errno == errno.EACCES:
        return f"is not readable: chmod u+r {path}"
    return f"cannot be opened: {error.strerror}"


def _whole(path: Path, descriptor: int, max_size: int) -> bytes:
    found = os.fstat(descriptor)
    kind = stat.S_IFMT(found.st_mode)
    if kind != stat.S_IFREG:
        raise CheckError(f"{path} is {_KINDS.get(kind, 'no file')}, no regular file: {_REMOVE}")
    if not found.st_size:
        raise CheckError(f"{path} is empty: {_REMOVE}")
    if found.st_size > max_size:
        raise CheckError(f"{path} has {found.st_size:,} bytes, more than {max_size:,}: {_REMOVE}")
    with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
        data = file.read(found.st_size + 1)
    if len(data) != found.st_size:
        raise CheckError(
            f"{path} changed while it was read: let the build end, then run doit again"
        )
    return data
