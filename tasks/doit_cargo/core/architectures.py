"""The architectures: one row each, with everything that depends on it.

A new one is a row here, and what the policy requires of its executables.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from doit_cargo.core.errors import SetupError


class Architecture(NamedTuple):
    """An architecture, by the first component of its target triples.

    `machine` is its e_machine (glibc's `elf.h`), `machine_name` what messages call that; `bits`
    and `little_endian` are its class and byte order. `static_pie`: rustc's musl targets make
    static executables position-independent (`static_position_independent_executables` in
    `rustc_target`'s specs). `cfg` is rustc's `target_arch`, `platform` Docker's name, `zig` the
    processor in zig's targets with the `-mcpu` that rustc's target has (none: zig's baseline).
    `flags` are patterns of gcc's flags for which zig has other words; none for those that only say
    what the target is. `qemu` is the name of qemu's linux-user emulator. `native_on` are the hosts'
    processors that run it without one, beside its own.
    """

    triple: str
    machine: int
    machine_name: str
    platform: str
    cfg: str
    zig: str
    qemu: str
    mcpu: str = ""
    flags: tuple[tuple[str, str], ...] = ()
    bits: int = 64
    little_endian: bool = True
    static_pie: bool = False
    native_on: tuple[str, ...] = ()

    @property
    def emulator(self) -> str:
        """The program that runs its executables elsewhere, as Debian names it."""
        return f"qemu-{self.qemu}-static"


_ROWS = (
    Architecture(
        "x86_64", 62, "x86_64", "linux/amd64", cfg="x86_64", zig="x86_64", qemu="x86_64",
        static_pie=True,
    ),
    Architecture(
        "aarch64", 183, "aarch64", "linux/arm64", cfg="aarch64", zig="aarch64", qemu="aarch64"
    ),
    Architecture(
        "i586", 3, "i686", "linux/386", cfg="x86", zig="x86", qemu="i386", bits=32,
        mcpu="pentium",  # rustc: pentium; zig: pentium4
        native_on=("x86_64",),
    ),
    Architecture(
        "i686", 3, "i686", "linux/386", cfg="x86", zig="x86", qemu="i386", bits=32,
        native_on=("x86_64",),
    ),
    Architecture(
        "armv7", 40, "arm", "linux/arm/v7", cfg="arm", zig="arm", qemu="arm", bits=32,
        mcpu="baseline-neon-d32",  # rustc: +v7,+vfp3d16,-neon; zig: NEON and 32 registers
        flags=(("-march=armv7-a", ""), ("-mfpu=neon*", "-mcpu=baseline")),
    ),
    Architecture(
        "arm", 40, "arm", "linux/arm/v6", cfg="arm", zig="arm", qemu="arm", bits=32,
        mcpu="generic+v6+vfp2+strict_align",  # rustc: the same; zig: ARMv7
        flags=(("-march=armv6", ""),),
    ),
    Architecture(
        "riscv64gc", 243, "riscv", "linux/riscv64", cfg="riscv64", zig="riscv64", qemu="riscv64",
        mcpu="baseline_rv64+zifencei",  # rustc: +m,+a,+f,+d,+c,+zicsr,+zifencei; zig: no zifencei
        flags=(("-march=rv64gc", ""),),
    ),
    Architecture(
        "powerpc64le", 21, "powerpc64", "linux/ppc64le", cfg="powerpc64", zig="powerpc64le",
        qemu="ppc64le",
        flags=(("-mcpu=power8", ""),),
    ),
    Architecture(
        "s390x", 22, "s390x", "linux/s390x", cfg="s390x", zig="s390x", qemu="s390x",
        mcpu="arch8",  # rustc: z10, the same; zig: arch11, with vectors
        little_endian=False, static_pie=True,
    ),
)  # fmt: skip

ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType({row.triple: row for row in _ROWS})

# Machines that no target has, for messages about foreign files.
_FOREIGN = {2: "sparc", 8: "mips", 20: "powerpc", 43: "sparc64", 50: "ia64", 258: "loongarch"}
_MACHINE_NAMES = {row.machine: row.machine_name for row in _ROWS} | _FOREIGN


def of(triple: str) -> Architecture:
    """The architecture of a target triple. Raises SetupError if there is no row for it."""
    arch = triple.partition("-")[0]
    if arch not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise SetupError(f"{triple}: the architecture {arch} is not known, only {known}")
    return ARCHITECTURES[arch]


def machine_name(number: int) -> str:
    """Name an e_machine number, for messages."""
    return _MACHINE_NAMES.get(number, f"machine {number}")


def machines_of(platform: str) -> frozenset[int]:
    """The e_machine numbers of the programs in an image for a Docker platform, whatever variant."""
    processor = platform.split("/")[1:2]
    return frozenset(row.machine for row in _ROWS if row.platform.split("/")[1:2] == processor)


def emulator(triple: str, host: str) -> str:
    """The program that runs a target's executables on a host (a triple); "" if the host does."""
    row, processor = of(triple), host.partition("-")[0]
    return "" if processor in (row.triple, *row.native_on) else row.emulator
