"""zig's wrappers: what they change in a command line, and what they link."""

from __future__ import annotations

import json
import os
import signal
import subprocess  # noqa: TID251 - the tests drive real processes
import sys
from pathlib import Path

import pytest

from doit_cargo.core import hosts
from doit_cargo.core.elf import reader
from doit_cargo.core.toolchain import wheels
from doit_cargo.core.toolchain.locate import wrapper_texts
from doit_cargo.core.toolchain.zig_scripts import scripts, zig_target
from doit_cargo.tools import process
from doit_cargo.tools.machine import zig
from doit_cargo.tools.machine.cache import new_folder
from helpers.machines import ZIG, program

X86 = "x86_64-unknown-linux-musl"
ARM = "aarch64-unknown-linux-musl"
ARM32 = "armv7-unknown-linux-musleabihf"
RISCV = "riscv64gc-unknown-linux-musl"
FIXED = {
    X86: ["-fno-sanitize=undefined", "-fPIC"],
    ARM: ["-fno-sanitize=undefined"],
    ARM32: ["-fno-sanitize=undefined", "-mcpu=baseline-neon-d32"],
    RISCV: ["-fno-sanitize=undefined", "-mcpu=baseline_rv64+zifencei"],
}
PRINTER = f"""\
#!{sys.executable}
import json, os, sys
print(json.dumps([sys.argv[1:], os.environ["ZIG_GLOBAL_CACHE_DIR"]]))
"""


def wrapper(root: Path, triple: str, tool: str = "cc") -> Path:
    """A wrapper around a program, in a folder with an odd name, that prints what it is given."""
    odd = root / 'it\'s $HOME; a "folder"'
    odd.mkdir(exist_ok=True)
    (odd / "zig").write_text(PRINTER)
    (odd / "zig").chmod(0o755)
    for name, text in scripts(triple, odd / "zig", odd / "cache").items():
        (odd / name).write_text(text)
        (odd / name).chmod(0o755)
    return odd / f"{triple}-{tool}"


def seen(root: Path, *words: str, triple: str = X86) -> list[str]:
    """What zig is given beyond what it always is."""
    argv, cache = json.loads(process.run([wrapper(root, triple), *words]))
    assert cache.endswith('a "folder"/cache')
    assert argv[:3] == ["cc", "-target", zig_target(triple)]
    fixed = FIXED[triple]
    assert argv[3 : 3 + len(fixed)] == fixed
    return [str(word) for word in argv[3 + len(fixed) :]]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["-static-pie", "a.o"], ["-static", "-pie", "-static", "-pie", "a.o"]),
        (["a.o"], ["-static", "-pie", "a.o"]),
        (["-no-pie", "a.o"], ["-no-pie", "a.o"]),
        (["-shared", "a.o"], ["-shared", "a.o"]),
        (["-c", f"--target={X86}", "-m64", "a.c"], ["-c", "a.c"]),
        (["-r", "-m32", "-Wl,-melf_i386", "a.o"], ["-r", "a.o"]),
        (["-target", X86, "-c", "a.c"], ["-c", "a.c"]),
        (["-c", "-march=x86-64-v3", "a.c"], ["-c", "-march=x86_64_v3", "a.c"]),
        (["-c", "-march=x86-64", "a.c"], ["-c", "-march=x86_64", "a.c"]),
        (["-r", "-Wl,-O1", "-fuse-ld=lld", "-Wl,--gc-sections"], ["-r", "-Wl,--gc-sections"]),
        (["-r", "-Wl,-Map=a.map", "-Wl,--cref", "a.o"], ["-r", "a.o"]),
        (["-r", "-Wl,-Map,a.map", "-Wl,--dynamic-list=a.list", "a.o"], ["-r", "a.o"]),
        (["-r", "-Wl,-Map=a.map,-z,now", "a.o"], ["-r", "-Wl,-Map=a.map,-z,now", "a.o"]),
        (["-r", "-Wl,--allow-multiple-definition", "a.o"], ["-r", "a.o"]),
        (["-r", "-u", "a b", "a.o"], ["-r", "-ua b", "a.o"]),
        (
            ["-r", "-ua", "-Wl,-u,a", "-Wl,-u", "-Wl,a"],
            ["-r", "-ua", "-Wl,-u,a", "-Wl,-u", "-Wl,a"],
        ),
        (["-r", "-Wl,--undefined=$a", "-Wl,--undefined,a"], ["-r", "-Wl,-u,$a", "-Wl,-u,a"]),
        (["-r", "-Wl,--undefined", "-Wl,a"], ["-r", "-Wl,-u", "-Wl,a"]),
        (["-r", "-Wl,-ua,-z,now,--undefined=b"], ["-r", "-Wl,-u,a,-z,now,-u,b"]),
        (["-r", "-Xlinker", "-u", "-Xlinker", "a"], ["-r", "-Xlinker", "-u", "-Xlinker", "a"]),
        (
            ["-r", "-Xlinker", "--undefined=a", "-Xlinker", "--undefined", "-Xlinker", "b"],
            ["-r", "-Xlinker", "-u", "-Xlinker", "a", "-Xlinker", "-u", "-Xlinker", "b"],
        ),
        (["-r", "-Wl,--no-undefined"], ["-r", "-Wl,--no-undefined"]),
        (["--version"], ["--version"]),
        ([], ["-static", "-pie"]),
    ],
)
def test_what_is_changed(tmp_path: Path, given: list[str], expected: list[str]) -> None:
    assert seen(tmp_path, *given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["-static", "-no-pie", "a.o"], ["-static", "-no-pie", "a.o"]),
        (["-march=armv8-a+crypto"], ["-mcpu=generic+v8a+crypto"]),
        (["-march=armv8-a"], ["-mcpu=generic+v8a"]),
        (["-march=armv8.2-a+sha3"], ["-mcpu=generic+v8_2a+sha3"]),
    ],
)
def test_what_is_changed_for_arm(tmp_path: Path, given: list[str], expected: list[str]) -> None:
    assert seen(tmp_path, *given, triple=ARM) == expected


