"""Makes small ELF files field by field, and finds real ones on this system."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from doit_cargo.core.elf.numbers import (
    DF_1_NOW,
    DF_1_PIE,
    DT_FLAGS_1,
    DT_NULL,
    DT_STRSZ,
    DT_STRTAB,
    ET_DYN,
    PF_R,
    PF_W,
    PF_X,
    PT_DYNAMIC,
    PT_GNU_RELRO,
    PT_GNU_STACK,
    PT_INTERP,
    PT_LOAD,
    SHT_STRTAB,
)  # fmt: skip

# Offsets of fields in a 64-bit header, program header and section header.
HEADER = {
    "e_ident": 0, "EI_CLASS": 4, "EI_DATA": 5, "EI_VERSION": 6, "EI_OSABI": 7, "e_type": 16,
    "e_machine": 18, "e_version": 20, "e_entry": 24, "e_phoff": 32, "e_shoff": 40, "e_ehsize": 52,
    "e_phentsize": 54, "e_phnum": 56, "e_shentsize": 58, "e_shnum": 60, "e_shstrndx": 62,
}  # fmt: skip
SEGMENT = {
    "p_type": 0, "p_flags": 4, "p_offset": 8, "p_vaddr": 16, "p_filesz": 32, "p_memsz": 40,
    "p_align": 48,
}  # fmt: skip
SECTION = {"sh_name": 0, "sh_type": 4, "sh_offset": 24, "sh_size": 32, "sh_addralign": 48}

_EXECUTABLE_DYNAMIC = ((DT_FLAGS_1, DF_1_NOW | DF_1_PIE),)


@dataclass(frozen=True, kw_only=True, slots=True)
class Seg:
    """A program header to write. The address is the offset unless it is given."""

    type: int
    flags: int = PF_R
    offset: int = 0
    vaddr: int | None = None
    filesz: int = 0
    memsz: int | None = None
    align: int = 1


def elf(
    *,
    bits: int = 64,
    order: str = "<",
    machine: int = 62,
    kind: int = ET_DYN,
    entry: int | None = None,
    os_abi: int = 0,
    load_flags: int = PF_R | PF_X,
    stacks: Sequence[int] = (PF_R | PF_W,),
    relro: int | None = 1,
    interp: bytes | None = None,
    dynamic: Sequence[tuple[int, int]] | None = _EXECUTABLE_DYNAMIC,
    strings: bytes = b"\0",
    more: Sequence[Seg] = (),
    sections: Mapping[str, int] | None = None,
    section_flags: int = 0,
    payload: bytes = b"\xc3" * 64,
) -> bytes:
    """Write an ELF file; by default a static PIE for x86_64 that keeps every rule but `size`.

    One PT_LOAD maps everything before the section headers to its own offset. The string table
    and DT_NULL are added to `dynamic`. `sections` maps names to types; all have the same flags.
    """
    head, form, section, pair = _forms(bits, order)
    count = 1 + len(stacks) + (relro is not None) + (interp is not None) + len(more)
    count += dynamic is not None
    at = start = 16 + struct.calcsize(head) + count * struct.calcsize(form)
    body, segments = payload, []
    if interp is not None:
        segments.append(Seg(type=PT_INTERP, offset=at + len(body), filesz=len(interp)))
        body += interp
    if dynamic is not None:
        text = at + len(body)
        body += strings
        table = [*dynamic, (DT_STRTAB, text), (DT_STRSZ, len(strings)), (DT_NULL, 0)]
        raw = b"".join(struct.pack(pair, *entry) for entry in table)
        segments.append(Seg(type=PT_DYNAMIC, offset=at + len(body), filesz=len(raw)))
        body += raw
    at += len(body)
    segments.insert(interp is not None, Seg(type=PT_LOAD, flags=load_flags, filesz=at, align=4096))
    if relro is not None:
        segments.append(Seg(type=PT_GNU_RELRO, offset=start, filesz=0, memsz=relro))
    segments += [Seg(type=PT_GNU_STACK, flags=flags) for flags in stacks]
    segments += more
    names, headers, shnum = _sections(at, section, sections or {}, section_flags)
    ident = bytes([0x7F, *b"ELF", bits // 32, 1 if order == "<" else 2, 1, os_abi]) + bytes(8)
    sizes = (16 + struct.calcsize(head), struct.calcsize(form), count)
    tail = (struct.calcsize(section), shnum, shnum - 1)
    return b"".join((
        ident,
        struct.pack(
            head, kind, machine, 1, start if entry is None else entry, sizes[0],
            at + len(names), 0, *sizes, *tail,
        ),
        *(_segment(form, bits, segment) for segment in segments),
        body, names, headers,
    ))  # fmt: skip


def poke(data: bytes, offset: int, form: str, value: int) -> bytes:
    """The data with one field replaced; `form` is a `struct` format."""
    changed = bytearray(data)
    struct.pack_into(form, changed, offset, value)
    return bytes(changed)


def poke_header(data: bytes, field: str, value: int) -> bytes:
    """Replace a field of a 64-bit little-endian header."""
    offset = HEADER[field]
    sizes = {"e_version": "<I", "e_entry": "<Q", "e_phoff": "<Q", "e_shoff": "<Q"}
    return poke(data, offset, "<B" if offset < 16 else sizes.get(field, "<H"), value)


def poke_segment(data: bytes, index: int, field: str, value: int) -> bytes:
    """Replace a field of a program header of a 64-bit little-endian file."""
    at = struct.unpack_from("<Q", data, HEADER["e_phoff"])[0] + 56 * index
    return poke(data, at + SEGMENT[field], "<I" if SEGMENT[field] < 8 else "<Q", value)


def poke_section(data: bytes, index: int, field: str, value: int) -> bytes:
    """Replace a field of a section header of a 64-bit little-endian file."""
    at = struct.unpack_from("<Q", data, HEADER["e_shoff"])[0] + 64 * index
    return poke(data, at + SECTION[field], "<I" if SECTION[field] < 8 else "<Q", value)


def system_files(count: int) -> list[Path]:
    """A fixed choice of this system's executables and libraries, no links."""
    folders = ("bin", "sbin", "lib64", f"lib/{os.uname().machine}-linux-gnu")
    found = [
        path
        for folder in folders
        for path in sorted(Path("/usr", folder).glob("*"))
        if path.is_file() and not path.is_symlink() and _is_elf(path)
    ]
    return random.Random(7).sample(found, count)  # noqa: S311 - a fixed choice


