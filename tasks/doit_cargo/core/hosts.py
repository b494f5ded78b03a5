"""The machine that builds, as a value: all that differs between Linux and macOS, Intel and Arm.

What has to be known of a host is asked here, by its triple, so that a plan for another machine can
be made (and tested) on this one.
"""

from __future__ import annotations

import os
from contextlib import suppress

from doit_cargo.core import architectures

_MUSL_LOADERS = "/lib/ld-musl-{}.so.1"
_MACHINES = {"arm64": "aarch64", "amd64": "x86_64"}
LINKER = "cc"  # links build scripts and macros, on every host

EMULATORS = "apt-get install qemu-user-static (runs them here)"
_SYSTEMS = ("apple-darwin", "unknown-linux-gnu", "unknown-linux-musl")
_HOSTS = tuple(f"{machine}-{system}" for machine in _MACHINES.values() for system in _SYSTEMS)
_XCODE = "xcode-select --install"


def this_host(system: str = "", machine: str = "") -> str:
    """The triple of this machine, or of the one whose `uname` words are given."""
    known = os.uname()
    system, machine = system or known.sysname, machine or known.machine
    machine = _MACHINES.get(machine, machine)
    if system == "Darwin":
        return f"{machine}-apple-darwin"
    libc = "musl" if os.path.exists(_MUSL_LOADERS.format(machine)) and not _is_glibc() else "gnu"
    return f"{machine}-unknown-linux-{libc}"


def _is_glibc() -> bool:
    """Whether this Python runs on glibc: Debian's musl-tools bring musl's loader as well."""
    with suppress(ValueError, OSError):  # musl knows no such name
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    return False


def compiler_host(toolchain: str | None, host: str) -> str:
    """The host that a rustup toolchain was built for, which its name ends with.

    Not always this one: Intel's runs on Apple's processors too.
    """
    named = (triple for triple in _HOSTS if (toolchain or "").endswith(triple))
    return next(named, host)


def is_linux(host: str) -> bool:
    """Whether it runs Linux: its own binaries are then those that we make, and apt may be there."""
    return "-linux-" in host


def linker_remedy(host: str) -> str:
    """The command that brings `cc`. macOS has a `cc` that only asks for these tools."""
    return "doit setup" if is_linux(host) else _XCODE


def get_linker(host: str) -> str:
    """What to do for `cc` where no package manager that we know can do it."""
    return "install gcc or clang" if is_linux(host) else f"run: {_XCODE}"


def emulator(host: str, triple: str) -> str:
    """The program that runs a target's binaries; "" if none is needed or known.

    On macOS nothing runs a Linux binary but a container engine.
    """
    return architectures.emulator(triple, host) if is_linux(host) else ""