@pytest.mark.parametrize(
    ("triple", "given", "expected"),
    [
        (ARM32, ["-march=armv7-a", "-mfpu=vfpv3-d16", "a.c"], ["-mfpu=vfpv3-d16", "a.c"]),
        (ARM32, ["-mfloat-abi=softfp", "a.c"], ["a.c"]),
        (ARM32, ["-march=armv7-a", "-mfpu=neon", "a b.c"], ["-mcpu=baseline", "a b.c"]),
        (ARM32, ["-mfpu=neon-vfpv4", "a.c"], ["-mcpu=baseline", "a.c"]),
        (RISCV, ["-march=rv64gc", "-mabi=lp64d", "a.c"], ["-mabi=lp64d", "a.c"]),
        (RISCV, ["-march=armv7-a", "a.c"], ["-march=armv7-a", "a.c"]),
    ],
)
def test_the_flags_of_an_architecture(
    tmp_path: Path, triple: str, given: list[str], expected: list[str]
) -> None:
    """Its row says them; they are nobody else's."""
    assert seen(tmp_path, *given, triple=triple) == expected


def test_odd_words_are_handed_on(tmp_path: Path) -> None:
    odd = ["-c", "a b.c", "", "$HOME", "`id`", '-DX="y"', "it's", "a\nb", "*", "\\", "@absent", "é"]

    assert seen(tmp_path, *odd) == odd


def test_more_than_nine_words(tmp_path: Path) -> None:
    many = ["-c", *(f"{number}.o" for number in range(2000))]

    assert seen(tmp_path, *many) == many


def test_response_files(tmp_path: Path) -> None:
    """The same changes in a copy beside it; zig is given the copy."""
    file = tmp_path / "linker arguments"
    file.write_text(
        f"a.o\n-static-pie\n--target={X86}\n-Wl,-O1\n-Wl,--dynamic-list=/a/list\nwith\\ blank.o\n"
        "-u\na\n-Wl,--undefined=a,-ub\n-Xlinker\n-u\n-Xlinker\na\n"
    )

    assert seen(tmp_path, f"@{file}") == [object_of(tmp_path), "-static", "-pie", f"@{file}.zig"]
    assert (tmp_path / "linker arguments.zig").read_text() == (
        "a.o\n-static\n-pie\nwith\\ blank.o\n-ua\n-Wl,-u,a,-u,b\n-Xlinker\n-u\n-Xlinker\na\n"
    )


def object_of(root: Path) -> str:
    """Where a wrapper of these tests looks for it."""
    return f"{wrapper(root, X86).parent}/relro.o"


def test_ar(tmp_path: Path) -> None:
    done = process.run([wrapper(tmp_path, X86, "ar"), "crs", "lib a.a", "a.o"])

    assert json.loads(done)[0] == ["ar", "crs", "lib a.a", "a.o"]


@pytest.mark.parametrize(
    ("triple", "name"),
    [
        (X86, "x86_64-linux-musl"),
        ("armv7-unknown-linux-musleabihf", "arm-linux-musleabihf"),
        ("i686-unknown-linux-musl", "x86-linux-musl"),
    ],
)
def test_zigs_names(triple: str, name: str) -> None:
    assert zig_target(triple) == name


