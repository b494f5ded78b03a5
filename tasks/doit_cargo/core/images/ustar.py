"""The one form of a tar header that is accepted: POSIX ustar, as Go's archive/tar writes it.

buildah 1.28 and BuildKit of Docker 20.10 write nothing else for our images: plain files and
folders with short names. Readers differ in what they make of every other form (pax headers, GNU
long names, V7 prefixes, numbers in base 256), so none of them is read: a header is what is written
of its own fields again, byte for byte.
"""

from __future__ import annotations

from typing import Final, NamedTuple

BLOCK: Final = 512  # bytes
FILE: Final = b"0"
FOLDER: Final = b"5"
_TYPES: Final = {FILE: 0o100000, FOLDER: 0o040000}  # S_IFREG and S_IFDIR, which Go adds to a mode
_KINDS: Final = {
    b"\0": "a V7 file", b"1": "a hard link", b"2": "a symbolic link",
    b"3": "a device", b"4": "a device", b"6": "a FIFO", b"7": "a contiguous file",
    b"S": "a sparse file", b"g": "a pax header for all that follows", b"x": "a pax header",
    b"L": "a GNU long name", b"K": "a GNU long link",
}  # fmt: skip
_USERS: Final = (b"", b"root")
# POSIX.1-2017, pax, "ustar Interchange Format": where each field ends
_FIELDS: Final = {
    "name": 100, "mode": 108, "uid": 116, "gid": 124, "size": 136, "mtime": 148, "chksum": 156,
    "typeflag": 157, "linkname": 257, "magic": 263, "version": 265, "uname": 297, "gname": 329,
    "devmajor": 337, "devminor": 345, "prefix": 500, "padding": BLOCK,
}  # fmt: skip


class Header(NamedTuple):
    """A header: the path as written, permission bits, owner, size in bytes, seconds since 1970."""

    name: str
    type: bytes
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    user: bytes

    @property
    def path(self) -> str:
        """The path below the root, without the slash that a folder's ends with."""
        return self.name.removesuffix("/")

    @property
    def padded(self) -> int:
        """The bytes of the content with what fills up its last block."""
        return -(-self.size // BLOCK) * BLOCK


def decode(block: bytes) -> Header:
    """Read a header of 512 bytes. Raises ValueError for any form but the one."""
    kind = block[156:157]
    if kind not in _TYPES:
        raise ValueError(f"it is {_KINDS.get(kind, f'of type {kind!r}')}")
    name, user = block[:100].rstrip(b"\0"), block[265:297].rstrip(b"\0")
    numbers = {field: _number(block, field) for field in ("mode", "uid", "gid", "size", "mtime")}
    found = Header(name=name.decode("ascii", "replace"), type=kind, user=user, **numbers)
    if (field := _difference(encode(found), block)) is not None:
        raise ValueError(f"the {field} of its header is not valid ustar")
    _check(found)
    return found


def encode(header: Header) -> bytes:
    """Write a header."""
    block = b"".join((
        header.name.encode("ascii", "replace").ljust(100, b"\0"),
        b"%07o\0%07o\0%07o\0" % (header.mode, header.uid, header.gid),
        b"%011o\0%011o\0" % (header.size, header.mtime),
        b" " * 8, header.type, bytes(100), b"ustar\00000",
        header.user.ljust(32, b"\0") * 2, b"0000000\0" * 2, bytes(155 + 12),
    ))  # fmt: skip
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def permissions(header: Header) -> int:
    """The mode's permission bits, with setuid, setgid and sticky."""
    return header.mode & 0o7777


def _check(header: Header) -> None:
    """What has the right form and still means something else to another reader."""
    if not header.name.isprintable() or not header.path:
        raise ValueError("the name of its header is not plain text")
    if header.mode & ~0o7777 not in (0, _TYPES[header.type]):
        raise ValueError(f"its mode, {header.mode:o}, is that of something else")
    if header.user not in _USERS or (header.user and (header.uid or header.gid)):
        raise ValueError(f"its owner's name is {header.user!r}")
    if (header.type == FOLDER) is not header.name.endswith("/"):
        raise ValueError("a folder's name ends with a slash, and no other does")
    if header.type == FOLDER and header.size:
        raise ValueError("a folder with content")


def _number(block: bytes, field: str) -> int:
    """A number as octal digits; the check of the whole form comes after."""
    end = _FIELDS[field]
    start = max(other for other in (0, *_FIELDS.values()) if other < end)
    digits = block[start:end].rstrip(b"\0")
    if not digits or digits.strip(b"01234567"):
        raise ValueError(f"the {field} of its header is not an octal number")
    return int(digits, 8)


def _difference(wanted: bytes, block: bytes) -> str | None:
    """The first field that differs; the checksum last, which follows from all others."""
    start, found = 0, []
    for field, end in _FIELDS.items():
        found += [field] * (wanted[start:end] != block[start:end])
        start = end
    others = [field for field in found if field != "chksum"]
    return next(iter([*others, *found]), None)
