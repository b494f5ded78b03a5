"""The ELF header: class, byte order and where the tables lie.

Sources: the ELF gABI, version 4.3 (chapter "ELF Header").
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from doit_cargo.core.elf.numbers import PN_XNUM, SHN_LORESERVE

_IDENT = 16


class ElfError(ValueError):
    """The bytes are not a valid ELF file; the text says which rule they break."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """How the structures of one ELF class lie in the file: `struct` formats, in header order."""

    bits: int
    header: str
    segment: str
    section: str
    dynamic: str
    symbol: str


_SHAPES = {
    1: Shape(
        bits=32, header="HHIIIIIHHHHHH", segment="8I", section="10I", dynamic="II", symbol="IIIBBH"
    ),
    2: Shape(
        bits=64,
        header="HHIQQQIHHHHHH",
        segment="II6Q",
        section="IIQQQQIIQQ",
        dynamic="QQ",
        symbol="IBBHQQ",
    ),
}
_ORDERS = {1: "<", 2: ">"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A header table: its file offset, the number of its entries and the size of one, in bytes."""

    offset: int
    count: int
    entry_size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """The ELF header. `order` is the byte order as `struct` writes it, `<` or `>`; `size` bytes."""

    shape: Shape
    order: str
    size: int
    os_abi: int
    file_type: int
    machine: int
    entry: int
    segments: Table
    sections: Table
    names_index: int


def require(holds: object, reason: str) -> None:
    """Raise ElfError with the reason unless the rule holds."""
    if not holds:
        raise ElfError(reason)


def read(view: memoryview) -> Header:
    """Read the header. Raises ElfError if it contradicts itself; no table is looked at."""
    shape, order = _ident(view)
    size = _IDENT + struct.calcsize(order + shape.header)
    require(len(view) >= size, f"{len(view)} bytes are too few for the ELF header")
    raw = struct.unpack_from(order + shape.header, view, _IDENT)
    kind, machine, version, entry, phoff, shoff, _, ehsize, phsize, phnum, shsize, shnum, names = (
        raw
    )
    require(version == 1, f"e_version is {version}, not 1")
    # The kernel looks at neither EI_CLASS nor EI_DATA and runs a file that lies about them. The
    # layout of the wrong class or order finds a wrong size here.
    require(ehsize == size, f"e_ehsize is {ehsize}, not {size}: EI_CLASS or EI_DATA is false")
    segments = Table(offset=phoff, count=phnum, entry_size=phsize)
    sections = Table(offset=shoff, count=shnum, entry_size=shsize)
    _check_table(segments, size, struct.calcsize(order + shape.segment), "program header")
    _check_table(sections, size, struct.calcsize(order + shape.section), "section header")
    _check_counts(phnum, shnum, names)
    return Header(
        shape=shape, order=order, size=size, os_abi=view[7], file_type=kind, machine=machine,
        entry=entry, segments=segments, sections=sections, names_index=names,
    )  # fmt: skip


def _ident(view: memoryview) -> tuple[Shape, str]:
    require(len(view) >= _IDENT, f"{len(view)} bytes are too few for an ELF file")
    require(bytes(view[:4]) == b"\x7fELF", "it does not begin with the ELF magic number")
    require(view[4] in _SHAPES, f"EI_CLASS is {view[4]}, not 1 (32 bit) or 2 (64 bit)")
    require(view[5] in _ORDERS, f"EI_DATA is {view[5]}, not 1 (little) or 2 (big endian)")
    require(view[6] == 1, f"EI_VERSION is {view[6]}, not 1")
    return _SHAPES[view[4]], _ORDERS[view[5]]


def _check_table(table: Table, header_size: int, entry_size: int, what: str) -> None:
    if not table.count:
        require(not table.offset, f"the {what} table has an offset, but no entries")
        return
    require(
        table.entry_size == entry_size, f"a {what} has {table.entry_size}, not {entry_size} bytes"
    )
    require(table.offset >= header_size, f"the {what} table begins inside the ELF header")


def _check_counts(segments: int, sections: int, names_index: int) -> None:
    """Refuse extended numbering: it is for object files with 65,280 entries or more."""
    require(segments != PN_XNUM, "more program headers than an executable has (PN_XNUM)")
    require(sections < SHN_LORESERVE, f"e_shnum is {sections}, a reserved value")
    inside = names_index < max(sections, 1)
    require(inside, f"e_shstrndx is {names_index}, but there are {sections} sections")
