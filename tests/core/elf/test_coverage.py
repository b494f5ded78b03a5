"""What is mapped, protected and left over: one case for each fault, and its nearest good one."""

from __future__ import annotations

import struct

import pytest

from doit_cargo.core.elf.numbers import (
    DF_1_NOW,
    DF_1_PIE,
    DT_FLAGS_1,
    DT_PLTGOT,
    PF_R,
    PF_W,
    PF_X,
    PT_LOAD,
    PT_NULL,
    PT_TLS,
    SHF_ALLOC,
    SHT_NOBITS,
)
from doit_cargo.core.elf.reader import read
from helpers.elf_files import HEADER, SEGMENT, Seg, elf, poke_header, poke_section, poke_segment

NOW = (DT_FLAGS_1, DF_1_NOW | DF_1_PIE)
BASE, READ_ONLY = 0x10000, 0x20000
DYNAMIC = 1  # where `elf` puts PT_DYNAMIC


def load(**fields: int) -> Seg:
    """A second PT_LOAD far above the first, a page of good alignment."""
    return Seg(type=PT_LOAD, **{"vaddr": BASE, "filesz": 8, "align": 4096} | fields)


@pytest.mark.parametrize(
    ("more", "faults"),
    [
        ([], ()),
        ([load()], ()),
        ([load(memsz=4096), load(vaddr=BASE + 4096)], ()),
        ([load(memsz=4097), load(vaddr=BASE + 4097, offset=1, align=1)], ("align", "page")),
        ([load(memsz=4160), load(vaddr=BASE + 4160, offset=64)], ("page",)),
        ([load(align=2048)], ("align",)),
        ([load(align=0)], ("align",)),
        ([load(offset=16, align=16)], ("align", "offset")),
        ([load(filesz=0)], ("empty",)),
        ([load(filesz=0, memsz=64)], ()),
        ([Seg(type=PT_TLS, offset=64, filesz=8)], ()),
        ([Seg(type=PT_TLS, offset=64, memsz=4096)], ()),
        ([Seg(type=PT_TLS, offset=64, vaddr=0x90000, filesz=8)], ("outside",)),
        ([Seg(type=PT_TLS, offset=64, vaddr=72, filesz=8)], ("outside",)),
    ],
)
def test_what_would_be_mapped_otherwise_is_told(more: list[Seg], faults: tuple[str, ...]) -> None:
    assert read(elf(more=more)).load_faults == faults


@pytest.mark.parametrize(
    ("relro", "dynamic", "gaps"),
    [
        (4096, [NOW], ()),
        (512, [NOW], ("dynamic",)),
        (4096, [NOW, (DT_PLTGOT, BASE)], ("got",)),
        (4096, [NOW, (DT_PLTGOT, READ_ONLY)], ()),
        (512, [NOW, (DT_PLTGOT, BASE)], ("dynamic", "got")),
        (BASE + 4096, [NOW, (DT_PLTGOT, BASE)], ()),
        (None, [NOW], ()),
        (512, None, ()),
    ],
)
def test_what_no_whole_page_of_relro_holds_is_told(
    relro: int | None, dynamic: list[tuple[int, int]] | None, gaps: tuple[str, ...]
) -> None:
    more = [load(flags=PF_R | PF_W), load(vaddr=READ_ONLY)]

    assert read(elf(load_flags=6, relro=relro, dynamic=dynamic, more=more)).relro_gaps == gaps


@pytest.mark.parametrize(
    ("size", "flags", "gaps"),
    [
        (4096, PF_R | PF_W, ()),
        (BASE, PF_R | PF_W, ("dynamic",)),
        (1 << 63, PF_R | PF_W, ("dynamic",)),
        (1 << 63, PF_R, ()),
    ],
)
@pytest.mark.parametrize("first", [PF_R, PF_R | PF_W])
def test_each_page_that_a_table_touches_counts(
    first: int, size: int, flags: int, gaps: tuple[str, ...]
) -> None:
    """The first page of `.dynamic` is protected or read-only, a later one in another PT_LOAD."""
    data = elf(load_flags=first, relro=4096, dynamic=[NOW], more=[load(flags=flags)])

    assert read(poke_segment(data, DYNAMIC, "p_memsz", size)).relro_gaps == gaps


def test_a_table_beside_a_segment_on_a_page_of_it_can_be_written() -> None:
    data = elf(load_flags=6, relro=4096, dynamic=[NOW, (DT_PLTGOT, BASE + 4095)])
    more = elf(
        load_flags=6,
        relro=4096,
        dynamic=[NOW, (DT_PLTGOT, BASE + 4095)],
        more=[load(flags=PF_R | PF_W)],
    )

    assert read(data).relro_gaps == ()
    assert read(more).relro_gaps == ("got",)


@pytest.mark.parametrize("name", [".got", ".got.plt"])
@pytest.mark.parametrize(("address", "gaps"), [(BASE, ("got",)), (0, ()), (READ_ONLY, ())])
def test_a_got_that_sections_alone_name_counts(
    name: str, address: int, gaps: tuple[str, ...]
) -> None:
    more = [load(flags=PF_R | PF_W), load(vaddr=READ_ONLY)]
    data = elf(load_flags=6, relro=4096, more=more, sections={name: 1}, section_flags=SHF_ALLOC)
    data = poke_section(poke_section(data, 1, "sh_size", 8), 1, "sh_addr", address)

    assert read(data).relro_gaps == gaps


@pytest.mark.parametrize(
    ("tail", "size"),
    [(b"", 0), (bytes(15), 0), (bytes(16), 16), (b"\1", 1), (b"PK" + bytes(30), 32)],
)
def test_what_is_appended_is_counted(tail: bytes, size: int) -> None:
    assert read(elf() + tail).overlay == size
    assert read(elf(order=">", bits=32) + tail).overlay == size


@pytest.mark.parametrize(
    ("gap", "after_code", "after_data"),
    [
        (bytes(5000), 0, 0),
        (b"\xcc" * 4000, 0, 4000),
        (b"\x20\x00\x20\xd4" * 100, 0, 400),
        (b"\x90" + b"\xcc" * 400, 401, 401),
        (b"\xcc" * 70_000, 70_000, 70_000),
        (b"hidden", 6, 6),
    ],
)
def test_what_lies_between_is_padding_or_counted(
    gap: bytes, after_code: int, after_data: int
) -> None:
    assert read(wedged(gap, PF_R | PF_X)).overlay == after_code
    assert read(wedged(gap, PF_R)).overlay == after_data


def test_the_null_segment_and_sections_without_bytes_cover_nothing() -> None:
    data = elf(more=[Seg(type=PT_NULL, offset=0, filesz=1 << 20)], sections={".bss": SHT_NOBITS})
    data = poke_section(data, 1, "sh_size", 1 << 20)

    assert read(data + b"hidden").overlay == 6


def wedged(gap: bytes, flags: int) -> bytes:
    """A file with bytes between its PT_LOAD and the names of its sections."""
    data = elf(load_flags=flags)
    (end,) = struct.unpack_from("<Q", data, 64 + SEGMENT["p_filesz"])
    (table,) = struct.unpack_from("<Q", data, HEADER["e_shoff"])
    data = poke_section(data, 1, "sh_offset", end + len(gap))
    data = poke_header(data, "e_shoff", table + len(gap))
    return data[:end] + gap + data[end:]
