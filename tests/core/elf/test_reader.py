"""The strict ELF reader: facts of good files, refusal of the others."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from doit_cargo.core.elf.numbers import (
    DF_1_NOW,
    DF_1_PIE,
    DF_BIND_NOW,
    DT_BIND_NOW,
    DT_FLAGS,
    DT_FLAGS_1,
    DT_NEEDED,
    DT_RPATH,
    DT_RUNPATH,
    DT_STRSZ,
    DT_STRTAB,
    ET_DYN,
    ET_EXEC,
    ET_REL,
    PF_R,
    PF_W,
    PF_X,
    PT_DYNAMIC,
    PT_GNU_RELRO,
    PT_INTERP,
    PT_LOAD,
    PT_NULL,
    PT_TLS,
    SHF_ALLOC,
    SHT_NOBITS,
    SHT_SYMTAB,
)  # fmt: skip
from doit_cargo.core.elf.reader import ElfError, Facts, as_dict, read
from helpers import elf_files
from helpers.elf_files import Seg, elf, poke_header, poke_section, poke_segment

GOOD = elf()
# The program headers of GOOD, by number.
LOAD, DYNAMIC, RELRO, STACK = range(4)


def test_a_static_pie_gives_all_its_facts() -> None:
    facts = read(GOOD)

    assert facts == Facts(
        machine=62, elf_class=64, little_endian=True, os_abi=0, file_type=ET_DYN, interp=None,
        needed=(), pie=True, gnu_stack=(6,), relro="full", relro_gaps=(),
        wx_segments=0, textrel=False, load_faults=(), overlay=0, rpath=None, runpath=None,
        filters=(), entry=facts.entry, entry_executable=True, stripped=True, size=len(GOOD),
    )  # fmt: skip
    assert (facts.machine_name, facts.type_name) == ("x86_64", "DYN")


def test_a_memoryview_reads_as_bytes_do() -> None:
    assert read(memoryview(GOOD)) == read(GOOD)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
def test_both_classes_and_both_byte_orders_are_read(bits: int, order: str) -> None:
    """A file for another machine gives facts, so that the policy can say what it is."""
    strings = b"\0libc.so.6\0/opt/lib\0"
    dynamic = [(DT_NEEDED, 1), (DT_RUNPATH, 11), (DT_FLAGS, DF_BIND_NOW)]
    facts = read(
        elf(
            bits=bits, order=order, machine=22, dynamic=dynamic, strings=strings,
            interp=b"/lib/ld.so\0", os_abi=3,
        )
    )  # fmt: skip

    assert (facts.elf_class, facts.little_endian) == (bits, order == "<")
    assert (facts.machine_name, facts.os_abi, facts.pie) == ("s390x", 3, True)
    assert (facts.interp, facts.needed, facts.runpath) == ("/lib/ld.so", ("libc.so.6",), "/opt/lib")
    assert facts.relro == "full"


def test_facts_survive_json() -> None:
    """A record read back equals the one that was written."""
    found = as_dict(read(elf(dynamic=[(DT_NEEDED, 1)], strings=b"\0a.so\0")))

    assert json.loads(json.dumps(found)) == found


def test_unknown_machines_and_types_are_named_by_number() -> None:
    facts = read(elf(machine=9999, kind=0xFE00))

    assert (facts.machine_name, facts.type_name) == ("machine 9999", "type 0xfe00")


@pytest.mark.parametrize(
    ("dynamic", "relro", "expected"),
    [
        ([(DT_BIND_NOW, 0)], 1, "full"),
        ([(DT_FLAGS, DF_BIND_NOW)], 1, "full"),
        ([(DT_FLAGS_1, DF_1_NOW)], 1, "full"),
        ([], 1, "partial"),
        ([(DT_FLAGS_1, DF_1_NOW)], None, "none"),
        ([(DT_FLAGS_1, DF_1_NOW)], 0, "none"),
        (None, 1, "n/a"),
    ],
)
def test_relro_is_full_only_with_the_segment_and_binding_at_start(
    dynamic: list[tuple[int, int]] | None, relro: int | None, expected: str
) -> None:
    assert read(elf(dynamic=dynamic, relro=relro)).relro == expected


@pytest.mark.parametrize(
    ("kind", "flags", "interp", "expected"),
    [
        (ET_DYN, DF_1_PIE, None, True),
        (ET_DYN, 0, b"/lib/ld.so\0", True),
        (ET_DYN, 0, None, False),
        (ET_EXEC, DF_1_PIE, None, False),
    ],
)
def test_pie_is_dyn_with_an_interpreter_or_the_flag(
    kind: int, flags: int, interp: bytes | None, expected: bool
) -> None:
    assert read(elf(kind=kind, dynamic=[(DT_FLAGS_1, flags)], interp=interp)).pie is expected


def test_every_stack_segment_is_told() -> None:
    """The kernel heeds the last one: a second, executable one must not hide behind the first."""
    assert read(elf(stacks=(6, 7))).gnu_stack == (6, 7)


def test_writable_code_is_counted() -> None:
    assert read(elf(load_flags=PF_R | PF_W | PF_X)).wx_segments == 1


def test_rpath_and_runpath_are_told() -> None:
    facts = read(elf(dynamic=[(DT_RPATH, 1), (DT_RUNPATH, 3)], strings=b"\0a\0b\0"))

    assert (facts.rpath, facts.runpath) == ("a", "b")


@pytest.mark.parametrize(
    ("entry", "flags", "expected"),
    [(None, PF_R | PF_X, True), (None, PF_R, False), (0xFFFF, PF_R | PF_X, False)],
)
def test_the_entry_must_be_in_executable_bytes(
    entry: int | None, flags: int, expected: bool
) -> None:
    assert read(elf(entry=entry, load_flags=flags)).entry_executable is expected


def test_an_entry_in_memory_without_bytes_is_not_executable() -> None:
    size = len(GOOD)
    data = poke_segment(elf(entry=size + 8), LOAD, "p_memsz", size + 4096)

    assert read(data).entry_executable is False


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({}, True),
        ({".symtab": SHT_SYMTAB}, False),
        ({".renamed": SHT_SYMTAB}, False),
        ({".debug_info": 1}, False),
        ({".zdebug_line": 1}, False),
        ({".debug_gdb_scripts": SHT_NOBITS}, False),
        ({".text": 1}, True),
    ],
)
def test_stripped_is_without_symbols_and_debug_sections(
    sections: dict[str, int], expected: bool
) -> None:
    assert read(elf(sections=sections)).stripped is expected


def test_a_loaded_section_is_no_debug_information() -> None:
    """Rustc leaves `.debug_gdb_scripts` in the program, which strip keeps."""
    data = elf(sections={".debug_gdb_scripts": 1}, section_flags=SHF_ALLOC)

    assert read(data).stripped is True


def test_a_file_without_section_headers_is_read() -> None:
    data = GOOD
    for field in ("e_shoff", "e_shnum", "e_shstrndx"):
        data = poke_header(data, field, 0)

    assert read(data).stripped is True


def test_an_object_file_gives_facts_though_it_cannot_run() -> None:
    data = elf(kind=ET_REL, dynamic=None, relro=None, stacks=())
    data = poke_header(poke_header(data, "e_phnum", 0), "e_phoff", 0)

    assert read(data).type_name == "REL"


def test_an_unused_program_header_may_hold_anything() -> None:
    junk = Seg(type=PT_NULL, offset=1 << 40, filesz=9, memsz=1, align=3)

    assert read(elf(more=[junk])).pie


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda _: b"", "too few"),
        (lambda d: d[:15], "too few"),
        (lambda d: d[:63], "too few"),
        (lambda d: b"#!/bin/sh\n" + d, "magic"),
        (lambda d: poke_header(d, "EI_CLASS", 1), "EI_CLASS or EI_DATA is false"),
        (lambda d: poke_header(d, "EI_CLASS", 3), "EI_CLASS is 3"),
        (lambda d: poke_header(d, "EI_CLASS", 0), "EI_CLASS is 0"),
        (lambda d: poke_header(d, "EI_DATA", 2), "e_version"),
        (lambda d: poke_header(d, "EI_DATA", 0), "EI_DATA is 0"),
        (lambda d: poke_header(d, "EI_VERSION", 2), "EI_VERSION"),
        (lambda d: poke_header(d, "e_version", 0), "e_version"),
        (lambda d: poke_header(d, "e_ehsize", 52), "e_ehsize"),
        (lambda d: poke_header(d, "e_phentsize", 32), "program header has 32"),
        (lambda d: poke_header(d, "e_phnum", 0), "has an offset, but no entries"),
        (lambda d: poke_header(d, "e_phnum", 0xFFFF), "PN_XNUM"),
        (lambda d: poke_header(d, "e_phnum", 0xFFFE), "program header table ends"),
        (lambda d: poke_header(d, "e_phoff", len(d)), "program header table ends"),
        (lambda d: poke_header(d, "e_phoff", (1 << 64) - 1), "program header table ends"),
        (lambda d: poke_header(d, "e_phoff", 0), "inside the ELF header"),
        (lambda d: poke_header(d, "e_shentsize", 40), "section header has 40"),
        (lambda d: poke_header(d, "e_shnum", 0xFF00), "reserved"),
        (lambda d: poke_header(d, "e_shnum", 9), "section header table ends"),
        (lambda d: poke_header(d, "e_shnum", 0), "has an offset, but no entries"),
        (lambda d: poke_header(d, "e_shoff", 8), "inside the ELF header"),
        (lambda d: poke_header(d, "e_shstrndx", 2), "e_shstrndx is 2"),
        (lambda d: poke_header(d, "e_shstrndx", 0xFFFF), "e_shstrndx is 65535"),
        (lambda d: poke_segment(d, LOAD, "p_offset", 4096), "PT_LOAD ends"),
        (lambda d: poke_segment(d, LOAD, "p_filesz", len(d) + 1), "PT_LOAD ends"),
        (lambda d: poke_segment(d, LOAD, "p_filesz", 1 << 63), "PT_LOAD ends"),
        (lambda d: poke_segment(d, LOAD, "p_memsz", 8), "p_filesz is more than p_memsz"),
        (lambda d: poke_segment(d, LOAD, "p_vaddr", (1 << 64) - 4096), "two places"),
        (lambda d: poke_segment(d, LOAD, "p_align", 3), "power of two"),
        (lambda d: poke_segment(d, LOAD, "p_vaddr", 1), "differ modulo"),
        (lambda d: poke_segment(d, LOAD, "p_type", PT_NULL), "no PT_LOAD"),
        (lambda d: poke_segment(d, STACK, "p_align", 7), "power of two"),
        (lambda d: poke_segment(d, STACK, "p_type", PT_DYNAMIC), "more than one PT_DYNAMIC"),
        (lambda d: poke_segment(d, STACK, "p_type", PT_GNU_RELRO), "more than one PT_GNU_RELRO"),
        (lambda d: poke_segment(d, DYNAMIC, "p_vaddr", 0x100), "two places"),
        (lambda d: poke_segment(d, DYNAMIC, "p_filesz", 16), "no DT_NULL"),
        (lambda d: poke_segment(d, DYNAMIC, "p_filesz", 0), "no DT_NULL"),
        (lambda d: poke_section(d, 0, "sh_type", 1), "section 0"),
        (lambda d: poke_section(d, 1, "sh_type", 1), "not a string table"),
        (lambda d: poke_section(d, 1, "sh_size", 0), "names is empty"),
        (lambda d: poke_section(d, 1, "sh_size", 9), "section name: no end"),
        (lambda d: poke_section(d, 1, "sh_size", 1 << 32), "section 1 ends"),
        (lambda d: poke_section(d, 1, "sh_name", 99), "outside its string table"),
        (lambda d: poke_section(d, 1, "sh_addralign", 6), "power of two"),
    ],
)
def test_a_header_that_contradicts_itself_is_refused(
    make: Callable[[bytes], bytes], reason: str
) -> None:
    with pytest.raises(ElfError, match=reason):
        read(make(GOOD))


@pytest.mark.parametrize(
    ("segment", "reason"),
    [
        (Seg(type=PT_LOAD, vaddr=8, align=1), "overlap"),
        (Seg(type=PT_LOAD, vaddr=0, align=1, memsz=0), "overlap"),
        (Seg(type=PT_TLS, memsz=1, vaddr=(1 << 64) - 1), None),
        (Seg(type=PT_TLS, memsz=2, vaddr=(1 << 64) - 1), "leaves the address space"),
        (Seg(type=PT_INTERP, filesz=1), "PT_INTERP of 1 bytes"),
        (Seg(type=PT_INTERP, filesz=4), "does not end with NUL"),
        (Seg(type=0x70000001, offset=1 << 20, filesz=1), "segment of type 0x70000001 ends"),
    ],
)
def test_a_segment_that_breaks_a_rule_is_refused(segment: Seg, reason: str | None) -> None:
    data = elf(more=[segment])
    if reason is None:
        read(data)
        return
    with pytest.raises(ElfError, match=reason):
        read(data)


def test_loads_out_of_order_are_refused() -> None:
    later = Seg(type=PT_LOAD, vaddr=1 << 20)
    earlier = Seg(type=PT_LOAD, vaddr=1 << 16)

    assert read(elf(more=[earlier, later]))
    with pytest.raises(ElfError, match="ascending"):
        read(elf(more=[later, earlier]))


def test_two_interpreters_are_refused() -> None:
    second = Seg(type=PT_INTERP, filesz=4)

    with pytest.raises(ElfError, match="more than one PT_INTERP"):
        read(elf(interp=b"/lib/ld.so\0", more=[second]))


def test_an_interpreter_longer_than_a_path_is_refused() -> None:
    with pytest.raises(ElfError, match="PT_INTERP of 4097 bytes"):
        read(elf(interp=b"/" * 4096 + b"\0"))


@pytest.mark.parametrize(
    ("dynamic", "reason"),
    [
        ([(DT_NEEDED, 99)], "DT_NEEDED: offset 99"),
        ([(DT_NEEDED, 1 << 63)], "outside its string table"),
        ([(DT_RPATH, 1)], "DT_RPATH: no end"),
        ([(DT_FLAGS_1, 0), (DT_FLAGS_1, 1)], "more than one DT_FLAGS_1"),
        ([(DT_RUNPATH, 0), (DT_RUNPATH, 0)], "more than one DT_RUNPATH"),
        ([(DT_STRTAB, 0)], "more than one DT_STRTAB"),
    ],
)
def test_a_dynamic_section_that_contradicts_itself_is_refused(
    dynamic: list[tuple[int, int]], reason: str
) -> None:
    with pytest.raises(ElfError, match=reason):
        read(elf(dynamic=dynamic, strings=b"\0x"))


def test_strings_outside_the_loaded_bytes_are_refused() -> None:
    data = elf(dynamic=[(DT_NEEDED, 0)])
    size_entry = b"".join(n.to_bytes(8, "little") for n in (DT_STRSZ, 1))
    forged = data.replace(size_entry, size_entry[:8] + (1 << 40).to_bytes(8, "little"))

    with pytest.raises(ElfError, match="not inside a PT_LOAD"):
        read(forged)


def test_names_without_a_string_table_are_refused() -> None:
    data = elf(dynamic=[(DT_NEEDED, 0)]).replace(
        DT_STRTAB.to_bytes(8, "little"), (0x6FFF0000).to_bytes(8, "little")
    )

    with pytest.raises(ElfError, match="names no string table"):
        read(data)


def test_a_forged_string_table_costs_little() -> None:
    """Thousands of names that each run over a huge table are refused, not read."""
    dynamic = [(DT_NEEDED, 0)] * 50_000

    with pytest.raises(ElfError, match="longer than 4096 bytes"):
        read(elf(dynamic=dynamic, strings=b"x" * 2_000_000 + b"\0"))


def test_a_forged_dynamic_section_costs_little() -> None:
    with pytest.raises(ElfError, match="in its first 65536 entries"):
        read(elf(dynamic=[(1 << 40, 0)] * 70_000))


def test_every_truncation_of_a_small_file_is_refused() -> None:
    accepted = [size for size in range(len(GOOD)) if not _refused(GOOD[:size])]

    assert accepted == []


@pytest.mark.parametrize("path", elf_files.system_files(20), ids=str)
def test_truncations_of_real_files_are_refused(path: Path) -> None:
    data = path.read_bytes()
    rng = random.Random(len(data))  # noqa: S311 - a fixed seed is the point
    points = {0, 1, 16, 63, 64, 400, len(data) - 1} | {rng.randrange(len(data)) for _ in range(50)}

    assert [size for size in sorted(points) if not _refused(data[:size])] == []


@pytest.mark.parametrize("seed", range(4))
def test_mutants_give_facts_or_a_refusal(seed: int) -> None:
    """Whatever the bytes, the reader ends, and with nothing but its own error."""
    real = elf_files.system_files(20)[seed].read_bytes()
    base = elf(dynamic=[(DT_NEEDED, 1)], strings=b"\0libc.so\0") if seed % 2 else real
    outcomes = [_refused(mutant) for mutant in elf_files.mutants(base, 1500, seed)]

    assert any(outcomes)
    assert not all(outcomes)


def _refused(data: bytes | memoryview) -> bool:
    try:
        read(data)
    except ElfError as error:
        return bool(str(error))
    return False
