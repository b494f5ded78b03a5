"""What the kernel has made of a running program's RELRO, by its memory map."""

from __future__ import annotations

from typing import Literal

from doit_cargo.core.elf import coverage
from doit_cargo.core.elf import layout as elf_layout
from doit_cargo.core.elf.numbers import PT_LOAD

Protection = Literal["read-only", "writable", "unseen", "none"]


def relro(data: bytes, maps: str, *, program: str, page: int) -> Protection:
    """Say whether the whole pages of PT_GNU_RELRO are read-only in the memory of a process.

    `data` is the executable, which the process knows by a path that ends with `program`; `maps` is
    the text of `/proc/PID/maps` (proc_pid_maps(5)), `page` the size of a page in bytes. `unseen`:
    the executable is not in the map. `none`: there is no whole page to protect. Raises ElfError if
    the executable is not valid.
    """
    layout = elf_layout.parse(data)
    protected = coverage.relro_range(layout, page)
    if not protected:
        return "none"
    lines = [line.split(maxsplit=5) for line in maps.splitlines()]
    own = [_place(words)[0] for words in lines if words[-1].strip().endswith(program)]
    if not own:
        return "unseen"
    base = min(own) - min(s.vaddr for s in layout.of_type(PT_LOAD)) // page * page
    start, stop = base + protected.start, base + protected.stop
    writable = [_place(words) for words in lines if "w" in words[1]]
    overlapping = any(first < stop and start < last for first, last in writable)
    return "writable" if overlapping else "read-only"


def _place(words: list[str]) -> tuple[int, int]:
    first, _, last = words[0].partition("-")
    return int(first, 16), int(last, 16)
