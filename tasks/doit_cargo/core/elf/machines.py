"""What an ELF file of a target triple must identify as: the one table of architectures."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from doit_cargo.core.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Machine(NamedTuple):
    """An architecture: its e_machine number (glibc's `elf.h`), its name here, class and order.

    `static_pie`: rustc's musl target makes static executables position-independent.
    """

    number: int
    name: str
    bits: int = 64
    little_endian: bool = True
    static_pie: bool = False


MACHINES: Mapping[str, Machine] = MappingProxyType(
    {
        "x86_64": Machine(number=62, name="x86_64", static_pie=True),
        "aarch64": Machine(number=183, name="aarch64"),
        "i586": Machine(number=3, name="i686", bits=32),
        "i686": Machine(number=3, name="i686", bits=32),
        "arm": Machine(number=40, name="arm", bits=32),
        "armv7": Machine(number=40, name="arm", bits=32),
        "riscv64gc": Machine(number=243, name="riscv"),
        "powerpc64le": Machine(number=21, name="powerpc64"),
        "s390x": Machine(number=22, name="s390x", little_endian=False, static_pie=True),
    }
)
_FOREIGN = {2: "sparc", 8: "mips", 20: "powerpc", 43: "sparc64", 50: "ia64", 258: "loongarch"}
_NAMES = {machine.number: machine.name for machine in MACHINES.values()} | _FOREIGN


def machine_of(triple: str) -> Machine:
    """Look up the first component of a triple. Raises SetupError if it is not in the table."""
    arch = triple.partition("-")[0]
    if arch not in MACHINES:
        known = ", ".join(MACHINES)
        raise SetupError(f"{triple}: no ELF identity is known for {arch}, only for {known}")
    return MACHINES[arch]


def machine_name(number: int) -> str:
    """Name an e_machine number, for messages."""
    return _NAMES.get(number, f"machine {number}")
