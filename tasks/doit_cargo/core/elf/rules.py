"""The rules that an executable must keep before it may be packaged, each a function of a case.

A rule gives what it found, what it wanted and what to do about it, or None. It looks at facts
only: whether it is applied, and how strictly, is the policy's affair.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from doit_cargo.core.elf.case import Case, Finding
from doit_cargo.core.elf.numbers import ET_DYN, ET_EXEC, PF_R, PF_W, PF_X

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from doit_cargo.core.elf.coverage import LoadFault, RelroGap

# EI_OSABI of glibc's elf.h. Linux runs any; these are what linkers for Linux write.
_ABI_NAMES = MappingProxyType({0: "System V", 3: "GNU/Linux"})
_POLICY = "config/policy.yaml"
_GAPS: Mapping[RelroGap, str] = MappingProxyType(
    {"dynamic": "the dynamic section", "got": "the global offset table"}
)
_LOAD_FAULTS: Mapping[LoadFault, str] = MappingProxyType(
    {
        "align": "a PT_LOAD aligned to less than a page",
        "offset": "a PT_LOAD whose address and offset differ modulo a page",
        "empty": "a PT_LOAD of no bytes",
        "page": "two PT_LOAD in one page",
        "outside": "a segment that is read by its address, but not loaded there",
    }
)


def _machine(case: Case) -> Finding | None:
    if case.facts.machine == case.architecture.machine:
        return None
    return Finding(case.facts.machine_name, case.architecture.machine_name, case.again)


def _class(case: Case) -> Finding | None:
    if case.facts.elf_class == case.architecture.bits:
        return None
    return Finding(f"{case.facts.elf_class} bit", f"{case.architecture.bits} bit", case.again)


def _endianness(case: Case) -> Finding | None:
    if case.facts.little_endian == case.architecture.little_endian:
        return None
    found, wanted = ("little", "big") if case.facts.little_endian else ("big", "little")
    return Finding(f"{found} endian", f"{wanted} endian", case.again)


def _os_abi(case: Case) -> Finding | None:
    if case.facts.os_abi in _ABI_NAMES:
        return None
    wanted = " or ".join(f"{name} ({number})" for number, name in _ABI_NAMES.items())
    return Finding(f"EI_OSABI {case.facts.os_abi}", wanted, case.again)


def _type(case: Case) -> Finding | None:
    kind, pie = case.facts.file_type, case.facts.pie
    if kind == ET_EXEC or (kind == ET_DYN and pie):
        return None
    found = "a shared object (DYN that is no PIE)" if kind == ET_DYN else case.facts.type_name
    return Finding(
        found, "an executable (EXEC or a PIE)", "ship a [[bin]] target, no library or object"
    )


def _static(case: Case) -> Finding | None:
    dynamic = [f"interpreter {case.facts.interp}"] if case.facts.interp is not None else []
    dynamic += [f"library {name}" for name in case.facts.needed]
    if not dynamic:
        return None
    remedy = (
        "build it with -C target-feature=+crt-static, and turn on the `vendored` or `static` "
        "feature of the -sys crate that links the library"
    )
    return Finding(", ".join(dynamic), "no interpreter and no shared library", remedy)


def _pie(case: Case) -> Finding | None:
    if case.facts.pie:
        return None
    remedy = (
        "drop -C relocation-model=static and use a linker that obeys -static-pie "
        "(zig cc ignores it: pass it -static -pie)"
    )
    return Finding(
        f"{case.facts.type_name} at a fixed address", "a position-independent executable", remedy
    )


def _nx(case: Case) -> Finding | None:
    stacks = case.facts.gnu_stack
    if len(stacks) == 1 and not stacks[0] & PF_X:
        return None
    found = f"PT_GNU_STACK {', '.join(map(_flags, stacks))}" if stacks else "no PT_GNU_STACK"
    remedy = (
        "link with -Wl,-z,noexecstack; the cause is mostly an assembly file without a "
        ".note.GNU-stack section"
    )
    return Finding(found, "one PT_GNU_STACK without x", remedy)


def _relro(case: Case) -> Finding | None:
    facts = case.facts
    remedy = "build it with -C relro-level=full"
    if facts.relro == "full" and facts.relro_gaps:
        tables = " and ".join(_GAPS[gap] for gap in facts.relro_gaps)
        return Finding(f"{tables} outside PT_GNU_RELRO", "both inside it, page by page", remedy)
    # Without PT_DYNAMIC nothing is bound after the start; that is right for a non-PIE alone.
    if facts.relro == "full" or (facts.relro == "n/a" and facts.file_type == ET_EXEC):
        return None
    return Finding(f"{facts.relro} RELRO", "full RELRO", remedy)


def _wx(case: Case) -> Finding | None:
    if not case.facts.wx_segments:
        return None
    found = f"{case.facts.wx_segments} PT_LOAD with w and x"
    remedy = (
        "drop -Wl,-N (--omagic) or the linker script from the link arguments; packers do it too"
    )
    return Finding(found, "no memory both writable and executable", remedy)


def _textrel(case: Case) -> Finding | None:
    if not case.facts.textrel:
        return None
    remedy = (
        "compile what is linked in as position-independent code (-fPIC); the cause is mostly an "
        "assembly file. -Wl,-z,text makes the linker name it"
    )
    return Finding("relocations in code (DT_TEXTREL)", "code that is never written to", remedy)


def _loads(case: Case) -> Finding | None:
    if not case.facts.load_faults:
        return None
    found = ", ".join(_LOAD_FAULTS[fault] for fault in case.facts.load_faults)
    remedy = "drop -Wl,-n, -Wl,-N or the linker script from the link arguments; packers do it too"
    return Finding(found, "segments that are mapped as they are written", remedy)


def _overlay(case: Case) -> Finding | None:
    if not case.facts.overlay:
        return None
    remedy = (
        "ship appended data as a file of its own, or with include_bytes!; else something was "
        f"added after the build: {case.again}"
    )
    found = f"{case.facts.overlay:,} bytes that belong to no segment and no section"
    return Finding(found, "no such bytes", remedy)


def _filters(case: Case) -> Finding | None:
    if not case.facts.filters:
        return None
    found, wanted = ", ".join(case.facts.filters), "no filter and no audit library"
    return Finding(found, wanted, "drop -f, -F, --audit and --depaudit from the link arguments")


def _rpath(case: Case) -> Finding | None:
    paths = {"RPATH": case.facts.rpath, "RUNPATH": case.facts.runpath}
    found = [f"{tag} {path}" for tag, path in paths.items() if path is not None]
    if not found:
        return None
    remedy = "take `rpath = true` out of the Cargo profile, and -rpath out of the link arguments"
    return Finding(", ".join(found), "no search path for libraries", remedy)


def _entry(case: Case) -> Finding | None:
    if case.facts.entry_executable:
        return None
    found = f"entry {case.facts.entry:#x} outside the code"
    return Finding(found, "an entry in executable code", case.again)


def _stripped(case: Case) -> Finding | None:
    if case.facts.stripped:
        return None
    remedy = "set `strip = true` in the profile, in the workspace's Cargo.toml"
    return Finding("a symbol table or debug sections", "a stripped file", remedy)


def _size(case: Case) -> Finding | None:
    size, least, most = case.facts.size, case.policy.min_size, case.policy.max_size
    budget = case.policy.budgets.get(case.name, most)
    found, name = f"{size:,} bytes", case.name
    if budget < most and size > budget:
        wanted = f"at most {budget:,} bytes, its budget"
        remedy = f"`doit size` shows what fills it; the budget is `budgets: {name}` in {_POLICY}"
        return Finding(found, wanted, remedy)
    if least <= size <= most:
        return None
    remedy = (
        f"`doit size` shows what fills it; the maximum is `size: max` in {_POLICY}"
        if size > most
        else f"an empty main? Else lower `size: min` in {_POLICY}"
    )
    return Finding(found, f"{least:,} to {most:,} bytes", remedy)


def _build_path(case: Case) -> Finding | None:
    if not case.build_paths:
        return None
    found = ", ".join(f"`{path}`" for path in case.build_paths)
    remedy = (
        'set `strip = true` in the profile, replace env!("CARGO_MANIFEST_DIR") and '
        "OUT_DIR paths in the code"
    )
    return Finding(found, "no path of the machine that built it", remedy)


def _flags(flags: int) -> str:
    """Write segment flags as readelf and ls do."""
    return "".join(
        c if flags & bit else "-" for c, bit in zip("rwx", (PF_R, PF_W, PF_X), strict=True)
    )


RULES: Mapping[str, Callable[[Case], Finding | None]] = MappingProxyType(
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
        "textrel": _textrel,
        "loads": _loads,
        "overlay": _overlay,
        "rpath": _rpath,
        "filters": _filters,
        "entry": _entry,
        "stripped": _stripped,
        "size": _size,
        "build_path": _build_path,
    }
)
