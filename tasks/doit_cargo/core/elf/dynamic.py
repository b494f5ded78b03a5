"""Reads the dynamic section: libraries, search paths, flags.

Sources: the ELF gABI, version 4.3 (chapter "Dynamic Section").
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doit_cargo.core.elf.header import ElfError, require
from doit_cargo.core.elf.layout import Layout, Segment, string_at
from doit_cargo.core.elf.numbers import (
    DF_1_NOW,
    DF_1_PIE,
    DF_BIND_NOW,
    DF_TEXTREL,
    DT_AUDIT,
    DT_AUXILIARY,
    DT_BIND_NOW,
    DT_DEPAUDIT,
    DT_FILTER,
    DT_FLAGS,
    DT_FLAGS_1,
    DT_NEEDED,
    DT_NULL,
    DT_PLTGOT,
    DT_RPATH,
    DT_RUNPATH,
    DT_STRSZ,
    DT_STRTAB,
    DT_TEXTREL,
    PT_DYNAMIC,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# Far more than any file has: what a forged table costs stays bounded.
_MOST_ENTRIES = 1 << 16
_NAMES = {DT_STRTAB: "DT_STRTAB", DT_STRSZ: "DT_STRSZ", DT_RPATH: "DT_RPATH"}
_NAMES |= {DT_RUNPATH: "DT_RUNPATH", DT_FLAGS: "DT_FLAGS", DT_FLAGS_1: "DT_FLAGS_1"}
_FILTERS = {
    DT_FILTER: "DT_FILTER", DT_AUXILIARY: "DT_AUXILIARY", DT_AUDIT: "DT_AUDIT",
    DT_DEPAUDIT: "DT_DEPAUDIT",
}  # fmt: skip
_NAMING = {DT_NEEDED, DT_RPATH, DT_RUNPATH, *_FILTERS}


@dataclass(frozen=True, kw_only=True, slots=True)
class Dynamic:
    """The entries that decide what is loaded, from where, and when its symbols are bound.

    `filters` are libraries that stand before the file's own or watch it, with their tag; `got` are
    addresses of the global offset table.
    """

    needed: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    got: tuple[int, ...] = ()
    textrel: bool = False
    rpath: str | None = None
    runpath: str | None = None
    bind_now: bool = False
    pie: bool = False


def read(layout: Layout) -> Dynamic | None:
    """Read PT_DYNAMIC up to its DT_NULL; None if there is no such segment. Raises ElfError."""
    segments = layout.of_type(PT_DYNAMIC)
    if not segments:
        return None
    entries = _entries(layout, segments[0])
    once, tags = _single(entries), {tag for tag, _ in entries}
    names = _strings(layout, once) if tags & _NAMING else b""
    flags, flags_1 = once.get(DT_FLAGS, 0), once.get(DT_FLAGS_1, 0)
    return Dynamic(
        needed=tuple(string_at(names, at, "DT_NEEDED") for tag, at in entries if tag == DT_NEEDED),
        filters=tuple(_filters(entries, names)),
        got=tuple(place for tag, place in entries if tag == DT_PLTGOT),
        textrel=DT_TEXTREL in tags or bool(flags & DF_TEXTREL),
        rpath=string_at(names, once[DT_RPATH], "DT_RPATH") if DT_RPATH in once else None,
        runpath=string_at(names, once[DT_RUNPATH], "DT_RUNPATH") if DT_RUNPATH in once else None,
        bind_now=DT_BIND_NOW in tags or bool(flags & DF_BIND_NOW) or bool(flags_1 & DF_1_NOW),
        pie=bool(flags_1 & DF_1_PIE),
    )


def _entries(layout: Layout, segment: Segment) -> list[tuple[int, int]]:
    """Read the table. The program finds it by address, tools by offset: it must be one place."""
    place = layout.file_offset(segment.vaddr, segment.filesz)
    require(place == segment.offset, "PT_DYNAMIC: its address and its offset are two places")
    form = layout.header.order + layout.header.shape.dynamic
    entry = struct.calcsize(form)
    size = min(segment.filesz // entry, _MOST_ENTRIES) * entry
    entries: list[tuple[int, int]] = []
    for tag, value in struct.iter_unpack(form, layout.data[segment.offset :][:size]):
        if tag == DT_NULL:
            return entries
        entries.append((tag, value))
    raise ElfError(f"PT_DYNAMIC has no DT_NULL in its first {size // entry} entries")


def _single(entries: list[tuple[int, int]]) -> dict[int, int]:
    """Pick the entries that may be there once. Of two, loaders take the last, tools the first."""
    found: dict[int, int] = {}
    for tag, value in entries:
        if tag in _NAMES:
            require(tag not in found, f"PT_DYNAMIC has more than one {_NAMES[tag]}")
            found[tag] = value
    return found


def _filters(entries: list[tuple[int, int]], names: bytes) -> Iterator[str]:
    for tag, at in entries:
        if name := _FILTERS.get(tag):
            yield f"{name} {string_at(names, at, name)}"


def _strings(layout: Layout, once: dict[int, int]) -> bytes:
    require(DT_STRTAB in once and DT_STRSZ in once, "PT_DYNAMIC names no string table")
    size = once[DT_STRSZ]
    place = layout.file_offset(once[DT_STRTAB], size)
    if place is None:
        raise ElfError("the dynamic string table is not inside a PT_LOAD segment's bytes")
    return bytes(layout.data[place : place + size])
