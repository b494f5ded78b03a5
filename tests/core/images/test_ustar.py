"""The one form of a tar header: every other spelling of the same is refused."""

from __future__ import annotations

import random

import pytest

from doit_cargo.core.images import ustar
from doit_cargo.core.images.ustar import Header
from helpers.images import checksum

GOOD = Header("app/service", ustar.FILE, 0o100755, 65532, 65532, 716_944, 1_795_000_000, b"")
ROOTS = Header("app/", ustar.FOLDER, 0o755, 0, 0, 0, 0, b"root")
BLOCK = ustar.encode(GOOD)


def altered(start: int, value: bytes) -> bytes:
    """The good header with other bytes somewhere, and the checksum that goes with them."""
    block = bytearray(BLOCK)
    block[start : start + len(value)] = value
    checksum(block, 0)
    return bytes(block)


@pytest.mark.parametrize("header", [GOOD, ROOTS, GOOD._replace(mode=0o555, mtime=0)])
def test_what_is_written_is_read(header: Header) -> None:
    assert ustar.decode(ustar.encode(header)) == header


SPELLINGS = {
    "a number with spaces": (100, b" 100755\0"),
    "a number that ends with a space": (100, b"100755 \0"),
    "a number without an end": (100, b"00100755"),
    "a number of fewer digits": (100, b"100755\0\0"),
    "a number in base 256": (124, b"\x80" + bytes(10) + b"\1"),
    "a negative number": (124, b"-0000000001\0"),
    "a number with an underscore": (124, b"0000_002000\0"),
    "no number": (124, bytes(12)),
    "digits that are not octal": (124, b"00000000009\0"),
    "something after the name's end": (50, b"x"),
    "a link's name": (157, b"etc/shadow"),
    "the magic of GNU": (257, b"ustar  \0"),
    "no magic": (257, bytes(8)),
    "another version": (263, b"01"),
    "something after the user's end": (280, b"x"),
    "another group's name": (297, b"wheel"),
    "a device number": (329, b"0000001\0"),
    "no device number": (329, bytes(16)),
    "a prefix": (345, b"etc"),
    "a prefix that is not at its start": (400, b"x"),
    "something in the padding": (500, b"x"),
    "a name that is no ASCII": (0, "é".encode()),
}


@pytest.mark.parametrize(("start", "value"), SPELLINGS.values(), ids=SPELLINGS.keys())
def test_it_has_not(start: int, value: bytes) -> None:
    with pytest.raises(ValueError, match=r"of its header is|its mode"):
        ustar.decode(altered(start, value))


MEANINGS = {
    "the mode of a folder": GOOD._replace(mode=0o040755),
    "the mode of a link": GOOD._replace(mode=0o120777),
    "a user's name that is not the number's": GOOD._replace(user=b"root"),
    "another user's name": ROOTS._replace(user=b"nobody"),
    "a file's name with a slash at its end": GOOD._replace(name="app/service/"),
    "a folder's name without one": ROOTS._replace(name="app"),
    "a folder with content": ROOTS._replace(size=512),
}


@pytest.mark.parametrize("header", MEANINGS.values(), ids=MEANINGS.keys())
def test_it_does_not_mean(header: Header) -> None:
    with pytest.raises(ValueError, match=r"."):
        ustar.decode(ustar.encode(header))


CHECKSUMS = {
    "with two spaces": b"%6o\0 ",
    "without an end": b"%08o",
    "with its ends the other way": b"%06o \0",
    "of seven digits": b"%07o\0",
}


@pytest.mark.parametrize("form", CHECKSUMS.values(), ids=CHECKSUMS.keys())
def test_a_checksum_in_another_form(form: bytes) -> None:
    total = int(BLOCK[148:154], 8)
    written = (form % total).ljust(8, b" ")[:8]
    with pytest.raises(ValueError, match="chksum"):
        ustar.decode(BLOCK[:148] + written + BLOCK[156:])


@pytest.mark.parametrize("kind", [bytes([n]) for n in range(256) if bytes([n]) not in (b"0", b"5")])
def test_no_other_type(kind: bytes) -> None:
    with pytest.raises(ValueError, match="it is "):
        ustar.decode(altered(156, kind))


def test_every_byte_counts() -> None:
    """Whatever byte is another one, the header is refused, or read as what it now says."""
    chance = random.Random(1)  # noqa: S311 - a repeatable test
    for _ in range(20_000):
        block = bytearray(BLOCK)
        block[chance.randrange(512)] = chance.randrange(256)
        checksum(block, 0)
        try:
            found = ustar.decode(bytes(block))
        except ValueError:
            continue
        assert ustar.encode(found) == bytes(block)
