"""The rules that an executable must keep before it may be packaged, and the verdict on its facts.

A rule is a function of a case: it gives what it found, what it wanted and what to do about it, or
None. `RULES` is the table of contents; a level for each rule comes from the configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from doit_cargo.core.build_paths import find_build_paths
from doit_cargo.core.elf_header import ET_DYN, ET_EXEC
from doit_cargo.core.elf_layout import PF_R, PF_W, PF_X
from doit_cargo.core.machines import MACHINES, machine_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from doit_cargo.core.elf import Facts
    from doit_cargo.core.machines import Machine
    from doit_cargo.core.model import Level, Policy, Target

__all__ = [
    "DEFAULT_LEVELS", "RULES", "Violation", "default_levels", "find_build_paths", "judge",
]  # fmt: skip

# EI_OSABI of glibc's elf.h. Linux runs any; these are what linkers for Linux write.
_ABI_NAMES = MappingProxyType({0: "System V", 3: "GNU/Linux"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """A broken rule: what was found, what was wanted, and how to mend it."""

    rule: str
    level: Level
    found: str
    wanted: str
    remedy: str

    def __str__(self) -> str:
        """Put it in one line."""
        return f"{self.rule}: found {self.found}, wanted {self.wanted}: {self.remedy}"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Case:
    """Everything that a rule may look at."""

    facts: Facts
    policy: Policy
    target: Target
    machine: Machine
    name: str
    build_paths: Sequence[str]

    @property
    def again(self) -> str:
        """The remedy for a file that this build did not make."""
        return f"remove it and run: doit build:{self.target.arch}"


_Finding = tuple[str, str, str] | None


def default_levels(triple: str) -> dict[str, Level]:
    """Give the level of every rule for a target triple.

    Only some musl targets of rustc make position-independent static executables
    (`static_position_independent_executables` in `rustc_target`'s specs): elsewhere `pie` and
    `relro` are off. Raises SetupError if the architecture is not known.
    """
    return _levels(machine_of(triple))


def judge(
    facts: Facts, *, policy: Policy, target: Target, binary_name: str, build_paths: Sequence[str]
) -> tuple[Violation, ...]:
    """Hold the facts against the policy: the broken rules, in the order of `RULES`.

    `build_paths` is what `find_build_paths` found in the same bytes. Rules that are off are not
    looked at. Raises SetupError if the target's architecture is not known.
    """
    case = _Case(
        facts=facts, policy=policy, target=target, machine=machine_of(target.triple),
        name=binary_name, build_paths=build_paths,
    )  # fmt: skip
    return tuple(
        Violation(rule=rule, level=level, found=finding[0], wanted=finding[1], remedy=finding[2])
        for rule, look in _LOOKS.items()
        if (level := policy.levels[rule]) != "off" and (finding := look(case))
    )


def _machine(case: _Case) -> _Finding:
    if case.facts.machine == case.machine.number:
        return None
    return case.facts.machine_name, case.machine.name, case.again


def _class(case: _Case) -> _Finding:
    if case.facts.elf_class == case.machine.bits:
        return None
    return f"{case.facts.elf_class} bit", f"{case.machine.bits} bit", case.again


def _endianness(case: _Case) -> _Finding:
    if case.facts.little_endian == case.machine.little_endian:
        return None
    found, wanted = ("little", "big") if case.facts.little_endian else ("big", "little")
    return f"{found} endian", f"{wanted} endian", case.again


def _os_abi(case: _Case) -> _Finding:
    if case.facts.os_abi in _ABI_NAMES:
        return None
    wanted = " or ".join(f"{name} ({number})" for number, name in _ABI_NAMES.items())
    return f"EI_OSABI {case.facts.os_abi}", wanted, case.again


def _type(case: _Case) -> _Finding:
    kind, pie = case.facts.file_type, case.facts.pie
    if kind == ET_EXEC or (kind == ET_DYN and pie):
        return None
    found = "a shared object (DYN that is no PIE)" if kind == ET_DYN else case.facts.type_name
    return found, "an executable (EXEC or a PIE)", "ship a [[bin]] target, no library or object"


def _static(case: _Case) -> _Finding:
    dynamic = [f"interpreter {case.facts.interp}"] if case.facts.interp is not None else []
    dynamic += [f"library {name}" for name in case.facts.needed]
    if not dynamic:
        return None
    remedy = (
        "build it with -C target-feature=+crt-static, and turn on the `vendored` or `static` "
        "feature of the -sys crate that links the library"
    )
    return ", ".join(dynamic), "no interpreter and no shared library", remedy


def _pie(case: _Case) -> _Finding:
    if case.facts.pie:
        return None
    remedy = (
        "drop -C relocation-model=static and use a linker that obeys -static-pie "
        "(zig cc ignores it: pass it -static -pie)"
    )
    return f"{case.facts.type_name} at a fixed address", "a position-independent executable", remedy


def _nx(case: _Case) -> _Finding:
    stacks = case.facts.gnu_stack
    if len(stacks) == 1 and not stacks[0] & PF_X:
        return None
    found = f"PT_GNU_STACK {', '.join(map(_flags, stacks))}" if stacks else "no PT_GNU_STACK"
    remedy = (
        "link with -Wl,-z,noexecstack; the cause is mostly an assembly file without a "
        ".note.GNU-stack section"
    )
    return found, "one PT_GNU_STACK without x", remedy


def _relro(case: _Case) -> _Finding:
    facts = case.facts
    # Without PT_DYNAMIC nothing is bound after the start; that is right for a non-PIE alone.
    if facts.relro == "full" or (facts.relro == "n/a" and facts.file_type == ET_EXEC):
        return None
    return f"{facts.relro} RELRO", "full RELRO", "build it with -C relro-level=full"


def _wx(case: _Case) -> _Finding:
    if not case.facts.wx_segments:
        return None
    found = f"{case.facts.wx_segments} PT_LOAD with w and x"
    remedy = (
        "drop -Wl,-N (--omagic) or the linker script from the link arguments; packers do it too"
    )
    return found, "no memory both writable and executable", remedy


def _rpath(case: _Case) -> _Finding:
    paths = {"RPATH": case.facts.rpath, "RUNPATH": case.facts.runpath}
    found = [f"{tag} {path}" for tag, path in paths.items() if path is not None]
    if not found:
        return None
    remedy = "take `rpath = true` out of the Cargo profile, and -rpath out of the link arguments"
    return ", ".join(found), "no search path for libraries", remedy


def _entry(case: _Case) -> _Finding:
    if case.facts.entry_executable:
        return None
    return (
        f"entry {case.facts.entry:#x} outside the code",
        "an entry in executable code",
        case.again,
    )


def _stripped(case: _Case) -> _Finding:
    if case.facts.stripped:
        return None
    remedy = "set `strip = true` in [profile.release] of the workspace's Cargo.toml"
    return "a symbol table or debug sections", "a stripped file", remedy


def _size(case: _Case) -> _Finding:
    size, least = case.facts.size, case.policy.min_size
    most = min(case.policy.max_size, case.policy.budgets.get(case.name, case.policy.max_size))
    if least <= size <= most:
        return None
    remedy = (
        f"look at what it contains, or change its bounds in config/policy.yaml ({case.name})"
        if size > most
        else "an empty main? Else lower the minimum in config/policy.yaml"
    )
    return f"{size:,} bytes", f"{least:,} to {most:,} bytes", remedy


def _build_path(case: _Case) -> _Finding:
    if not case.build_paths:
        return None
    found = ", ".join(f"`{path}`" for path in case.build_paths)
    remedy = (
        'set `strip = true` in [profile.release], replace env!("CARGO_MANIFEST_DIR") and '
        "OUT_DIR paths in the code"
    )
    return found, "no path of the machine that built it", remedy


def _flags(flags: int) -> str:
    """Write segment flags as readelf and ls do."""
    return "".join(
        c if flags & bit else "-" for c, bit in zip("rwx", (PF_R, PF_W, PF_X), strict=True)
    )


_LOOKS: Mapping[str, Callable[[_Case], _Finding]] = MappingProxyType(
    {
        "machine": _machine,
        "class": _class,
        "endianness": _endianness,
        "os_abi": _os_abi,
        "type": _type,
        "static": _static,
        "pie": _pie,
        "nx": _nx,
        "relro": _relro,
        "wx": _wx,
        "rpath": _rpath,
        "entry": _entry,
        "stripped": _stripped,
        "size": _size,
        "build_path": _build_path,
    }
)
RULES: tuple[str, ...] = tuple(_LOOKS)


def _levels(machine: Machine) -> dict[str, Level]:
    levels: dict[str, Level] = dict.fromkeys(RULES, "deny")
    levels |= {"stripped": "warn", "build_path": "warn"}
    return levels if machine.static_pie else levels | {"pie": "off", "relro": "off"}


DEFAULT_LEVELS: Mapping[str, Mapping[str, Level]] = MappingProxyType(
    {arch: MappingProxyType(_levels(machine)) for arch, machine in MACHINES.items()}
)
