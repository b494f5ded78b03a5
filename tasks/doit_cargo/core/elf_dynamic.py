"""What the dynamic section says: libraries, search paths, flags.

Sources: the ELF gABI, version 4.3 (chapter "Dynamic Section"), glibc's `elf.h`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from doit_cargo.core.elf_header import ElfError, require
from doit_cargo.core.elf_layout import PT_DYNAMIC, Layout, Segment, string_at

_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_STRSZ = 0, 1, 5, 10
_DT_RPATH, _DT_BIND_NOW, _DT_RUNPATH, _DT_FLAGS = 15, 24, 29, 30
_DT_FLAGS_1 = 0x6FFFFFFB
_DF_BIND_NOW = 0x8
_DF_1_NOW, _DF_1_PIE = 0x1, 0x08000000
_NAMES = {_DT_STRTAB: "DT_STRTAB", _DT_STRSZ: "DT_STRSZ", _DT_RPATH: "DT_RPATH"}
_NAMES |= {_DT_RUNPATH: "DT_RUNPATH", _DT_FLAGS: "DT_FLAGS", _DT_FLAGS_1: "DT_FLAGS_1"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Dynamic:
    """The entries that decide what is loaded, from where, and when its symbols are bound."""

    needed: tuple[str, ...] = ()
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
    once = _single(entries)
    flags, flags_1 = once.get(_DT_FLAGS, 0), once.get(_DT_FLAGS_1, 0)
    bound = any(tag == _DT_BIND_NOW for tag, _ in entries)
    return Dynamic(
        needed=tuple(_text(layout, once, at) for tag, at in entries if tag == _DT_NEEDED),
        rpath=_text(layout, once, once[_DT_RPATH]) if _DT_RPATH in once else None,
        runpath=_text(layout, once, once[_DT_RUNPATH]) if _DT_RUNPATH in once else None,
        bind_now=bound or bool(flags & _DF_BIND_NOW) or bool(flags_1 & _DF_1_NOW),
        pie=bool(flags_1 & _DF_1_PIE),
    )


def _entries(layout: Layout, segment: Segment) -> list[tuple[int, int]]:
    """Read the table. The program finds it by address, tools by offset: it must be one place."""
    place = layout.file_offset(segment.vaddr, segment.filesz)
    require(place == segment.offset, "PT_DYNAMIC: its address and its offset are two places")
    form = layout.header.order + layout.header.shape.dynamic
    whole = segment.filesz - segment.filesz % struct.calcsize(form)
    entries: list[tuple[int, int]] = []
    for tag, value in struct.iter_unpack(form, layout.data[segment.offset :][:whole]):
        if tag == _DT_NULL:
            return entries
        entries.append((tag, value))
    raise ElfError("PT_DYNAMIC has no DT_NULL entry inside its bounds")


def _single(entries: list[tuple[int, int]]) -> dict[int, int]:
    """Pick the entries that may be there once. Of two, loaders take the last, tools the first."""
    found: dict[int, int] = {}
    for tag, value in entries:
        if tag in _NAMES:
            require(tag not in found, f"PT_DYNAMIC has more than one {_NAMES[tag]}")
            found[tag] = value
    return found


def _text(layout: Layout, once: dict[int, int], offset: int) -> str:
    require(_DT_STRTAB in once and _DT_STRSZ in once, "PT_DYNAMIC names no string table")
    size = once[_DT_STRSZ]
    place = layout.file_offset(once[_DT_STRTAB], size)
    if place is None:
        raise ElfError("the dynamic string table is not inside a PT_LOAD segment's bytes")
    return string_at(bytes(layout.data[place : place + size]), offset, "dynamic string")
