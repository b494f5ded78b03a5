"""What an ELF file maps, protects and leaves over, page by page and byte by byte.

Sources: the ELF gABI, version 4.3 (chapter "Program Loading"); how the kernel maps a segment
(`elf_map` in Linux's `fs/binfmt_elf.c`) and how a loader protects RELRO
(`_dl_protect_relro` in glibc's `elf/dl-reloc.c`, `reloc_all` in musl's `ldso/dynlink.c`): both
round to whole pages.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from doit_cargo.core.elf.numbers import (
    PF_W,
    PF_X,
    PT_DYNAMIC,
    PT_GNU_EH_FRAME,
    PT_GNU_RELRO,
    PT_INTERP,
    PT_LOAD,
    PT_NULL,
    PT_PHDR,
    PT_TLS,
    SHF_ALLOC,
    SHT_NOBITS,
    SHT_NULL,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doit_cargo.core.elf.dynamic import Dynamic
    from doit_cargo.core.elf.layout import Layout, Segment

LoadFault = Literal["align", "offset", "empty", "page", "outside"]
RelroGap = Literal["dynamic", "got"]

PAGE = 4096
"""The smallest page of the processors that are known here, in bytes."""

# What a program, its loader or an unwinder reads through the address in the program header.
_READ_BY_ADDRESS = {PT_DYNAMIC, PT_INTERP, PT_PHDR, PT_TLS, PT_GNU_EH_FRAME}
_GOT = {".got", ".got.plt"}
# lld fills the last page of code with one instruction that traps; the largest page is 64 KiB.
_TRAP, _LARGEST_PAGE = 4, 1 << 16
# patchelf rounds the file up to a word or two.
_LONGEST_TAIL = 16


def load_faults(layout: Layout) -> tuple[LoadFault, ...]:
    """Say what keeps the PT_LOAD segments from being mapped as they are written.

    `align`: an alignment below a page. `offset`: address and offset differ modulo a page. `empty`:
    nothing is loaded. `page`: two segments share a page, so one's flags hold for the other's
    bytes. `outside`: a segment that is read by its address is not, or not there, in a PT_LOAD.
    """
    loads = layout.of_type(PT_LOAD)
    read = [s for s in layout.segments if s.type in _READ_BY_ADDRESS and s.filesz]
    found: dict[LoadFault, bool] = {
        "align": any(s.align < PAGE for s in loads),
        "offset": any((s.vaddr - s.offset) % PAGE for s in loads),
        "empty": any(not s.memsz for s in loads),
        "page": any(
            _pages(other.vaddr, other.memsz).start < _pages(one.vaddr, one.memsz).stop
            for one, other in pairwise(loads)
            if one.memsz
        ),
        "outside": any(layout.file_offset(s.vaddr, s.filesz) != s.offset for s in read),
    }
    return tuple(fault for fault, is_so in found.items() if is_so)


def relro_range(layout: Layout, page: int = PAGE) -> range | None:
    """The addresses that are in whole pages of PT_GNU_RELRO; None if there is no such segment.

    A loader protects these and no others: of the last page only what others own may be left.
    """
    for segment in layout.of_type(PT_GNU_RELRO):
        if segment.memsz:
            stop = segment.vaddr + segment.memsz
            return range(segment.vaddr // page * page, stop // page * page)
    return None


def relro_gaps(layout: Layout, dynamic: Dynamic | None) -> tuple[RelroGap, ...]:
    """Say which tables PT_GNU_RELRO leaves writable, though the file has such a segment.

    A page counts as a whole: for each one that a table touches and that a PT_LOAD makes writable.
    """
    relro = relro_range(layout)
    if relro is None or dynamic is None:
        return ()
    tables: dict[RelroGap, list[range]] = {
        "dynamic": [_pages(s.vaddr, s.memsz) for s in layout.of_type(PT_DYNAMIC)],
        "got": [*_got_sections(layout), *(_pages(place, 1) for place in dynamic.got)],
    }
    loads = layout.of_type(PT_LOAD)
    writable = [_pages(s.vaddr, s.memsz) for s in loads if s.flags & PF_W and s.memsz]
    return tuple(
        table
        for table, ranges in tables.items()
        if any(_leaves(relro, held, load) for held in ranges for load in writable)
    )


def overlay(layout: Layout) -> int:
    """Count the bytes that belong to no header, segment or section and are no padding."""
    total, end = 0, 0
    codes = {s.offset + s.filesz for s in layout.of_type(PT_LOAD) if s.flags & PF_X}
    for start, stop in sorted(_covered(layout)):
        if start > end and not _is_padding(layout.data[end:start], after_code=end in codes):
            total += start - end
        end = max(end, stop)
    tail = layout.data[end:]
    is_padding = len(tail) < _LONGEST_TAIL and not any(tail)
    return total if is_padding else total + len(tail)


def _got_sections(layout: Layout) -> Iterator[range]:
    for section in layout.sections:
        if section.name in _GOT and section.flags & SHF_ALLOC and section.size:
            yield _pages(section.address, section.size)


def _pages(start: int, size: int) -> range:
    """The addresses of the whole pages that these bytes touch, and at least one page."""
    return range(start // PAGE * PAGE, -(-(start + max(size, 1)) // PAGE) * PAGE)


def _leaves(relro: range, table: range, load: range) -> bool:
    """Whether a page is in the table and in the writable PT_LOAD, and not in RELRO's range."""
    start, stop = max(table.start, load.start), min(table.stop, load.stop)
    return start < stop and not relro.start <= start <= stop <= relro.stop


def _covered(layout: Layout) -> Iterator[tuple[int, int]]:
    header = layout.header
    yield 0, header.size
    for table in (header.segments, header.sections):
        yield table.offset, table.offset + table.count * table.entry_size
    pieces: Sequence[Segment] = [s for s in layout.segments if s.type != PT_NULL]
    yield from ((s.offset, s.offset + s.filesz) for s in pieces if s.filesz)
    for section in layout.sections:
        if section.type not in {SHT_NULL, SHT_NOBITS}:
            yield section.offset, section.offset + section.size


def _is_padding(gap: memoryview, *, after_code: bool) -> bool:
    data = bytes(gap)
    if not data.strip(b"\0"):
        return True
    traps = data[:_TRAP] * (len(data) // _TRAP + 1)
    return after_code and len(data) < _LARGEST_PAGE and traps.startswith(data)