def mutants(data: bytes, count: int, seed: int) -> Iterator[memoryview]:
    """The data with a few bytes changed; the tables are hit more often than the rest.

    Each lasts until the next is asked for: all are made in one copy of what may be megabytes.
    """
    rng = random.Random(seed)  # noqa: S311 - to be repeated
    at = struct.unpack_from("<Q", data, HEADER["e_shoff"])[0]
    zones = (range(64), range(64, min(1024, len(data))), range(at, len(data)), range(len(data)))
    changed = bytearray(data)
    for _ in range(count):
        places = []
        for _ in range(rng.randint(1, 3)):
            value = rng.choice((0, 1, 0x7F, 0xFF, rng.randrange(256)))
            place = rng.choice(rng.choice(zones))
            changed[place] = value
            places.append(place)
        yield memoryview(changed).toreadonly()
        for place in places:
            changed[place] = data[place]


def _is_elf(path: Path) -> bool:
    if not os.access(path, os.R_OK):
        return False
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _forms(bits: int, order: str) -> tuple[str, str, str, str]:
    word = "Q" if bits == 64 else "I"
    segment = "II6Q" if bits == 64 else "8I"
    section = f"II{4 * word}II{2 * word}"
    return f"{order}HHI{3 * word}I6H", order + segment, order + section, order + 2 * word


def _segment(form: str, bits: int, s: Seg) -> bytes:
    vaddr = s.offset if s.vaddr is None else s.vaddr
    memory = (s.filesz if s.memsz is None else s.memsz, s.align)
    if bits == 64:
        return struct.pack(form, s.type, s.flags, s.offset, vaddr, vaddr, s.filesz, *memory)
    size, align = memory
    return struct.pack(form, s.type, s.offset, vaddr, vaddr, s.filesz, size, s.flags, align)


def _sections(
    at: int, form: str, sections: Mapping[str, int], flags: int
) -> tuple[bytes, bytes, int]:
    """The name table, the headers and their number: the null section, the wanted, the names."""
    names, headers = b"\0", struct.pack(form, *[0] * 10)
    for name, kind in (*sections.items(), (".shstrtab", SHT_STRTAB)):
        place = len(names)
        names += name.encode() + b"\0"
        is_last = name == ".shstrtab"
        fields = (at, len(names)) if is_last else (0, 0)
        headers += struct.pack(form, place, kind, flags, 0, *fields, 0, 0, 1, 0)
    return names, headers, len(sections) + 2
