"""What a memory map says of RELRO: real ones, shortened."""

from __future__ import annotations

import pytest

from doit_cargo.core.elf import mapped
from doit_cargo.core.elf.numbers import ET_EXEC, PF_R, PF_W, PT_LOAD
from helpers.elf_files import Seg, elf

PROGRAM = "/app/service"
# PT_GNU_RELRO from 0x20000 to 0x22000, in a writable PT_LOAD that goes on behind it.
DATA = Seg(type=PT_LOAD, flags=PF_R | PF_W, vaddr=0x20000, filesz=16, memsz=0x5000, align=4096)
PIE = """\
7f0000000000-7f0000001000 r--p 00000000 00:2a 77   /app/service
7f0000001000-7f0000002000 r-xp 00001000 00:2a 77   /app/service
7f0000020000-7f0000022000 {}  00002000 00:2a 77   /app/service
7f0000022000-7f0000025000 rw-p 00000000 00:00 0
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0    [stack]
"""


def executable(relro: int | None = 0x2000, kind: int = 3) -> bytes:
    """Its PT_GNU_RELRO begins where the data does."""
    data = bytearray(elf(kind=kind, relro=relro, more=[DATA]))
    if relro is not None:
        at = 64 + 56 * 2  # after PT_LOAD and PT_DYNAMIC
        data[at + 16 : at + 24] = (0x20000).to_bytes(8, "little")
    return bytes(data)


def found(maps: str, data: bytes | None = None, page: int = 4096) -> str:
    data = executable() if data is None else data
    return mapped.relro(data, maps, program=PROGRAM, page=page)


@pytest.mark.parametrize(("flags", "expected"), [("r--p", "read-only"), ("rw-p", "writable")])
def test_the_range_is_found_where_the_program_lies(flags: str, expected: str) -> None:
    assert found(PIE.format(flags)) == expected


@pytest.mark.parametrize("path", ["/var/lib/overlay/app/service", "/app/service (deleted)"])
def test_the_program_may_be_seen_from_elsewhere(path: str) -> None:
    maps = PIE.format("rw-p").replace("/app/service", path)

    assert found(maps) == ("unseen" if "deleted" in path else "writable")


def test_a_page_of_the_range_that_is_writable_is_enough() -> None:
    """Part of it may be memory without a file."""
    half = PIE.format("r--p").replace("7f0000022000-", "7f0000021000-")

    assert found(half) == "writable"


def test_at_a_fixed_address() -> None:
    maps = "0-1000 r--p 00000000 00:2a 77 /app/service\n20000-22000 rw-p 0 0:0 0\n"

    assert found(maps, executable(kind=ET_EXEC)) == "writable"
    assert found(maps.replace("rw-p", "r--p"), executable(kind=ET_EXEC)) == "read-only"


@pytest.mark.parametrize("maps", ["", "0-1000 r--p 00000000 00:2a 77 /usr/bin/qemu\n"])
def test_a_program_that_is_not_there_is_not_seen(maps: str) -> None:
    assert found(maps) == "unseen"


@pytest.mark.parametrize(("relro", "page"), [(None, 4096), (0xFFF, 4096), (0x2000, 65536)])
def test_without_a_whole_page_there_is_nothing_to_protect(relro: int | None, page: int) -> None:
    assert found(PIE.format("rw-p"), executable(relro), page) == "none"
