"""The strict reader and pyelftools, which share no code, see the same in whatever ours accepts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from doit_cargo.core.elf.numbers import (
    DF_1_NOW,
    DF_1_PIE,
    DF_BIND_NOW,
    DT_FLAGS,
    DT_FLAGS_1,
    DT_NEEDED,
    DT_RPATH,
    DT_RUNPATH,
    ET_EXEC,
    SHT_SYMTAB,
)
from doit_cargo.core.elf.reader import ElfError, as_dict, read
from helpers import elf_files, elf_oracle
from helpers.elf_files import elf

FULL = [
    (DT_NEEDED, 1), (DT_RPATH, 9), (DT_RUNPATH, 11), (DT_FLAGS, DF_BIND_NOW),
    (DT_FLAGS_1, DF_1_NOW | DF_1_PIE),
]  # fmt: skip


def made(bits: int, order: str) -> dict[str, bytes]:
    """A static PIE, an executable at a fixed address, and one with all that a file can have."""
    return {
        "static-pie": elf(bits=bits, order=order),
        "static": elf(bits=bits, order=order, kind=ET_EXEC, dynamic=None),
        "dynamic": elf(
            bits=bits, order=order, dynamic=FULL, strings=b"\0libc.so\0a\0b/c\0",
            interp=b"/lib/ld.so\0", sections={".debug_x": 1, ".symtab": SHT_SYMTAB},
        ),
    }  # fmt: skip


def agreed(files: Iterable[bytes | memoryview]) -> tuple[int, int]:
    """How many were refused and how many accepted; the oracle says the same of these."""
    refused = accepted = 0
    for data in files:
        try:
            found = as_dict(read(data))
        except ElfError:
            refused += 1
            continue
        assert found == elf_oracle.facts(data)
        accepted += 1
    return refused, accepted


@pytest.mark.parametrize("name", made(64, "<"))
@pytest.mark.parametrize("order", "<>", ids=["little", "big"])
@pytest.mark.parametrize("bits", [32, 64])
def test_mutants_give_the_oracles_facts_or_a_refusal(bits: int, order: str, name: str) -> None:
    refused, accepted = agreed(elf_files.mutants(made(bits, order)[name], 300, 7))

    assert refused > 50
    assert accepted > 50


@pytest.mark.parametrize("seed", range(4))
def test_odd_files_give_the_oracles_facts_or_a_refusal(seed: int) -> None:
    refused, accepted = agreed(elf_files.odd_files(1000, seed))

    assert refused > 500
    assert accepted > 150


@pytest.mark.parametrize("path", elf_files.system_files(20), ids=str)
def test_mutants_of_real_files_give_the_oracles_facts_or_a_refusal(path: Path) -> None:
    data = path.read_bytes()

    assert agreed([data]) == (0, 1)
    refused, accepted = agreed(elf_files.mutants(data, 40, 3))
    assert refused + accepted == 40
    assert accepted > 0
