"""What doctor foretells, against what builds really call: real programs, without a tool each.

    python tests/corpus/foretold.py [--work FOLDER] [NAME …]

Each workspace is built once with all tools, behind scripts that write down which of them is called:
a build that never calls a tool does not need it. What is called is taken away, and the workspace is
built again: if it fails, the tool is needed. For each tool doctor is asked on a PATH without it.
Prints a table and ends with 1 if there is a miss (needed, but not foretold) or a false alarm. The
bundled workspace and `services` come first, then these of programs.yaml.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess  # noqa: TID251 - doit
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from corpus.attempt import prepare
from corpus.run import HERE, WORK, programs
from corpus.workspaces import adopted
from helpers.programs import link_all
from helpers.project import DOIT, REPOSITORY, Project

NAMES = ("ripgrep", "xh", "eza")
TOOLS = ("cmake", "make", "perl", "nasm", "pkg-config", "python3", "go", "curl")
CALLED = '#!/bin/sh\necho {name} >> {log}\nexec {real} "$@"\n'


def main() -> int:
    """Make the workspaces, ask and build, print the table."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--work", type=Path, default=WORK / "foretold")
    options = parser.parse_args()
    wrong = 0
    sys.stdout.write("| workspace | tool | called | needed | foretold |\n|---|---|---|---|---|\n")
    for name, root in _workspaces(options.work, options.names):
        for tool, called, needed, told in _cases(root, options.work / f"{name}-bin"):
            wrong += needed is not told
            cells = (name, tool, *map(_word, (called, needed, told)))
            sys.stdout.write(f"| {' | '.join(cells)} |{'' if needed is told else '  WRONG'}\n")
            sys.stdout.flush()
    return int(wrong > 0)


def _workspaces(work: Path, names: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Each by its name, made anew."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    subprocess.run(["git", "clone", "-q", REPOSITORY, work / "bundled"], check=True)
    yield "bundled", work / "bundled"
    yield "services", adopted("services", work).root
    known = programs(HERE / "programs.yaml")
    for name in names:
        prepare(known[name], work / name, ["x86_64"])
        yield name, work / name


def _cases(root: Path, folder: Path) -> Iterator[tuple[str, bool, bool, bool]]:
    """For each tool: whether a build calls it, fails without it, and doctor says so."""
    log = folder.with_suffix(".log")
    log.touch()
    if not _builds(root, _path(folder, log)):
        sys.exit(f"{root} does not build")
    called = set(log.read_text().split())
    for tool in TOOLS:
        env = _path(folder, log, without=tool)
        done = _doit(root, env, "doctor")
        notes = [line for line in done.stdout.splitlines() if line.startswith("note")]
        told = any(f" {tool}" in line.partition(", which is not")[0] for line in notes)
        needed = tool in called and not _builds(root, env)
        yield tool, tool in called, needed, told


def _path(folder: Path, log: Path, without: str = "") -> dict[str, str]:
    """A PATH of one folder with all that this machine has, and a script for each tool."""
    shutil.rmtree(folder, ignore_errors=True)
    link_all(folder)
    for tool in TOOLS:
        real = shutil.which(tool)
        (folder / tool).unlink(missing_ok=True)
        if tool != without and real:
            (folder / tool).write_text(CALLED.format(name=tool, log=log, real=real))
            (folder / tool).chmod(0o755)
    return {"PATH": str(folder)}


def _builds(root: Path, env: dict[str, str]) -> bool:
    """Whether all is compiled, from nothing."""
    shutil.rmtree(root / "target", ignore_errors=True)
    shutil.rmtree(root / ".doit-cargo", ignore_errors=True)
    return _doit(root, env, "build").returncode == 0


def _doit(root: Path, env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DOIT, *words], cwd=root, env=Project.environment(env), text=True, capture_output=True,
        check=False,
    )  # fmt: skip


def _word(value: bool) -> str:
    return "yes" if value else "no"


if __name__ == "__main__":
    sys.exit(main())
