"""Reads an untrusted layer as a stream: only a tar of the one plain form is accepted.

Memory holds one piece at a time, and whole only what begins like an ELF file. How much there may
be follows from what should be in the image.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from doit_cargo.core.elf import reader
from doit_cargo.core.errors import CheckError
from doit_cargo.core.images import ustar
from doit_cargo.core.images.contents import Entry, Executable, Layer, check_path

MEMBER_LIMIT = 1_000
_PIECE = 1 << 20  # bytes
_OVERHEAD = 2 * MEMBER_LIMIT * ustar.BLOCK  # headers, and what fills up last blocks
_END = 2 * ustar.BLOCK  # zeros after the last member
_PADDING = 20 * ustar.BLOCK  # as many zeros as GNU tar and Python write there at most
_GZIP = b"\x1f\x8b\x08\x00"  # RFC 1952: deflate, and no further field in the header
_ELF = b"\x7fELF"


class Read(NamedTuple):
    """A layer, and the SHA-256 (hex) of its tar."""

    entries: Layer
    sha256: str


def unzipped(data: bytes, what: str) -> Iterator[bytes]:
    """Undo gzip, piece by piece. Raises CheckError if it is not one plain member and no more."""
    if not data.startswith(_GZIP):
        raise CheckError(f"{what} is not gzip in its plain form")
    stream = zlib.decompressobj(wbits=31)
    try:
        while not stream.eof:
            piece = stream.decompress(data, _PIECE)
            data = stream.unconsumed_tail
            if piece:
                yield piece
            elif not data:
                break
    except zlib.error as error:
        raise CheckError(f"{what} is not gzip: {error}") from None
    if not stream.eof or stream.unused_data:
        raise CheckError(f"{what} is cut short, or something follows its end")


def pieces(data: bytes | memoryview) -> Iterator[bytes]:
    """A tar that is not compressed."""
    for start in range(0, len(data), _PIECE):
        yield bytes(data[start : start + _PIECE])


def layer(tar: Iterable[bytes], what: str, limit: int) -> Read:
    """The entries of a layer. `limit` is the bytes of all that may be in it.

    Raises CheckError for whatever a layer of ours has not.
    """
    source, found = _Source(iter(tar), what, limit + _OVERHEAD), dict[str, Entry]()
    while any(block := source.take(ustar.BLOCK)):
        header = _header(block, what)
        if header.path in found:
            raise CheckError(f"{what}: {header.path!r} is in it twice")
        if len(found) == MEMBER_LIMIT:
            raise CheckError(f"{what} has more than {MEMBER_LIMIT:,} members")
        if header.size > limit:
            raise CheckError(
                f"{what}: {header.path!r}: it claims {header.size:,} bytes, "
                f"more than the {limit:,} of the whole image"
            )
        found[header.path] = _entry(header, source)
    source.end(_END - ustar.BLOCK, _PADDING)
    return Read(tuple(found.values()), source.sha256.hexdigest())


class _Source:
    """Takes bytes from pieces, hashes all of them, and stops at the limit."""

    def __init__(self, tar: Iterator[bytes], what: str, limit: int) -> None:
        self._tar = tar
        self._what = what
        self._left = limit
        self._limit = limit
        self._held = b""
        self.sha256 = hashlib.sha256()

    def take(self, count: int) -> bytes:
        """So many bytes. Raises CheckError if there are fewer."""
        return b"".join(self.pieces(count))

    def pieces(self, count: int) -> Iterator[bytes]:
        """So many bytes, as they come. Raises CheckError if there are fewer."""
        while count:
            if not self._held and not self._more():
                raise CheckError(f"{self._what} is cut short")
            piece, self._held = self._held[:count], self._held[count:]
            count -= len(piece)
            yield piece

    def end(self, least: int, most: int) -> None:
        """Read to the end: zeros alone, and neither fewer nor more than that."""
        rest = self._held
        while len(rest) <= most and self._more():
            rest += self._held
        if rest.strip(b"\0") or not least <= len(rest) <= most or len(rest) % ustar.BLOCK:
            raise CheckError(f"{self._what}: its end is not valid ustar")

    def _more(self) -> bool:
        self._held = next(self._tar, b"")
        self._left -= len(self._held)
        if self._left < 0:
            raise CheckError(f"{self._what} has more than {self._limit:,} bytes")
        self.sha256.update(self._held)
        return bool(self._held)


def _header(block: bytes, what: str) -> ustar.Header:
    shown = block[:100].rstrip(b"\0").decode("ascii", "replace")
    try:
        header = ustar.decode(block)
        check_path(header.path)
    except ValueError as error:
        raise CheckError(f"{what}: {shown!r}: {error}") from None
    return header


def _entry(header: ustar.Header, source: _Source) -> Entry:
    content, sha = _Content(), hashlib.sha256()
    for piece in source.pieces(header.size):
        sha.update(piece)
        content.add(piece)
    if any(source.take(header.padded - header.size)):
        raise CheckError(f"{header.path!r}: the padding of its last block is not zero")
    return Entry(
        path=header.path,
        kind="folder" if header.type == ustar.FOLDER else "file",
        mode=ustar.permissions(header),
        uid=header.uid,
        gid=header.gid,
        size=header.size,
        sha256=sha.hexdigest(),
        elf=content.executable(),
    )


class _Content:
    """Keeps what begins like an ELF file, and nothing else."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._is_elf = True

    def add(self, piece: bytes) -> None:
        if self._is_elf:
            self._kept += piece
            start = bytes(self._kept[: len(_ELF)])
            self._is_elf = _ELF.startswith(start) if len(start) < len(_ELF) else start == _ELF
            if not self._is_elf:
                self._kept.clear()

    def executable(self) -> Executable | None:
        if self._kept[: len(_ELF)] != _ELF:
            return None
        try:
            return Executable(machine=reader.read(memoryview(self._kept)).machine)
        except reader.ElfError as error:
            return Executable(machine=None, fault=str(error))
