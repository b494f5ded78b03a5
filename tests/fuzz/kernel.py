"""What Linux and musl would make of an ELF file: a model in pages that shares no code with ours.

Sources: `load_elf_binary` and `elf_load` in Linux's `fs/binfmt_elf.c`; musl's `crt/rcrt1.c` and
`ldso/dlstart.c`, which find the dynamic section in memory and never in the file; the ELF gABI.
It reads 64-bit little-endian files alone.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

PAGE, _MOST_PAGES = 0x1000, 1 << 10
_ZEROS = bytes(PAGE)
HEADER, SEGMENT, SECTION = struct.Struct("<HHIQQQIHHHHHH"), struct.Struct("<IIQQQQQQ"), 64
LOAD, DYNAMIC, INTERP, PHDR, TLS, EH, STACK, RELRO = (
    1, 2, 3, 6, 7, 0x6474E550, 0x6474E551, 0x6474E552,
)  # fmt: skip
X, W = 1, 2
# DT_NEEDED, DT_RPATH, DT_TEXTREL, DT_RUNPATH; DT_AUXILIARY, DT_FILTER, DT_AUDIT, DT_DEPAUDIT
TAGS = {1: "static", 15: "rpath", 22: "textrel", 29: "rpath"} | dict.fromkeys(
    (0x7FFFFFFD, 0x7FFFFFFF, 0x6FFFFEFC, 0x6FFFFEFB), "filters"
)


class NotRunError(Exception):
    """The kernel would refuse the file, or the program die before its first instruction."""


class Piece(NamedTuple):
    """What a PT_LOAD says: flags, file offset, address, bytes in the file and in memory."""

    flags: int
    offset: int
    address: int
    in_file: int
    in_memory: int


@dataclass
class Page:
    """One page of memory: what may be done with it, and its bytes."""

    flags: int
    data: bytes


@dataclass
class Memory:
    """What is mapped, by page number, and whether the file says it in the right way."""

    pages: dict[int, Page] = field(default_factory=dict)
    faults: set[str] = field(default_factory=set)

    def read(self, address: int, size: int) -> bytes:
        """The bytes at an address, as the program sees them."""
        found = b""
        while len(found) < size:
            page, at = divmod(address + len(found), PAGE)
            if page not in self.pages:
                raise NotRunError(f"{address:#x} is not mapped")
            found += self.pages[page].data[at : at + size - len(found)]
        return found

    def put(self, number: int, flags: int, data: bytes) -> None:
        """Map a page, in the place of what was there."""
        if number in self.pages:
            self.faults.add("loads")
        self.pages[number] = Page(flags, data.ljust(PAGE, b"\0"))


def broken(data: bytes, machine: int) -> set[str]:
    """The rules that a running program breaks. Raises NotRunError, struct.error or the like."""
    kind, made_for, _, entry, at, *rest = HEADER.unpack_from(data, 16)
    size, count = rest[3], rest[4]
    if data[:4] != b"\x7fELF" or kind not in (2, 3) or size != SEGMENT.size:
        raise NotRunError("no executable")
    segments = [SEGMENT.unpack_from(data, at + size * index) for index in range(count)]
    found = set() if made_for == machine else {"machine"}
    memory = _load(data, segments)
    found |= memory.faults | _stack(segments)
    found |= {"static"} if any(s[0] == INTERP for s in segments) else set()
    code = memory.pages.get(entry // PAGE)
    found |= set() if code and code.flags & X else {"entry"}
    found |= {"wx"} if any(p.flags & X and p.flags & W for p in memory.pages.values()) else set()
    return found | _dynamic(kind, segments, memory) | _unclaimed(data, segments)


def _load(data: bytes, segments: list[tuple[int, ...]]) -> Memory:
    memory = Memory()
    for kind, flags, offset, address, _, in_file, in_memory, align in segments:
        if kind != LOAD:
            continue
        if (address - offset) % PAGE:
            raise NotRunError("mmap: EINVAL")
        if in_file > in_memory or address + in_memory > 1 << 47 or in_memory > 1 << 32:
            raise NotRunError("ENOMEM or EINVAL")
        memory.faults |= {"loads"} if align < PAGE or not in_memory else set()
        _map(memory, data, Piece(flags, offset, address, in_file, in_memory))
    if not memory.pages:
        raise NotRunError("nothing is mapped")
    for kind, _, offset, address, _, in_file, *_ in segments:
        if kind in (DYNAMIC, INTERP, PHDR, TLS, EH) and in_file:
            same = _same(memory, data, offset, address, in_file)
            memory.faults |= set() if same else {"loads"}
    return memory


def _map(memory: Memory, data: bytes, piece: Piece) -> None:
    """The pages of the file with what lies around the segment, and zeros after it."""
    flags, offset, address, in_file, whole = piece
    first, end = address // PAGE, -(-(address + whole) // PAGE)
    last = -(-(address + in_file) // PAGE)
    if end - first > _MOST_PAGES:
        raise NotRunError("too large for the model")
    for number in range(first, end):
        if number >= last:
            memory.put(number, flags, _ZEROS)
            continue
        at = offset - address % PAGE + (number - first) * PAGE
        if at < 0 or at >= len(data):
            raise NotRunError("SIGBUS")
        page = data[at : at + PAGE]
        if number == last - 1 and whole > in_file and flags & W:
            page = page[: (address + in_file) % PAGE or PAGE]
        memory.put(number, flags, page)


def _same(memory: Memory, data: bytes, offset: int, address: int, size: int) -> bool:
    """Whether the program sees the bytes that tools see."""
    try:
        return memory.read(address, size) == data[offset : offset + size]
    except NotRunError:
        return False


def _stack(segments: list[tuple[int, ...]]) -> set[str]:
    """The kernel takes the last one; without any it is executable."""
    flags = [s[1] for s in segments if s[0] == STACK]
    return set() if flags and not flags[-1] & X else {"nx"}


def _dynamic(kind: int, segments: list[tuple[int, ...]], memory: Memory) -> set[str]:
    """As the program finds it: in memory, until DT_NULL."""
    places = [(s[3], s[6]) for s in segments if s[0] == DYNAMIC]
    if not places:
        return {"pie", "type", "relro"} if kind == 3 else set()
    entries = list(_entries(memory, places[0][0]))
    found = {TAGS[tag] for tag, _ in entries if tag in TAGS}
    flags = [value for tag, value in entries if tag == 30]
    flags_1 = [value for tag, value in entries if tag == 0x6FFFFFFB]
    found |= {"textrel"} if any(value & 4 for value in flags) else set()
    pie = kind == 3 and any(value & 0x08000000 for value in flags_1)
    found |= set() if pie else {"pie"}
    now = any(tag == 24 for tag, _ in entries) or any(v & 8 for v in flags)
    now = now or any(value & 1 for value in flags_1)
    tables = [places[0], *((value, 1) for tag, value in entries if tag == 3)]
    return found | (set() if now and _protects(segments, memory, tables) else {"relro"})


def _entries(memory: Memory, address: int) -> Iterator[tuple[int, int]]:
    for index in range(1 << 12):
        tag, value = struct.unpack("<QQ", memory.read(address + 16 * index, 16))
        if tag == 0:
            return
        yield tag, value
    raise NotRunError("no DT_NULL")


def _protects(
    segments: list[tuple[int, ...]], memory: Memory, tables: list[tuple[int, int]]
) -> bool:
    """Whether whole pages of PT_GNU_RELRO hold every page of the tables that can be written."""
    ranges = [(s[3], s[6]) for s in segments if s[0] == RELRO and s[6]]
    if not ranges:
        return False
    start, size = ranges[0]
    safe = range(start // PAGE, (start + size) // PAGE)
    held = [range(at // PAGE, (at + max(length, 1) - 1) // PAGE + 1) for at, length in tables]
    return not any(
        page.flags & W and number not in safe and any(number in one for one in held)
        for number, page in memory.pages.items()
    )


def _unclaimed(data: bytes, segments: list[tuple[int, ...]]) -> set[str]:
    """Bytes that nothing names: told if one that is no zero lies beyond all that is named."""
    head = HEADER.unpack_from(data, 16)
    offset, count = head[5], head[11]
    ends = [64, head[4] + head[9] * head[8], offset + count * SECTION]
    ends += [s[2] + s[5] for s in segments if s[0]]
    for index in range(count):
        place = offset + index * SECTION
        kind, start, size = struct.unpack_from("<4xI16xQQ", data, place)
        ends += [start + size] if kind not in (0, 8) else []
    return {"overlay"} if data[max(ends) :].strip(b"\0") else set()
