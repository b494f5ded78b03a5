"""What a build script that wants to run in every build costs a run with nothing to do.

    python tests/bench/asking.py

Its script calls protoc. Three rows, each the best and the median of nine: `doit` in the same
workspace without a script, with it, and the script by itself.
"""

from __future__ import annotations

import subprocess  # noqa: TID251 - whole runs are what is measured
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).parents[2] / "tasks")]

from doit_cargo.core.cargo import command
from doit_cargo.core.context import read_context
from doit_cargo.tools.run import script_answers
from helpers.project import SOURCES, Project

TIMES = 9
SCRIPT = """\
fn main() {
    println!("cargo:rerun-if-changed=never");
    let out = std::env::var("OUT_DIR").unwrap() + "/api.bin";
    let protoc = std::env::var("PROTOC").unwrap();
    let done = std::process::Command::new(protoc)
        .args(["--descriptor_set_out", &out, "-I..", "../api.proto"]).status().unwrap();
    assert!(done.success());
}
"""
FILES = {
    **SOURCES,
    "core/build.rs": SCRIPT,
    "api.proto": 'syntax = "proto3";\nmessage M { int32 number = 1; }\n',
}


def main() -> int:
    """Print the rows."""
    with tempfile.TemporaryDirectory(prefix="asking-") as folder:
        row("without a script", idle(Project(Path(folder) / "plain")))
        project = Project(Path(folder) / "asking", FILES)
        row("with one that is asked", idle(project))
        row("the script by itself", alone(project))
    return 0


def idle(project: Project) -> Callable[[], object]:
    """A run of a finished project."""
    project.build()

    def run() -> None:
        assert project.build().startswith("up to date")

    return run


def alone(project: Project) -> Callable[[], object]:
    """The script as it is asked, protoc included."""
    ctx = read_context(project.root, Project.environment({}))
    (target,) = ctx.config.targets
    (known,) = script_answers.known(ctx, target, "core_lib").runs
    (scratch := project.path("scratch")).mkdir()
    env: Mapping[str, str] = {
        **command.cargo_env(ctx, target), **known.env, "OUT_DIR": str(scratch),
    }  # fmt: skip
    cwd = project.path("core")
    return lambda: subprocess.run(
        [known.program], cwd=cwd, env=env, check=True, capture_output=True
    )


def row(name: str, work: Callable[[], object]) -> None:
    """Measure it, and print the best and the median in seconds."""
    found = []
    for _ in range(TIMES):
        began = time.monotonic()
        work()
        found.append(time.monotonic() - began)
    print(f"{name:<24}  {min(found):.3f}  {median(found):.3f}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
