"""What a run costs beside cargo, by the number of crates: cold with a fake cargo, and no-ops.

    python tests/bench/scale.py [1000 3000 10000]

Every crate is below the last ones, so all of them are tasks. A cold run's figure is doit's own
processor time, the fake cargo's taken off, in all and per crate. `doit plan` is beside the no-op.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess  # noqa: TID251 - whole processes are what is measured
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).parents[2] / "tasks")]

from helpers.project import DOIT, REPOSITORY, Project
from helpers.workspaces import generate

FAKE = Path(__file__).with_name("fake_cargo.py")


class Usage(NamedTuple):
    """What a process took: processor seconds with its children's, MiB and threads at most."""

    cpu: float
    memory: float
    threads: int


def main() -> None:
    """Print a row for each size and number of binaries."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int, default=[1000, 3000, 10000])
    for crates in parser.parse_args().sizes:
        for binaries in (10, crates):
            with tempfile.TemporaryDirectory() as folder:
                print(row(Path(folder), crates, binaries), flush=True)


def row(root: Path, crates: int, binaries: int) -> str:
    """Measure one workspace."""
    project, env = made(root, crates, binaries)
    cold = used([str(DOIT)], project.root, env)
    own = cold.cpu - float((root / "fake-cargo.seconds").read_text())
    again, asked = (
        min(used([str(DOIT), *words], project.root, env) for _ in range(3))
        for words in ([], ["plan"])
    )
    return (
        f"{crates:6} crates, {binaries:5} binaries: "
        f"cold {own:6.2f} CPU s beside cargo ({own / crates * 1000:.2f} ms a crate, "
        f"{cold.memory:.0f} MiB, {cold.threads} threads); "
        f"no-op {again.cpu:.2f} CPU s, {again.memory:.0f} MiB; "
        f"plan {asked.cpu / again.cpu:.2f} of that"
    )


def made(root: Path, crates: int, binaries: int) -> tuple[Project, dict[str, str]]:
    """A workspace with a cargo on PATH that compiles nothing."""
    generate(root, crates=crates, files=5, dependencies=3, binaries=binaries, seed=1, dense=True)
    project = Project(root, {"Cargo.lock": "version = 4\n"})
    tools = root.with_name(f"{root.name}-tools")
    tools.mkdir(exist_ok=True)
    (tools / "cargo").write_text(f'#!/bin/sh\nexec {sys.executable} -I {FAKE} "$@"\n')
    (tools / "cargo").chmod(0o755)
    asked = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, check=True)
    rustc = Path(asked.stdout.decode().strip(), "bin", "rustc")
    if not (tools / "rustc").exists():
        (tools / "rustc").symlink_to(rustc)
    (root / "fake-cargo.json").write_text(json.dumps(described(root, crates, binaries)))
    env = {"PATH": f"{tools}:{os.environ['PATH']}"}
    return project, Project.environment(env)


def described(root: Path, crates: int, binaries: int) -> dict[str, object]:
    """The workspace as the fake cargo reads it."""
    draw = random.Random(1)  # noqa: S311 - the same as generate's
    found = []
    for i in range(crates):
        below = sorted({*draw.sample(range(i), min(i, 3)), *([i - 1] if i else [])})
        name = f"crate_{i:04}"
        found.append({
            "name": name, "manifest": f"{root}/crates/{name}/Cargo.toml",
            "dependencies": [f"crate_{j:04}" for j in below],
            "bins": [name] if i >= crates - binaries else [],
        })  # fmt: skip
    executable = next((REPOSITORY / "docker/context/binaries").glob("*/*"))
    shutil.copy(executable, root / "executable")
    return {"crates": found, "executable": str(root / "executable")}


def used(argv: list[str], cwd: Path, env: dict[str, str]) -> Usage:
    """Run a process and watch it."""
    child = subprocess.Popen(argv, cwd=cwd, env=env, stdout=subprocess.DEVNULL)
    threads = 0
    while not (ended := os.wait4(child.pid, os.WNOHANG))[0]:
        with suppress(OSError):
            threads = max(threads, len(os.listdir(f"/proc/{child.pid}/task")))
        time.sleep(0.01)
    _, status, usage = ended
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"doit ended with {child.returncode} in {cwd}")
    return Usage(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, threads)


if __name__ == "__main__":
    main()
