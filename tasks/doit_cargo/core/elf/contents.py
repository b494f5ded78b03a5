"""Measures what fills an executable: its sections, and its symbols by crate."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from doit_cargo.core.elf.header import require
from doit_cargo.core.elf.layout import string_at
from doit_cargo.core.elf.mangled import crate_of
from doit_cargo.core.elf.numbers import (
    SHT_NOBITS,
    SHT_NULL,
    SHT_SYMTAB,
    STT_FUNC,
    STT_OBJECT,
    STT_TLS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doit_cargo.core.elf.layout import Layout, Section

OTHER = "other"
_FILLS = {STT_OBJECT, STT_FUNC, STT_TLS}
_WIDE = 64


class Symbol(NamedTuple):
    """A function or object of the file: its linker name, address, and size in bytes."""

    name: str
    address: int
    size: int


def sections(layout: Layout) -> dict[str, int]:
    """Name → bytes in the file, the largest first; `.bss` and its like take none."""
    found: dict[str, int] = {}
    for section in layout.sections:
        if section.size and section.type != SHT_NOBITS:
            found[section.name] = found.get(section.name, 0) + section.size
    return _largest_first(found)


def crates(layout: Layout) -> dict[str, int]:
    """Crate → bytes of its functions and objects, the largest first; empty if it is stripped.

    What has no Rust path as its name (libc, C, assembly) is `other`. Names of the same bytes count
    once. Raises ElfError if the symbol table is not valid.
    """
    found: dict[str, int] = {}
    for symbol in {(s.address, s.size): s for s in symbols(layout)}.values():
        crate = crate_of(symbol.name) or OTHER
        found[crate] = found.get(crate, 0) + symbol.size
    return _largest_first(found)


def symbols(layout: Layout) -> Iterator[Symbol]:
    """Functions and objects with bytes in the file. Raises ElfError if a table is not valid."""
    for table in layout.sections:
        if table.type == SHT_SYMTAB:
            yield from _symbols(layout, table)


def _symbols(layout: Layout, table: Section) -> Iterator[Symbol]:
    require(table.link < len(layout.sections), "the symbol table's names are in no section")
    names = _bytes(layout, layout.sections[table.link])
    present = {i for i, s in enumerate(layout.sections) if s.type not in (SHT_NULL, SHT_NOBITS)}
    form = struct.Struct(layout.header.order + layout.header.shape.symbol)
    require(table.size % form.size == 0, f"a symbol has not {form.size} bytes")
    for raw in form.iter_unpack(_bytes(layout, table)):
        if layout.header.shape.bits == _WIDE:  # the classes order the fields differently
            name, info, _, index, address, size = raw
        else:
            name, address, size, info, _, index = raw
        if size and info & 0xF in _FILLS and index in present:
            yield Symbol(string_at(names, name, "symbol name"), address, size)


def _bytes(layout: Layout, section: Section) -> bytes:
    require(section.type != SHT_NOBITS, "a table of symbols is not in the file")
    return bytes(layout.data[section.offset : section.offset + section.size])


def _largest_first(found: dict[str, int]) -> dict[str, int]:
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