def test_wrappers_that_are_not_as_they_must_be_are_told(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    folder = tmp_path / "wrappers" / "one"
    texts = {f"{X86}-cc": "#!/bin/sh\n", "relro.c": "int a;\n"}
    zig_program = program(tmp_path / "zig", ZIG)

    assert not zig.hold(folder, texts)
    zig.write_wrappers(tmp_path, folder, X86, zig_program, texts)
    assert zig.hold(folder, texts)
    assert {path.name for path in folder.iterdir()} == {*texts, "relro.o"}

    (folder / f"{X86}-cc").chmod(0o644)
    assert not zig.hold(folder, texts)
    for name in texts:
        zig.write_wrappers(tmp_path, folder, X86, zig_program, texts)
        assert zig.hold(folder, texts)
        (folder / name).write_text("broken")
        assert not zig.hold(folder, texts)
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("given", "linked"),
    [
        (["a.o", "-o", "a"], True),
        (["-no-pie", "a.o", "-o", "a"], True),
        (["a.o"], False),
        (["-c", "a.c", "-o", "a.o"], False),
        (["-shared", "a.o", "-o", "a.so"], False),
        (["-o", "b.o", "-r", "a.o"], False),
        (["-E", "-o", "b", "a.c"], False),
        (["--version"], False),
    ],
)
@pytest.mark.parametrize("triple", [X86, ARM])
def test_what_links_an_executable_links_the_object(
    tmp_path: Path, triple: str, given: list[str], linked: bool
) -> None:
    assert (seen(tmp_path, *given, triple=triple)[0] == object_of(tmp_path)) is linked


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()

    def fail() -> None:
        with new_folder(tmp_path, tmp_path / "x") as work:
            (work / "half").touch()
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()

    assert not (tmp_path / "x").exists()
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.integration
@pytest.mark.parametrize("triple", [X86, ARM, ARM32, RISCV])
def test_hello_world(tmp_path: Path, triple: str) -> None:
    """Two C files, compiled apart and linked as rustc does; x86_64 gives a static-pie."""
    compiler = _compiler(tmp_path, triple)
    (tmp_path / "add.c").write_text("double add(double a, double b) { return a + b; }\n")
    (tmp_path / "main.c").write_text(
        "#include <stdio.h>\ndouble add(double, double);\n"
        'int main(void) { return printf("%.1f\\n", add(1, 2)) < 0; }\n'
    )
    for name in ("add", "main"):
        process.run([compiler, "-O2", f"--target={triple}", "-c", f"{name}.c"], cwd=tmp_path)
    process.run([tmp_path / "w" / f"{triple}-ar", "crs", "libadd.a", "add.o"], cwd=tmp_path)
    kind = ["-static-pie"] if triple == X86 else ["-static", "-no-pie"]
    process.run(
        [compiler, "main.o", "-L.", "-ladd", *kind, "-Wl,-z,relro,-z,now", "-o", "main"],
        cwd=tmp_path,
    )

    headers = process.run(["readelf", "-hldW", tmp_path / "main"])
    assert ("DYN" if triple == X86 else "EXEC") in headers
    assert "INTERP" not in headers
    assert "NEEDED" not in headers
    if triple == X86:  # elsewhere nothing is relocated, so nothing is made read-only
        assert "GNU_RELRO" in headers
        assert "NOW" in headers
    assert _output(tmp_path / "main", triple) == "3.0\n"


@pytest.mark.integration
@pytest.mark.parametrize(
    "words",
    [
        ["-u", "wanted"],
        ["-Wl,--undefined=wanted"],
        ["-Wl,-uwanted,-z,now"],
        ["-Xlinker", "--undefined=wanted"],
        ["@words"],
    ],
)
def test_a_symbol_that_nobody_calls_is_linked(tmp_path: Path, words: list[str]) -> None:
    compiler = _compiler(tmp_path, X86)
    (tmp_path / "main.c").write_text("int main(void) { return 0; }")
    (tmp_path / "wanted.c").write_text("int wanted(void) { return 7; }")
    (tmp_path / "words").write_text("-u\nwanted\n")
    process.run([compiler, "-c", "wanted.c"], cwd=tmp_path)
    process.run([tmp_path / "w" / f"{X86}-ar", "crs", "libwanted.a", "wanted.o"], cwd=tmp_path)
    process.run([compiler, "main.c", *words, "-L.", "-lwanted", "-o", "main"], cwd=tmp_path)

    assert " wanted\n" in process.run(["readelf", "--syms", "--wide", tmp_path / "main"])


