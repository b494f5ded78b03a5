"""The policy: one case for each rule, its exact message, its level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doit_cargo.core.elf.build_paths import find_build_paths
from doit_cargo.core.elf.numbers import (
    DF_1_NOW,
    DF_1_PIE,
    DF_TEXTREL,
    DT_AUDIT,
    DT_AUXILIARY,
    DT_FILTER,
    DT_FLAGS,
    DT_FLAGS_1,
    DT_NEEDED,
    DT_PLTGOT,
    DT_RPATH,
    DT_RUNPATH,
    DT_TEXTREL,
    ET_DYN,
    ET_EXEC,
    ET_REL,
    PT_LOAD,
    SHT_SYMTAB,
)
from doit_cargo.core.elf.policy import DEFAULT_LEVELS, RULE_NAMES, Violation, default_levels, judge
from doit_cargo.core.elf.reader import read
from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import Policy, Target
from helpers.elf_files import Seg, elf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doit_cargo.core.model import Level

X86 = Target(arch="x86_64", triple="x86_64-unknown-linux-musl", platform="linux/amd64")
ARM = Target(arch="arm64", triple="aarch64-unknown-linux-musl", platform="linux/arm64")
STATIC_PIE = (DT_FLAGS_1, DF_1_NOW | DF_1_PIE)
SHARED = "a shared object (DYN that is no PIE)"
LINKED = "interpreter /lib/ld.so, library libc.so.6"
DYNAMIC, GOT = "the dynamic section", "the global offset table"
INSIDE = "wanted both inside it, page by page"
TEXTREL = "found relocations in code (DT_TEXTREL)"
AS_WRITTEN = "segments that are mapped as they are written"
NOBODYS = "that belong to no segment and no section"
NO_FILTER = "wanted no filter and no audit library"
NO_WX = "no memory both writable and executable"
AGAIN = "remove it and run: doit build:x86_64"


def policy(target: Target = X86) -> Policy:
    """The default policy of a target, with small sizes allowed."""
    return Policy(levels=default_levels(target.triple), min_size=1, max_size=1 << 20)


def verdict(
    data: bytes, *, target: Target = X86, by: Policy | None = None, paths: Sequence[str] = ()
) -> list[Violation]:
    """What is wrong with the bytes."""
    by = by or policy(target)
    found = judge(read(data), policy=by, target=target, binary_name="chat", build_paths=paths)
    return list(found)


def messages(data: bytes, *, by: Policy | None = None, paths: Sequence[str] = ()) -> list[str]:
    """What is wrong, without the remedies."""
    found = verdict(data, by=by, paths=paths)
    return [f"{v.level} {v.rule}: found {v.found}, wanted {v.wanted}" for v in found]


def test_the_rules_in_their_order() -> None:
    assert RULE_NAMES == (
        "machine", "class", "endianness", "os_abi", "type", "static", "pie", "nx", "relro", "wx",
        "textrel", "loads", "overlay", "rpath", "filters", "entry", "stripped", "size",
        "build_path",
    )  # fmt: skip


def test_a_static_pie_breaks_no_rule() -> None:
    assert verdict(elf()) == []


def test_a_violation_reads_as_one_line() -> None:
    (violation,) = verdict(elf(sections={".symtab": SHT_SYMTAB}))

    assert str(violation) == (
        "stripped: found a symbol table or debug sections, wanted a stripped file: "
        "set `strip = true` in the profile, in the workspace's Cargo.toml"
    )


def test_a_file_for_another_machine_is_named() -> None:
    found = verdict(elf(machine=183))

    assert [str(v) for v in found] == [f"machine: found aarch64, wanted x86_64: {AGAIN}"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (elf(bits=32), ["deny class: found 32 bit, wanted 64 bit"]),
        (elf(order=">"), ["deny endianness: found big endian, wanted little endian"]),
        (elf(os_abi=3), []),
        (
            elf(os_abi=9),
            ["deny os_abi: found EI_OSABI 9, wanted System V (0) or GNU/Linux (3)"],
        ),
        (
            elf(kind=ET_REL),
            [
                "deny type: found REL, wanted an executable (EXEC or a PIE)",
                "deny pie: found REL at a fixed address, wanted a position-independent executable",
            ],
        ),
        (
            elf(dynamic=[(DT_FLAGS_1, DF_1_NOW)]),
            [
                f"deny type: found {SHARED}, wanted an executable (EXEC or a PIE)",
                "deny pie: found DYN at a fixed address, wanted a position-independent executable",
            ],
        ),
        (
            elf(
                interp=b"/lib/ld.so\0",
                dynamic=[STATIC_PIE, (DT_NEEDED, 1)],
                strings=b"\0libc.so.6\0",
            ),
            [
                f"deny static: found {LINKED}, wanted no interpreter and no shared library",
            ],
        ),
        (
            elf(kind=ET_EXEC, dynamic=None),
            ["deny pie: found EXEC at a fixed address, wanted a position-independent executable"],
        ),
        (
            elf(stacks=(7,)),
            ["deny nx: found PT_GNU_STACK rwx, wanted one PT_GNU_STACK without x"],
        ),
        (
            elf(stacks=(6, 7)),
            ["deny nx: found PT_GNU_STACK rw-, rwx, wanted one PT_GNU_STACK without x"],
        ),
        (elf(stacks=()), ["deny nx: found no PT_GNU_STACK, wanted one PT_GNU_STACK without x"]),
        (
            elf(dynamic=[(DT_FLAGS_1, DF_1_PIE)]),
            ["deny relro: found partial RELRO, wanted full RELRO"],
        ),
        (elf(relro=None), ["deny relro: found none RELRO, wanted full RELRO"]),
        (
            elf(load_flags=7),
            [
                f"deny relro: found {DYNAMIC} outside PT_GNU_RELRO, {INSIDE}",
                f"deny wx: found 1 PT_LOAD with w and x, wanted {NO_WX}",
            ],
        ),
        (
            elf(load_flags=7, dynamic=[STATIC_PIE, (DT_PLTGOT, 0x40)]),
            [
                f"deny relro: found {DYNAMIC} and {GOT} outside PT_GNU_RELRO, {INSIDE}",
                f"deny wx: found 1 PT_LOAD with w and x, wanted {NO_WX}",
            ],
        ),
        (
            elf(dynamic=[STATIC_PIE, (DT_TEXTREL, 0)]),
            [f"deny textrel: {TEXTREL}, wanted code that is never written to"],
        ),
        (
            elf(dynamic=[STATIC_PIE, (DT_FLAGS, DF_TEXTREL)]),
            [f"deny textrel: {TEXTREL}, wanted code that is never written to"],
        ),
        (
            elf() + b"PK\3\4",
            [
                f"deny overlay: found 4 bytes {NOBODYS}, wanted no such bytes",
            ],
        ),
        (
            elf(more=[Seg(type=PT_LOAD, vaddr=0x100000, align=4096)]),
            [f"deny loads: found a PT_LOAD of no bytes, wanted {AS_WRITTEN}"],
        ),
        (
            elf(more=[Seg(type=PT_LOAD, offset=16, vaddr=0x100010, filesz=8, align=16)]),
            [f"deny loads: found a PT_LOAD aligned to less than a page, wanted {AS_WRITTEN}"],
        ),
        (
            elf(
                dynamic=[STATIC_PIE, (DT_AUXILIARY, 1), (DT_AUDIT, 7)],
                strings=b"\0libx.so\0",
            ),
            [
                f"deny filters: found DT_AUXILIARY libx.so, DT_AUDIT o, {NO_FILTER}",
            ],
        ),
        (
            elf(dynamic=[STATIC_PIE, (DT_RPATH, 1), (DT_RUNPATH, 0)], strings=b"\0/opt\0"),
            ["deny rpath: found RPATH /opt, RUNPATH , wanted no search path for libraries"],
        ),
        (
            elf(entry=0xFFFF),
            ["deny entry: found entry 0xffff outside the code, wanted an entry in executable code"],
        ),
        (
            elf(sections={".debug_info": 1}),
            ["warn stripped: found a symbol table or debug sections, wanted a stripped file"],
        ),
    ],
)
def test_each_rule_says_what_it_found_and_wanted(data: bytes, expected: list[str]) -> None:
    assert messages(data) == expected


def test_every_violation_has_a_remedy() -> None:
    strange = elf(
        bits=32, order=">", machine=3, os_abi=9, kind=ET_DYN, interp=b"/x\0", stacks=(), relro=None,
        load_flags=6, dynamic=[(DT_RPATH, 0), (DT_TEXTREL, 0), (DT_FILTER, 0)],
        sections={".symtab": SHT_SYMTAB}, more=[Seg(type=PT_LOAD, vaddr=0x100000, align=4096)],
    )  # fmt: skip
    found = verdict(strange + b"more", by=policy()._replace(min_size=1 << 19), paths=["/home/me"])

    assert {v.rule for v in found} == set(RULE_NAMES) - {"type", "pie", "wx"}
    assert all(v.remedy for v in found)


@pytest.mark.parametrize(
    ("by", "bounds"),
    [
        (policy()._replace(min_size=1000), "1,000 to 1,048,576 bytes"),
        (policy()._replace(max_size=100), "1 to 100 bytes"),
        (policy()._replace(budgets={"chat": 50}), "at most 50 bytes, its budget"),
        (policy()._replace(max_size=100, budgets={"chat": 5000}), "1 to 100 bytes"),
    ],
)
def test_the_size_has_bounds_and_a_budget(by: Policy, bounds: str) -> None:
    data = elf()

    assert messages(data, by=by) == [
        f"deny size: found {len(data)} bytes, wanted {bounds}",
    ]


def test_a_budget_that_is_kept_and_one_of_another_binary_say_nothing() -> None:
    assert verdict(elf(), by=policy()._replace(budgets={"bot": 1, "chat": 5000})) == []


def test_build_paths_are_told() -> None:
    assert messages(elf(), paths=["/home/me/ws/main.rs"]) == [
        "warn build_path: found `/home/me/ws/main.rs`, wanted no path of the machine that built it"
    ]


def test_a_rule_that_is_off_says_nothing() -> None:
    levels: dict[str, Level] = dict.fromkeys(RULE_NAMES, "off")

    assert verdict(elf(stacks=(), machine=3), by=policy()._replace(levels=levels)) == []


def test_a_static_aarch64_executable_at_a_fixed_address_passes() -> None:
    """The musl target of rustc makes no others; without PT_DYNAMIC RELRO does not apply."""
    data = elf(machine=183, kind=ET_EXEC, dynamic=None)

    assert verdict(data, target=ARM) == []
    strict = policy(ARM)._replace(levels=default_levels(ARM.triple) | {"relro": "deny"})
    assert verdict(data, target=ARM, by=strict) == []


def test_relro_of_a_pie_without_dynamic_section_is_no_excuse() -> None:
    found = verdict(elf(dynamic=None))

    assert "relro" in [v.rule for v in found]


def test_identity_follows_the_triple_whatever_the_target_is_called() -> None:
    found = verdict(elf(), target=ARM)

    assert [(v.rule, v.found, v.wanted) for v in found] == [("machine", "x86_64", "aarch64")]


@pytest.mark.parametrize("arch", DEFAULT_LEVELS)
def test_every_architecture_denies_but_for_the_measured_exceptions(arch: str) -> None:
    levels = dict(DEFAULT_LEVELS[arch])
    hardening = "deny" if arch in {"x86_64", "s390x"} else "off"

    assert tuple(levels) == RULE_NAMES
    assert (levels.pop("pie"), levels.pop("relro")) == (hardening, hardening)
    assert (levels.pop("stripped"), levels.pop("build_path")) == ("warn", "warn")
    assert set(levels.values()) == {"deny"}


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(SetupError, match="the architecture mips is not known, only x86_64, aar"):
        default_levels("mips-unknown-linux-musl")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\0\1/home/me/ws/src/a.rs\0more", ("/home/me/ws/src/a.rs",)),
        (b"at /home/me/x", ("at /home/me/x",)),
        (b"x" * 300 + b"/home/me" + b"y" * 300, ("x" * 40 + "/home/me" + "y" * 72,)),
        (b"/home/me/a\0/home/me/b", ("/home/me/a",)),
        ("\0/home/me/Größe\0".encode(), ("/home/me/Größe",)),
        (b"/home/mE", ()),
        (b"", ()),
    ],
)
def test_a_build_path_is_shown_with_the_text_around_it(
    data: bytes, expected: tuple[str, ...]
) -> None:
    assert find_build_paths(data, (b"/home/me", b"/nowhere", b"")) == expected


def test_two_needles_in_one_text_are_told_once() -> None:
    assert find_build_paths(b"\0/home/me/ws\0", (b"/home/me", b"/home/me/ws")) == ("/home/me/ws",)
