"""Reads a layer: a tar of strangers, from memory, every promise of its headers checked.

Whatever an engine might read otherwise than we do is refused: links, devices, sparse files,
extended attributes, archives that go on after their end.
"""

from __future__ import annotations

import hashlib
import io
import struct
import tarfile
import zlib
from collections.abc import Iterator
from typing import NoReturn

from doit_cargo.core.elf import reader
from doit_cargo.core.errors import CheckError
from doit_cargo.core.images.contents import Entry, Executable, Layer, entry_path, whiteout

LAYER_LIMIT = 1 << 30
"""The most bytes of a layer, uncompressed."""
MEMBER_LIMIT = 10_000
# Bytes of an extended header: a path of 900 characters, more than any image of ours has. tarfile
# searches these headers in quadratic time, and follows one to the next a thousand times.
_HEADER_LIMIT = 1024
_ELF = b"\x7fELF"
# What the writers of Go and Python add for long names, large files and exact times. What is not
# here could change what the member is (GNU.sparse.*) or grant it rights (SCHILY.xattr.*).
_PAX_KEYS = frozenset(
    {"path", "size", "uid", "gid", "uname", "gname", "mtime", "atime", "ctime", "linkpath"}
)
_KINDS = {
    tarfile.SYMTYPE: "a symbolic link", tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a device", tarfile.BLKTYPE: "a device", tarfile.FIFOTYPE: "a FIFO",
    tarfile.GNUTYPE_SPARSE: "a sparse file", tarfile.CONTTYPE: "a contiguous file",
}  # fmt: skip
BROKEN = (
    tarfile.TarError, ArithmeticError, LookupError, ValueError, RecursionError, struct.error,
)  # fmt: skip


class Headers(io.BytesIO):
    """What tarfile reads: headers alone, each of a bounded size."""

    def read(self, size: int | None = -1) -> bytes:
        """Read a header. Raises TarError instead of reading more than one may have."""
        if size is None or not 0 <= size <= _HEADER_LIMIT:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return super().read(size)


def unzipped(data: bytes, what: str) -> bytes:
    """Undo gzip. Raises CheckError if it is none, cut short, too large or not alone."""
    stream = zlib.decompressobj(wbits=31)
    try:
        found = stream.decompress(data, LAYER_LIMIT + 1)
    except zlib.error as error:
        raise CheckError(f"{what} is no gzip: {error}") from None
    if len(found) > LAYER_LIMIT:
        raise CheckError(f"{what} has more than {LAYER_LIMIT:,} bytes when unpacked")
    if not stream.eof or stream.unused_data:
        raise CheckError(f"{what} is cut short, or something follows its end")
    return found


def layer(data: bytes, what: str) -> Layer:
    """The entries of a layer's tar. Raises CheckError for whatever a safe one has not."""
    found: dict[tuple[str, bool], Entry] = {}
    try:
        with tarfile.open(fileobj=Headers(data), mode="r:") as tar:
            for entry in _entries(tar, data, what):
                key = entry.path, entry.kind in ("whiteout", "opaque")
                if key in found:
                    raise CheckError(f"{what}: {entry.path!r} is in it twice")
                found[key] = entry
            rest = data[tar.offset :]
    except BROKEN as error:
        raise CheckError(f"{what} is not a valid tar: {error}") from None
    if rest.strip(b"\0"):
        raise CheckError(f"{what}: something follows the tar's end")
    return tuple(found.values())


def _entries(tar: tarfile.TarFile, data: bytes, what: str) -> Iterator[Entry]:
    for count, member in enumerate(tar, 1):
        if count > MEMBER_LIMIT:
            raise CheckError(f"{what} has more than {MEMBER_LIMIT:,} members")
        yield _entry(tar, member, data, what)


def _entry(tar: tarfile.TarFile, member: tarfile.TarInfo, data: bytes, what: str) -> Entry:
    def refuse(reason: str) -> NoReturn:
        raise CheckError(f"{what}: {member.name[:200]!r}: {reason}")

    try:
        path = entry_path(member.name)
        hidden = whiteout(path)
    except ValueError as error:
        refuse(str(error))
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE):
        refuse(f"it is {_KINDS.get(member.type, f'of type {member.type!r}')}")
    if unknown := {*member.pax_headers, *tar.pax_headers} - _PAX_KEYS:
        refuse(f"it has {', '.join(sorted(unknown))}")
    if member.size < 0 or member.offset_data + member.size > len(data):
        refuse(f"it claims {member.size:,} bytes, which the layer does not have")
    if min(member.uid, member.gid, member.mode) < 0:
        refuse("its owner or mode is negative")
    if hidden:
        if member.size or not member.isreg():
            refuse("a whiteout with content")
        return Entry(path=hidden[0], kind=hidden[1])
    if member.isdir() and member.size:
        refuse("a folder with content")
    return _described(path, member, data)


def _described(path: str, member: tarfile.TarInfo, data: bytes) -> Entry:
    content = memoryview(data)[member.offset_data :][: member.size]
    return Entry(
        path=path,
        kind="folder" if member.isdir() else "file",
        mode=member.mode & 0o7777,
        uid=member.uid,
        gid=member.gid,
        size=member.size,
        sha256=hashlib.sha256(content).hexdigest(),
        elf=_executable(content),
    )


def _executable(content: memoryview) -> Executable | None:
    if bytes(content[:4]) != _ELF:
        return None
    try:
        return Executable(machine=reader.read(content).machine)
    except reader.ElfError as error:
        return Executable(machine=None, fault=str(error))