SUMS = """\
int main(void) {
  float a[64], b[64], sum = 0;
  for (int i = 0; i < 64; i++) { a[i] = i; b[i] = 2 * i; }
  for (int i = 0; i < 64; i++) a[i] += b[i];
  for (int i = 0; i < 64; i++) sum += a[i];
  return sum != 6048;
}
"""


@pytest.mark.integration
def test_armv7_code_runs_on_processors_without_neon(tmp_path: Path) -> None:
    """Zig's own baseline is illegal there, and so is what asks for NEON."""
    emulator = process.find("qemu-arm-static")
    if emulator is None:
        pytest.skip("no qemu-arm-static here to run it")
    compiler = _compiler(tmp_path, ARM32)
    (tmp_path / "sums.c").write_text(SUMS)
    for name, flag in (("plain", "-O3"), ("neon", "-mfpu=neon")):
        process.run([compiler, "-O3", flag, "sums.c", "-o", name], cwd=tmp_path)

    codes = [_without_neon(emulator, tmp_path / name) for name in ("plain", "neon")]
    assert codes == [0, -signal.SIGILL]


def _without_neon(emulator: Path, program: Path) -> int:
    """The exit code there; a newer qemu takes NEON away together with registers 16 to 31 alone."""
    for cpu in ("cortex-a15,neon=off,vfp-d32=off", "cortex-a15,neon=off"):
        argv: list[str | Path] = [emulator, "-cpu", cpu, program]
        done = subprocess.run(argv, check=False, capture_output=True)
        if done.returncode != 1:  # 1: no such processor
            break
    return done.returncode


MAPS = """\
#include <stdio.h>
int answer = 42;
int *const kept = &answer; // needs a relocation where the program may lie anywhere
__attribute__((constructor)) static void early(void) { answer++; }
int main(void) {
    char line[500];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps)) fputs(line, stdout);
    return !(answer == 43 && kept == &answer);
}
"""


@pytest.mark.integration
@pytest.mark.parametrize("options", [["-O2"], ["-O2", "-s"], ["-g", "-x", "c++"]])
@pytest.mark.parametrize("triple", [X86, ARM, RISCV, ARM32, "i686-unknown-linux-musl"])
def test_what_relro_names_is_read_only_once_it_runs(
    tmp_path: Path, triple: str, options: list[str]
) -> None:
    """Its first pages that hold data are mapped without w, though the segment has it."""
    compiler = _compiler(tmp_path, triple)
    (tmp_path / "maps.c").write_text(MAPS)
    program = tmp_path / "maps"
    process.run([compiler, *options, "maps.c", "-static", "-o", program.name], cwd=tmp_path)

    maps = [line.split() for line in _output(program, triple).splitlines()]
    own = [words for words in maps if words[-1] == str(program)]

    assert reader.read(program.read_bytes()).relro in {"full", "partial", "n/a"}
    assert [words[1] for words in own] == ["r--p", "r-xp", "r--p", "rw-p"]


@pytest.mark.integration
def test_a_program_without_a_c_library_links(tmp_path: Path) -> None:
    """And goes on without it."""
    compiler = _compiler(tmp_path, X86)
    (tmp_path / "bare.c").write_text(
        "void _start(void) {"
        ' __asm__ volatile("syscall" :: "a"(60), "D"(7)); __builtin_unreachable(); }'
    )
    process.run([compiler, "-nostdlib", "bare.c", "-o", "bare"], cwd=tmp_path)

    assert subprocess.run([tmp_path / "bare"], check=False).returncode == 7


def _compiler(folder: Path, triple: str) -> Path:
    """A target's real wrappers, in a folder `w`."""
    found = wheels.zig()
    assert found
    texts = wrapper_texts(triple, found.program, _shared_cache())
    (folder / "tmp").mkdir()
    zig.write_wrappers(folder, folder / "w", triple, found.program, texts)
    return folder / "w" / f"{triple}-cc"


def _shared_cache() -> Path:
    """Keep it between runs: musl takes a minute to compile."""
    return Path(os.environ.get("DOIT_CARGO_CACHE") or Path.home() / ".cache/doit-cargo") / "zig"


def _output(program: Path, triple: str) -> str:
    name = hosts.emulator(hosts.this_host(), triple)
    emulator = process.find(name) if name else None
    if name and emulator is None:
        pytest.skip(f"no {name} here to run it")
    words: list[str | Path] = [emulator, program] if emulator else [program]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout
