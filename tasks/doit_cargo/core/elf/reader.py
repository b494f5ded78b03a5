"""A strict ELF reader: from the bytes of a file to the facts that the policy checks.

It reads both classes and both byte orders, so that a file for another machine gives facts and a
clear verdict, and refuses whatever is cut short or contradicts itself: a lenient reader finds
nothing wrong in the first 400 bytes of a good executable.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from doit_cargo.core.architectures import machine_name
from doit_cargo.core.elf import coverage
from doit_cargo.core.elf import dynamic as elf_dynamic
from doit_cargo.core.elf import layout as elf_layout
from doit_cargo.core.elf.dynamic import Dynamic
from doit_cargo.core.elf.header import ElfError, require
from doit_cargo.core.elf.numbers import (
    ET_DYN,
    PF_W,
    PF_X,
    PT_GNU_RELRO,
    PT_GNU_STACK,
    PT_INTERP,
    PT_LOAD,
    SHF_ALLOC,
    SHT_SYMTAB,
)

if TYPE_CHECKING:
    from doit_cargo.core.elf.coverage import LoadFault, RelroGap
    from doit_cargo.core.elf.layout import Layout

__all__ = ["OWN", "ElfError", "Facts", "Relro", "as_dict", "read"]

Relro = Literal["full", "partial", "none", "n/a"]

# e_type, from glibc's elf.h
_TYPES = {0: "NONE", 1: "REL", 2: "EXEC", 3: "DYN", 4: "CORE"}
_PATH_MAX = 4096
OWN = frozenset({"filters", "relro_gaps", "load_faults", "overlay"})
"""The facts that this reader alone tells: LIEF has no words for them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What an ELF file is, as its headers say.

    `machine`, `os_abi`, `file_type` and the flags in `gnu_stack` (one item for each PT_GNU_STACK)
    are the numbers of glibc's `elf.h`; `entry` is a virtual address, `size` is in bytes.
    `wx_segments` counts PT_LOAD segments that are both writable and executable; `overlay` counts
    bytes. What `relro_gaps` and `load_faults` hold is said in `coverage`.
    """

    machine: int
    elf_class: int
    little_endian: bool
    os_abi: int
    file_type: int
    interp: str | None
    needed: tuple[str, ...]
    pie: bool
    gnu_stack: tuple[int, ...]
    relro: Relro
    relro_gaps: tuple[RelroGap, ...]
    wx_segments: int
    textrel: bool
    load_faults: tuple[LoadFault, ...]
    overlay: int
    rpath: str | None
    runpath: str | None
    filters: tuple[str, ...]
    entry: int
    entry_executable: bool
    stripped: bool
    size: int

    @property
    def machine_name(self) -> str:
        """The machine as target triples call it, or its number."""
        return machine_name(self.machine)

    @property
    def type_name(self) -> str:
        """EXEC, DYN, REL and so on, or the number."""
        return _TYPES.get(self.file_type, f"type {self.file_type:#x}")


def as_dict(facts: Facts) -> dict[str, Any]:
    """Give the facts as JSON has them: lists for tuples, so that a record read back is equal."""
    values = {field.name: getattr(facts, field.name) for field in fields(facts)}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def read(data: bytes | memoryview) -> Facts:
    """Read a whole ELF file. Raises ElfError, with the broken rule, if it is not valid."""
    layout = elf_layout.parse(data)
    header, dynamic = layout.header, elf_dynamic.read(layout)
    interp, entries = _interp(layout), dynamic or Dynamic()
    loads = layout.of_type(PT_LOAD)
    wx = PF_W | PF_X
    return Facts(
        machine=header.machine,
        elf_class=header.shape.bits,
        little_endian=header.order == "<",
        os_abi=header.os_abi,
        file_type=header.file_type,
        interp=interp,
        needed=entries.needed,
        # A static PIE has no interpreter: the linker's flag tells it from a shared object.
        pie=header.file_type == ET_DYN and (interp is not None or entries.pie),
        gnu_stack=tuple(s.flags for s in layout.of_type(PT_GNU_STACK)),
        relro=_relro(layout, dynamic),
        relro_gaps=coverage.relro_gaps(layout, dynamic),
        wx_segments=sum(s.flags & wx == wx for s in loads),
        textrel=entries.textrel,
        load_faults=coverage.load_faults(layout),
        overlay=coverage.overlay(layout),
        rpath=entries.rpath,
        runpath=entries.runpath,
        filters=entries.filters,
        entry=header.entry,
        entry_executable=_entry_executable(layout),
        stripped=not any(_has_symbols(s) for s in layout.sections),
        size=len(layout.data),
    )


def _interp(layout: Layout) -> str | None:
    """Read the interpreter as the kernel does (`binfmt_elf.c`): 2 to PATH_MAX bytes, NUL last."""
    for segment in layout.of_type(PT_INTERP):
        require(1 < segment.filesz <= _PATH_MAX, f"PT_INTERP of {segment.filesz} bytes")
        path = bytes(layout.data[segment.offset :][: segment.filesz])
        require(path.endswith(b"\0"), "PT_INTERP does not end with NUL")
        return elf_layout.string_at(path, 0, "PT_INTERP")
    return None


def _relro(layout: Layout, dynamic: Dynamic | None) -> Relro:
    """Full needs the segment *and* binding at start: each alone leaves the GOT writable.

    Without PT_DYNAMIC nothing is bound later, so there is nothing to be partial about.
    """
    protected = any(s.memsz for s in layout.of_type(PT_GNU_RELRO))
    if dynamic is None:
        return "n/a"
    if not protected:
        return "none"
    return "full" if dynamic.bind_now else "partial"


def _entry_executable(layout: Layout) -> bool:
    entry = layout.header.entry
    return any(s.flags & PF_X and 0 <= entry - s.vaddr < s.filesz for s in layout.of_type(PT_LOAD))


def _has_symbols(section: elf_layout.Section) -> bool:
    """What is loaded is no debug information, whatever its name: rustc's .debug_gdb_scripts."""
    debug = section.name.startswith((".debug_", ".zdebug_")) and not section.flags & SHF_ALLOC
    return debug or section.type == SHT_SYMTAB
