"""The program and section headers of an ELF file, every bound checked.

Sources: the ELF gABI, version 4.3 (chapters "Program Header" and "Sections").
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from doit_cargo.core.elf import header as elf_header
from doit_cargo.core.elf.header import Header, Table, require
from doit_cargo.core.elf.numbers import (
    ET_DYN,
    ET_EXEC,
    PT_DYNAMIC,
    PT_GNU_RELRO,
    PT_GNU_STACK,
    PT_INTERP,
    PT_LOAD,
    PT_NULL,
    PT_PHDR,
    PT_TLS,
    SHT_NOBITS,
    SHT_NULL,
    SHT_STRTAB,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# More than any path or section name has: the time to read a forged table stays bounded.
_LONGEST = 4096
# At most one of each: the kernel, the loader and the tools differ in which of two they take.
_SINGLE = {
    PT_DYNAMIC: "PT_DYNAMIC", PT_INTERP: "PT_INTERP", PT_PHDR: "PT_PHDR", PT_TLS: "PT_TLS",
    PT_GNU_RELRO: "PT_GNU_RELRO",
}  # fmt: skip
_NAMES = _SINGLE | {PT_LOAD: "PT_LOAD", PT_GNU_STACK: "PT_GNU_STACK"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A program header: file range (offset, filesz) and memory range (vaddr, memsz), in bytes."""

    type: int
    flags: int
    offset: int
    vaddr: int
    filesz: int
    memsz: int
    align: int

    @property
    def name(self) -> str:
        """The type's name, for messages."""
        return _NAMES.get(self.type, f"the segment of type {self.type:#x}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A section header, with its name looked up (empty where the file has no names).

    `address` is virtual, `offset` and `size` are in bytes; `link` is the index of the section that
    it refers to.
    """

    name: str
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """A file whose every header, segment and section lies inside it."""

    data: memoryview
    header: Header
    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]

    def of_type(self, kind: int) -> tuple[Segment, ...]:
        """Select the segments of that type, in file order."""
        return tuple(s for s in self.segments if s.type == kind)

    def file_offset(self, address: int, size: int) -> int | None:
        """Say where `size` bytes at a virtual address lie in the file; None if they do not."""
        for load in self.of_type(PT_LOAD):
            start = address - load.vaddr
            if start >= 0 and start + size <= load.filesz:
                return load.offset + start
        return None


def parse(data: bytes | memoryview) -> Layout:
    """Read and check all three tables. Raises ElfError for whatever the gABI does not allow."""
    view = memoryview(data).cast("B")
    header = elf_header.read(view)
    segments = tuple(_segments(view, header))
    for segment in segments:
        _check_segment(view, header, segment)
    _check_loads([s for s in segments if s.type == PT_LOAD], header)
    for kind, name in _SINGLE.items():
        require(sum(s.type == kind for s in segments) <= 1, f"more than one {name}")
    sections = tuple(_sections(view, header))
    return Layout(data=view, header=header, segments=segments, sections=sections)


def string_at(table: bytes, offset: int, what: str) -> str:
    """Read the NUL-terminated string at an offset of a table. Raises ElfError if it has no end."""
    require(offset < len(table), f"{what}: offset {offset} is outside its string table")
    end = table.find(b"\0", offset, offset + _LONGEST + 1)
    require(end >= 0, f"{what}: no end inside its table, or longer than {_LONGEST} bytes")
    return table[offset:end].decode("utf-8", "backslashreplace")


def _within(view: memoryview, offset: int, size: int, what: str) -> None:
    """Refuse a range that the file does not have: here fails a file that was cut short."""
    end = offset + size
    require(end <= len(view), f"{what} ends at byte {end}, but the file at {len(view)}: cut short?")


def _entries(view: memoryview, table: Table, form: str, what: str) -> list[tuple[int, ...]]:
    size = table.count * table.entry_size
    _within(view, table.offset, size, f"the {what} table")
    return list(struct.iter_unpack(form, view[table.offset : table.offset + size])) if size else []


def _segments(view: memoryview, header: Header) -> Iterator[Segment]:
    form = header.order + header.shape.segment
    for raw in _entries(view, header.segments, form, "program header"):
        if header.shape.bits == 64:  # noqa: PLR2004 - the classes order the fields differently
            kind, flags, offset, vaddr, _, filesz, memsz, align = raw
        else:
            kind, offset, vaddr, _, filesz, memsz, flags, align = raw
        yield Segment(
            type=kind, flags=flags, offset=offset, vaddr=vaddr,
            filesz=filesz, memsz=memsz, align=align,
        )  # fmt: skip


def _check_segment(view: memoryview, header: Header, segment: Segment) -> None:
    if segment.type == PT_NULL:
        return
    _within(view, segment.offset, segment.filesz, segment.name)
    require(segment.filesz <= segment.memsz, f"{segment.name}: p_filesz is more than p_memsz")
    top = 1 << header.shape.bits
    require(segment.vaddr + segment.memsz <= top, f"{segment.name} leaves the address space")
    _check_align(segment.align, segment.name)


def _check_align(align: int, what: str) -> None:
    require(
        align & (align - 1) == 0 or align == 0, f"{what}: alignment {align} is not a power of two"
    )


def _check_loads(loads: list[Segment], header: Header) -> None:
    """Loadable segments ascend by address; address and offset agree modulo the alignment (gABI)."""
    runs = header.file_type in {ET_EXEC, ET_DYN}
    require(loads or not runs, "there is no PT_LOAD: nothing would be loaded")
    for load in loads:
        agree = (load.vaddr - load.offset) % max(load.align, 1) == 0
        require(agree, "PT_LOAD: p_vaddr and p_offset differ modulo p_align")
    for one, other in pairwise(loads):
        require(one.vaddr <= other.vaddr, "the PT_LOAD segments are not in ascending order")
        require(one.vaddr + one.memsz <= other.vaddr, "two PT_LOAD segments overlap in memory")


def _sections(view: memoryview, header: Header) -> Iterator[Section]:
    form = header.order + header.shape.section
    table = _entries(view, header.sections, form, "section header")
    for index, raw in enumerate(table):
        _check_section(view, index, raw)
    names = _name_table(view, table, header.names_index)
    for raw in table:
        yield Section(
            name=string_at(names, raw[0], "section name") if names else "",
            type=raw[1], flags=raw[2], address=raw[3], offset=raw[4], size=raw[5], link=raw[6],
        )  # fmt: skip


def _check_section(view: memoryview, index: int, raw: tuple[int, ...]) -> None:
    _, kind, _, _, offset, size, _, _, align, _ = raw
    require(index != 0 or kind == SHT_NULL, "section 0 is not the null section")
    if kind == SHT_NULL:
        return
    _check_align(align, f"section {index}")
    if kind != SHT_NOBITS:
        _within(view, offset, size, f"section {index}")


def _name_table(view: memoryview, table: list[tuple[int, ...]], index: int) -> bytes:
    if not index:
        return b""
    _, kind, _, _, offset, size, *_ = table[index]
    require(kind == SHT_STRTAB, "e_shstrndx names a section that is not a string table")
    require(size, "the table of section names is empty")
    return bytes(view[offset : offset + size])
