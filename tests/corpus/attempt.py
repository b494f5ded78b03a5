"""One program for one architecture: built by `doit`, then looked at from outside."""

from __future__ import annotations

import os
import re
import subprocess  # noqa: TID251 - doit, readelf and the program itself
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from doit_cargo.core import hosts
from helpers.project import DOIT, Project
from helpers.registry import unpack

TIMEOUT = 3600
ARCHES = MappingProxyType({
    "x86_64": "x86_64-unknown-linux-musl",
    "aarch64": "aarch64-unknown-linux-musl",
    "riscv64": "riscv64gc-unknown-linux-musl",
    "armv7": "armv7-unknown-linux-musleabihf",
})  # fmt: skip


@dataclass(frozen=True)
class Program:
    """A line of programs.yaml."""

    name: str
    version: str
    features: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What a result is kept under: all that is said of the program."""
        return " ".join((self.name, self.version, *self.features))


class Failure(Exception):  # noqa: N818 - a program's, not ours
    """One line: why the program did not come through; and all that was said."""

    def __init__(self, reason: str, output: str = "") -> None:
        super().__init__(reason)
        self.output = output


def targets(arches: Iterable[str]) -> str:
    """The section of pipeline.yaml for these architectures; `doit` alone is for x86_64."""
    lines = (
        f"  {arch}: {{triple: {ARCHES[arch]}, default: {str(arch == 'x86_64').lower()}}}\n"
        for arch in dict.fromkeys(("x86_64", *arches))
    )
    return "targets:\n" + "".join(lines)


def with_targets(text: str, arches: Iterable[str]) -> str:
    """A pipeline.yaml with these architectures in place of its own."""
    return re.sub(r"^targets:\n(?:  .*\n)+", targets(arches), text, flags=re.MULTILINE)


def prepare(program: Program, root: Path, arches: Iterable[str]) -> None:
    """Fetch the program and what it depends on, and adopt it as its user would.

    What `init` writes stands as it is, but for the targets and what programs.yaml asks. Raises
    Failure if something of it fails.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    unpack(program.name, program.version, root)
    if not (root / "Cargo.lock").exists():  # a package may come without it
        _run("cargo", "generate-lockfile", "--quiet", cwd=root)
    _run(DOIT.with_name("doit-cargo"), "init", cwd=root)
    adapt(root / "config/pipeline.yaml", program, arches)
    _run("cargo", "fetch", "--quiet", "--locked", cwd=root)
    _run(DOIT, "setup", *arches, cwd=root)


def adapt(path: Path, program: Program, arches: Iterable[str]) -> None:
    """Put the architectures and the features into what `init` wrote."""
    text = with_targets(path.read_text(), arches)
    if program.features:
        text += f"\nfeatures: {{names: [{', '.join(program.features)}]}}\n"
    path.write_text(text)


def attempt(program: Program, root: Path, arch: str) -> dict[str, object]:
    """Build and check; `reason` is empty if all is well, else the line that says why not."""
    result: dict[str, object] = {"reason": ""}
    try:
        result |= _built(root, arch)
        result |= _settled(root, arch)
        result |= _checked(program, root, arch)
    except Failure as failure:
        result["reason"] = str(failure)
        root.with_name(f"{program.name}-{arch}.log").write_text(failure.output)
    return result


def _built(root: Path, arch: str) -> dict[str, object]:
    """Seconds by the clock and of all processors, whoever else used them."""
    started, before = time.perf_counter(), os.times()
    _run(DOIT, f"stage:{arch}", cwd=root)
    after = os.times()
    user = after.children_user - before.children_user
    system = after.children_system - before.children_system
    return {"seconds": round(time.perf_counter() - started), "cpu": round(user + system)}


def _settled(root: Path, arch: str) -> dict[str, object]:
    """How many more builds it takes until nothing is to do: 0, or 1.

    A build script that writes into its crate's own sources changes what was built from.
    """
    for more in range(2):
        if _run(DOIT, f"stage:{arch}", cwd=root).startswith("up to date"):
            return {"more": more}
    raise Failure("doit always finds something to do")


def _checked(program: Program, root: Path, arch: str) -> dict[str, object]:
    audit = _run(DOIT, "audit", arch, cwd=root).strip()
    binaries = staged(root, arch)
    if not binaries:
        raise Failure("nothing was staged")
    return {
        "crates": len(compiled(program, root, arch)),
        "c": native(root, arch),
        "size": sum(path.stat().st_size for path in binaries),
        "audit": audit,
        "readelf": "; ".join(dict.fromkeys(readelf(path) for path in binaries)),
        "says": [says(path, arch, program.version) for path in binaries],
    }


def staged(root: Path, arch: str) -> list[Path]:
    """The binaries in the build context."""
    context = root / "docker/context" / ("" if arch == "x86_64" else arch)
    return sorted((context / "binaries").glob("*/*"))


def compiled(program: Program, root: Path, arch: str) -> set[str]:
    """The packages that cargo compiles for this target, of those in Cargo.lock."""
    features = ("--features", ",".join(program.features)) if program.features else ()
    tree = _run(
        "cargo", "tree", "--locked", "--target", ARCHES[arch], *features,
        "--edges", "normal,build", "--prefix", "none", "--format", "{p}", cwd=root,
    )  # fmt: skip
    return {line.removesuffix(" (*)") for line in tree.splitlines() if line}


def native(root: Path, arch: str) -> list[str]:
    """The packages whose build script gave rustc a static library of C, C++ or assembly."""
    folder = root / "target" / ARCHES[arch] / "release/build"
    outputs = sorted(folder.glob("*/output"))
    names = (
        path.parent.name.rpartition("-")[0]
        for path in outputs
        if re.search(r"^cargo::?rustc-link-lib=static", path.read_text(), re.MULTILINE)
    )
    return list(dict.fromkeys(names))


def readelf(path: Path) -> str:
    """The type, if binutils too sees neither an interpreter nor a needed library."""
    segments = _run("readelf", "-lW", path, cwd=path.parent)
    dynamic = _run("readelf", "-dW", path, cwd=path.parent)
    if re.search(r"^\s*INTERP\s", segments, re.MULTILINE):
        raise Failure(f"readelf: {path.name} has an interpreter")
    if "(NEEDED)" in dynamic:
        raise Failure(f"readelf: {path.name} needs a shared library")
    found = re.search(r"^Elf file type is (\w+)", segments, re.MULTILINE)
    return found[1] if found else "?"


def emulator(arch: str) -> tuple[str, ...]:
    """What must stand before a program of this architecture."""
    program = hosts.emulator(hosts.this_host(), ARCHES[arch])
    return (program,) if program else ()


def says(path: Path, arch: str, version: str) -> str:
    """The line with its version that the binary prints."""
    output = _run(*emulator(arch), path, "--version", cwd=path.parent)
    line = next((line for line in output.splitlines() if version in line), None)
    if line is None:
        raise Failure(f"{path.name} --version does not say {version}")
    return line


def _run(*argv: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        argv, cwd=cwd, env=Project.environment(None), text=True, capture_output=True, check=False,
        timeout=TIMEOUT,
    )  # fmt: skip
    if done.returncode:
        output = done.stdout + done.stderr
        raise Failure(f"{Path(argv[0]).name}: {reason(output)}", output)
    return done.stdout


def reason(output: str) -> str:
    """The line that says most: the first error, else the last line that is no count."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    lines = [line for line in lines if not re.fullmatch(r"\d+ faults?", line)]
    errors = [line for line in lines if re.match(r"error\b|.*\berror[:\[]", line)]
    return (errors or lines[-1:] or ["failed without a word"])[0]
