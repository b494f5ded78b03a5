"""Makes small ELF files field by field, and finds real ones on this system."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from doit_cargo.core.elf.numbers import (
    DF_1_NOW,
    DF_1_PIE,
    DF_BIND_NOW,
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
    ET_DYN,
    ET_EXEC,
    ET_REL,
    PF_R,
    PF_W,
    PF_X,
    PT_DYNAMIC,
    PT_GNU_RELRO,
    PT_GNU_STACK,
    PT_INTERP,
    PT_LOAD,
    PT_NULL,
    PT_PHDR,
    PT_TLS,
    SHF_ALLOC,
    SHT_STRTAB,
    SHT_SYMTAB,
)  # fmt: skip
from doit_cargo.core.elf.reader import OWN, as_dict, read

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
SECTION = {
    "sh_name": 0,
    "sh_type": 4,
    "sh_addr": 16,
    "sh_offset": 24,
    "sh_size": 32,
    "sh_addralign": 48,
}

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

    One PT_LOAD maps all before the names of the sections to its own offset. The string table
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


def asked(data: bytes | memoryview) -> dict[str, Any]:
    """The facts that LIEF is asked for, by the strict reader."""
    return {k: v for k, v in as_dict(read(data)).items() if k not in OWN}


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
    order, wide = "<>"[data[5] - 1], data[4] == 2  # EI_DATA, EI_CLASS
    (at,) = struct.unpack_from(order + ("Q" if wide else "I"), data, 40 if wide else 32)
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


def odd_files(count: int, seed: int) -> Iterator[bytes]:
    """Files put together at random of what decides rules, up to two of their fields changed.

    Where `mutants` mostly hit what nobody looks at, these hit types, flags, tags and addresses.
    """
    rng = random.Random(seed)  # noqa: S311 - to be repeated
    for _ in range(count):
        bits, order = rng.choice((32, 64)), rng.choice("<>")
        changed = bytearray(_odd_file(rng, bits, order))
        fields = _fields(changed, bits, order)
        for _ in range(rng.randrange(3)):
            offset, form, values = rng.choice(fields)
            (old,) = struct.unpack_from(form, changed, offset)
            near = (old + 1, old - 1, old + 8, old - 8, old + 4096, 0, 1, 64, len(changed))
            value = rng.choice(values or near) % (1 << 8 * struct.calcsize(form))
            struct.pack_into(form, changed, offset, value)
        yield bytes(changed)


_STRINGS = (b"\0", b"\0libc.so\0a\0\xff\0", b"\0x\0y\0libfoo.so.1\0")
_INTERPRETERS = (None, b"/lib/ld.so\0", b"/a\0b\0", b"\xff\xfe\0", b"\0\0")
_SEGMENT_TYPES = (
    PT_NULL, PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_PHDR, PT_TLS, PT_GNU_STACK, PT_GNU_RELRO,
)  # fmt: skip
_TAGS = (
    DT_NULL, DT_NEEDED, DT_STRTAB, DT_STRSZ, DT_RPATH, DT_BIND_NOW, DT_RUNPATH, DT_FLAGS,
    DT_FLAGS_1, DT_PLTGOT, DT_TEXTREL, DT_FILTER, DT_AUXILIARY, DT_AUDIT, DT_DEPAUDIT, 7,
)  # fmt: skip
_TAG_VALUES = (0, 1, 3, 4, DF_BIND_NOW, 9, 10, 11, DF_1_PIE, DF_1_PIE | DF_1_NOW)


def _odd_file(rng: random.Random, bits: int, order: str) -> bytes:
    dynamic = [(rng.choice(_TAGS), rng.choice(_TAG_VALUES)) for _ in range(rng.randrange(6))]
    more = [
        Seg(
            type=rng.choice(_SEGMENT_TYPES), flags=rng.randrange(8),
            offset=rng.choice((0, 64, 0x1000)), vaddr=rng.choice((None, 0, 0x1000, 0x100000)),
            filesz=rng.choice((0, 1, 8, 16)), memsz=rng.choice((None, 0, 16)),
            align=rng.choice((0, 1, 4096)),
        )
        for _ in range(rng.randrange(3))
    ]  # fmt: skip
    return elf(
        bits=bits, order=order, machine=rng.choice((3, 22, 62, 183)),
        kind=rng.choice((ET_REL, ET_EXEC, ET_DYN)), load_flags=rng.randrange(8),
        stacks=[rng.randrange(8) for _ in range(rng.randrange(3))],
        relro=rng.choice((None, 0, 1)), interp=rng.choice(_INTERPRETERS),
        dynamic=rng.choice((None, dynamic, dynamic)), strings=rng.choice(_STRINGS), more=more,
        sections=rng.choice((None, {".debug_x": 1}, {".x": SHT_SYMTAB}, {".text": 1})),
        section_flags=rng.choice((0, SHF_ALLOC)),
    )  # fmt: skip


def _fields(
    data: bytes | bytearray, bits: int, order: str
) -> list[tuple[int, str, Sequence[int] | None]]:
    """The fields of the header and the segments: offset, format, and which values mean anything."""
    wide = bits == 64
    word, step = (order + "Q", 8) if wide else (order + "I", 4)
    head, size, numbers = (64, 56, 56) if wide else (52, 32, 44)
    types: list[tuple[int, str, Sequence[int] | None]] = [
        (16, order + "H", range(5)), (18, order + "H", (3, 8, 62, 183, 243)),
    ]  # fmt: skip
    fields = types + [(24 + step * index, word, None) for index in range(3)]
    for index in range(struct.unpack_from(order + "H", data, numbers)[0]):
        at = head + index * size
        flags = at + (4 if wide else 24)
        rest = range(at + 8, at + 56, 8) if wide else (*range(at + 4, at + 24, 4), at + 28)
        fields += [(at, order + "I", _SEGMENT_TYPES), (flags, order + "I", range(8))]
        fields += [(offset, word, None) for offset in rest]
    return fields


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
