"""zig's wrappers: what they change in a command line, and what they link."""

from __future__ import annotations

import json
import os
import subprocess  # noqa: TID251 - the tests drive real processes
import sys
from pathlib import Path

import pytest

from doit_cargo.core.toolchain import wheels
from doit_cargo.core.toolchain.zig_scripts import scripts, zig_target
from doit_cargo.tools import process
from doit_cargo.tools.machine import zig
from doit_cargo.tools.machine.cache import new_folder

X86 = "x86_64-unknown-linux-musl"
ARM = "aarch64-unknown-linux-musl"
FIXED = {X86: ["-fno-sanitize=undefined", "-fPIC"], ARM: ["-fno-sanitize=undefined"]}
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
        (["-target", X86, "-c", "a.c"], ["-c", "a.c"]),
        (["-c", "-march=x86-64-v3", "a.c"], ["-c", "-march=x86_64_v3", "a.c"]),
        (["-c", "-march=x86-64", "a.c"], ["-c", "-march=x86_64", "a.c"]),
        (["-r", "-Wl,-O1", "-fuse-ld=lld", "-Wl,--gc-sections"], ["-r", "-Wl,--gc-sections"]),
        (["-r", "-Wl,-Map=a.map", "-Wl,--cref", "a.o"], ["-r", "a.o"]),
        (["-r", "-Wl,-Map,a.map", "-Wl,--dynamic-list=a.list", "a.o"], ["-r", "a.o"]),
        (["-r", "-Wl,-Map=a.map,-z,now", "a.o"], ["-r", "-Wl,-Map=a.map,-z,now", "a.o"]),
        (["-r", "-Wl,--allow-multiple-definition", "a.o"], ["-r", "a.o"]),
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
        (["-march=armv8-a+crypto"], ["-mcpu=generic+crypto"]),
        (["-march=armv8-a"], ["-mcpu=generic"]),
        (["-march=armv8.2-a+sha3"], ["-mcpu=generic+v8_2a+sha3"]),
    ],
)
def test_what_is_changed_for_arm(tmp_path: Path, given: list[str], expected: list[str]) -> None:
    assert seen(tmp_path, *given, triple=ARM) == expected


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
    )

    assert seen(tmp_path, f"@{file}") == ["-static", "-pie", f"@{file}.zig"]
    assert (tmp_path / "linker arguments.zig").read_text() == (
        "a.o\n-static\n-pie\nwith\\ blank.o\n"
    )


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


def test_writing_them_twice_does_nothing(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    folder, texts = tmp_path / "wrappers" / "one", {"a-cc": "#!/bin/sh\n"}

    assert zig.write_wrappers(tmp_path, folder, texts)
    assert not zig.write_wrappers(tmp_path, folder, texts)

    (folder / "a-cc").write_text("broken")
    assert zig.write_wrappers(tmp_path, folder, texts)
    assert (folder / "a-cc").read_text() == "#!/bin/sh\n"
    assert os.access(folder / "a-cc", os.X_OK)


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


@pytest.mark.parametrize(
    ("manifest", "strips"),
    [
        ("[profile.release]\nstrip = true\n", True),
        ('[profile.dist]\nstrip = "symbols"\n', True),
        ('[profile.release]\nstrip = "debuginfo"\n', False),
        ("[workspace]\n", False),
        ("profile = 3\n", False),
        ("[broken", False),
    ],
)
def test_whether_a_workspace_strips(tmp_path: Path, manifest: str, strips: bool) -> None:
    (tmp_path / "Cargo.toml").write_text(manifest)

    assert zig.strips(tmp_path) is strips


@pytest.mark.integration
@pytest.mark.parametrize("triple", [X86, ARM])
def test_hello_world(tmp_path: Path, triple: str) -> None:
    """Two C files, compiled apart and linked as rustc does; x86_64 gives a static-pie."""
    found = wheels.zig()
    assert found
    cache = _shared_cache()
    texts = scripts(triple, found.program, cache)
    (tmp_path / "tmp").mkdir()
    zig.write_wrappers(tmp_path, tmp_path / "w", texts)
    (tmp_path / "add.c").write_text("double add(double a, double b) { return a + b; }\n")
    (tmp_path / "main.c").write_text(
        "#include <stdio.h>\ndouble add(double, double);\n"
        'int main(void) { return printf("%.1f\\n", add(1, 2)) < 0; }\n'
    )
    compiler = tmp_path / "w" / f"{triple}-cc"
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
    assert "GNU_RELRO" in headers
    if triple == X86:
        assert "NOW" in headers
    assert _output(tmp_path / "main", triple) == "3.0\n"


def _shared_cache() -> Path:
    """Keep it between runs: musl takes a minute to compile."""
    return Path(os.environ.get("DOIT_CARGO_CACHE") or Path.home() / ".cache/doit-cargo") / "zig"


def _output(program: Path, triple: str) -> str:
    arch, machine = triple.partition("-")[0], os.uname().machine
    emulator = process.find(f"qemu-{arch}-static")
    if arch != machine and emulator is None:
        pytest.skip(f"no qemu-{arch}-static here to run it")
    words = [emulator, program] if emulator and arch != machine else [program]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout
