"""The whole check on what real compilers write: rustc's musl executables, and zig's."""

from __future__ import annotations

import os
import random
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from doit_cargo.core.cargo.toolchain_env import rustflags
from doit_cargo.core.elf.numbers import PF_R, PF_W, PF_X
from doit_cargo.core.elf.policy import default_levels
from doit_cargo.core.elf.reader import ElfError, Facts, as_dict, read
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Binary, Policy, Target
from doit_cargo.core.toolchain import locate
from doit_cargo.tools import artifact
from doit_cargo.tools.elf.second_opinion import SecondOpinion
from doit_cargo.tools.elf.verify import Verdict, check
from doit_cargo.tools.process import run
from helpers import elf_files, elf_oracle

pytestmark = pytest.mark.integration

X86 = Target(arch="x86_64", triple="x86_64-unknown-linux-musl", platform="linux/amd64")
ARM = Target(arch="aarch64", triple="aarch64-unknown-linux-musl", platform="linux/arm64")
HARDENED = ("-static-pie", "-Wl,-z,relro,-z,now", "-Wl,-z,noexecstack", "-s")


@pytest.fixture(scope="module")
def opinion() -> Iterator[SecondOpinion]:
    with SecondOpinion() as asked:
        yield asked


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rust") / "hello.rs"
    path.write_text('fn main() { println!("hello from {}", std::process::id()); }\n')
    return path


@pytest.fixture(scope="module")
def stripped(source: Path) -> Path:
    """A release binary as cargo makes it for the musl target."""
    return rust(source, "-C", "strip=symbols", "-C", "panic=abort")


def rust(source: Path, *options: str) -> Path:
    """An executable by the toolchain that the pipeline would use, wherever its std comes from."""
    chain = locate.locate(X86, workspace=source.parent, env=os.environ)
    assert chain.missing == ()
    out = source.with_name(f"out{len(list(source.parent.iterdir()))}")
    linker = f"-Clinker={chain.wrappers / X86.triple}-cc"
    flags = (*rustflags(chain, ()), linker, "--edition=2021", "-O", "--target", X86.triple)
    run([str(chain.rustc), *flags, *options, str(source), "-o", str(out)])
    return out


def linked(folder: Path, *options: str) -> Path:
    """A static program without a C library by the host's linker, which does what it is told."""
    code, out = folder / "start.c", folder / "start"
    code.write_text(
        "int counter = 1;\n"
        "int *const kept = &counter;\n"
        "void _start(void) { for (;;) counter += *kept; }\n"
    )
    run(["gcc", "-nostdlib", "-O1", *options, str(code), "-o", str(out)])
    return out


def verdict(path: Path, opinion: SecondOpinion, target: Target = X86) -> Verdict:
    levels = default_levels(target.triple)
    policy = Policy(levels=levels, min_size=1, max_size=256 << 20)
    data = artifact.read(path, max_size=policy.max_size)
    binary, needles = Binary(crate="hello", name="hello"), (b"/definitely/not/in/there",)
    return check(
        data, binary=binary, target=target, policy=policy, needles=needles, opinion=opinion
    )


def test_a_stripped_static_pie_passes_and_runs(stripped: Path, opinion: SecondOpinion) -> None:
    assert run([stripped]).startswith("hello from ")

    found = verdict(stripped, opinion)
    assert (found.passed, found.violations) == (True, ())
    assert (found.facts.pie, found.facts.relro, found.facts.interp) == (True, "full", None)


def test_an_unstripped_one_passes_with_a_warning(source: Path, opinion: SecondOpinion) -> None:
    found = verdict(rust(source), opinion)

    assert [(v.level, v.rule) for v in found.violations] == [("warn", "stripped")]


@pytest.mark.parametrize(
    ("options", "rules"),
    [
        ([], []),
        (["-static", "-no-pie", "-fno-pie"], ["pie"]),
        (["-Wl,-z,norelro"], ["relro"]),
        (["-Wl,-z,lazy"], ["relro"]),
        (["-Wl,-z,execstack"], ["nx"]),
        (["-static", "-no-pie", "-fno-pie", "-Wl,--omagic"], ["pie", "wx", "loads"]),
        (["-static", "-no-pie", "-fno-pie", "-Wl,--nmagic"], ["pie", "wx", "loads"]),
        (["-Wl,-rpath,/opt/lib"], ["rpath"]),
    ],
    ids=lambda value: "+".join(value) or "none",
)
def test_a_linker_option_that_weakens_it_is_denied(
    tmp_path: Path, opinion: SecondOpinion, options: list[str], rules: list[str]
) -> None:
    found = verdict(linked(tmp_path, *HARDENED, *options), opinion)

    assert [v.rule for v in found.violations if v.level == "deny"] == rules


def test_every_truncation_is_refused(stripped: Path) -> None:
    data = stripped.read_bytes()
    rng = random.Random(3)  # noqa: S311 - to be repeated
    points = {*range(0, 1024, 8), *range(len(data) - 1700, len(data))}
    points |= {rng.randrange(len(data)) for _ in range(2000)}

    assert [size for size in sorted(points) if not refused(data[:size])] == []


def test_mutants_of_the_headers_never_pass_unseen(stripped: Path, opinion: SecondOpinion) -> None:
    """A refusal, or what a parser of other people reads; thousands for the strict reader alone."""
    data = stripped.read_bytes()
    accepted = [
        as_dict(read(mutant)) == elf_oracle.facts(mutant)
        for mutant in elf_files.mutants(data, 3000, 5)
        if not refused(mutant)
    ]
    verdicts = []
    for mutant in elf_files.mutants(data, 200, 6):
        path = stripped.with_name("mutant")
        path.write_bytes(mutant)
        with suppress(CheckError):
            verdicts.append(as_dict(verdict(path, opinion).facts) == elf_oracle.facts(mutant))

    assert len(accepted) > 1000
    assert len(verdicts) > 50
    assert all(accepted)
    assert all(verdicts)


@pytest.mark.parametrize("arch", ["aarch64", "riscv64", "s390x", "powerpc64le", "arm"])
def test_executables_for_other_machines_are_told_apart(
    tmp_path: Path, opinion: SecondOpinion, arch: str
) -> None:
    path = zig(tmp_path, arch)
    native = {"riscv64": "riscv64gc", "arm": "armv7"}.get(arch, arch)
    target = Target(arch=native, triple=f"{native}-unknown-linux-musl", platform="linux/x")

    own = {v.rule for v in verdict(path, opinion, target).violations}
    other = {v.rule for v in verdict(path, opinion, X86).violations}
    assert not own & {"machine", "class", "endianness", "os_abi", "type", "static", "entry", "nx"}
    assert {"machine", "pie"} <= other
    assert ("endianness" in other, "class" in other) == (arch == "s390x", arch == "arm")


def test_a_static_aarch64_executable_passes(tmp_path: Path, opinion: SecondOpinion) -> None:
    found = verdict(zig(tmp_path, "aarch64"), opinion, ARM)

    assert (found.violations, found.facts.type_name, found.facts.pie) == ((), "EXEC", False)


@pytest.mark.parametrize("path", elf_files.system_files(50), ids=str)
def test_readelf_sees_the_same_facts(path: Path) -> None:
    assert readelf(path) == told(read(path.read_bytes()))


def zig(folder: Path, arch: str) -> Path:
    """A static C program without a C library by zig, which links for any machine."""
    out, code = folder / "hello", folder / "hello.c"
    code.write_text("void _start(void) { for (;;) {} }\n")
    cache = {f"ZIG_{kind}_CACHE_DIR": str(folder / "cache") for kind in ("GLOBAL", "LOCAL")}
    options = ["-target", f"{arch}-linux-musl", "-static", "-nostdlib", "-O1", "-s"]
    argv: list[str | Path] = [sys.executable, "-m", "ziglang", "cc", *options, code, "-o", out]
    run(argv, env={**os.environ, **cache})
    return out


def refused(data: bytes | memoryview) -> bool:
    try:
        read(data)
    except ElfError:
        return True
    return False


def told(facts: Facts) -> dict[str, object]:
    """The facts that readelf prints."""
    letters = {PF_R: "R", PF_W: "W", PF_X: "E"}
    stack = ["".join(s for bit, s in letters.items() if f & bit) for f in facts.gnu_stack]
    return {
        "class": f"ELF{facts.elf_class}",
        "type": facts.type_name,
        "entry": facts.entry,
        "stack": stack,
        "interp": facts.interp,
        "needed": list(facts.needed),
        "paths": sorted({p for p in (facts.rpath, facts.runpath) if p is not None}),
        "relro": facts.relro in {"full", "partial"},
        "stripped": facts.stripped,
    }


def readelf(path: Path) -> dict[str, object]:
    """The same, as binutils sees them."""
    lines = run(["readelf", "--wide", "-h", "-l", "-d", "-S", path]).splitlines()
    words = [line.split() for line in lines]
    head = {w[0] + w[1]: w[-1] for w in words if len(w) > 2}
    types = [w[1] for w in words if w[:1] == ["Type:"]]
    stacks = [w[6:-1] for w in words if w[:1] == ["GNU_STACK"]]
    marked = {k: [x.split("[")[1][:-1] for x in lines if f"({k})" in x] for k in _MARKS}
    interp = [x.split(": ")[1][:-1] for x in lines if "Requesting program interpreter" in x]
    return {
        "class": next(w[1] for w in words if w[:1] == ["Class:"]),
        "type": types[0],
        "entry": int(head["Entrypoint"], 16),
        "stack": ["".join(flags) for flags in stacks],
        "interp": interp[0] if interp else None,
        "needed": marked["NEEDED"],
        "paths": sorted({*marked["RPATH"], *marked["RUNPATH"]}),
        "relro": any(w[:1] == ["GNU_RELRO"] for w in words),
        "stripped": not any(map(_is_symbols, lines)),
    }


def _is_symbols(line: str) -> bool:
    """Whether readelf lists a section there that `strip` removes: what is loaded, it keeps."""
    found = re.match(r"  \[ *\d+\] (\S+) +(\S+) +(?:[0-9a-f]+ +){4}([A-Z]*) ", line)
    if found is None:
        return False
    name, kind, flags = found.groups()
    return kind == "SYMTAB" or (name.startswith((".debug_", ".zdebug_")) and "A" not in flags)


_MARKS = ("NEEDED", "RPATH", "RUNPATH")
