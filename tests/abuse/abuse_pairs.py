"""Two runs at once, with edits and kills in between; then all must be as of a clean run."""

from __future__ import annotations

import os
import random
import signal
import subprocess  # noqa: TID251 - the searches drive real processes
import time
from collections.abc import Iterator
from pathlib import Path

from abuse_arena import GREETING, main, stop_group

from helpers.project import Project

LIMIT = 90
LIBRARY = "core/src/lib.rs"


def search(folder: Path, seed: int, count: int) -> Iterator[str]:
    """A round a pair."""
    draw = random.Random(seed)  # noqa: S311 - to be repeated by its seed
    project = Project(folder)
    project.build()
    for number in range(count):
        for fault in _round(project, draw, f"round{number}"):
            yield f"{number}: {fault}"
    yield f"# pairs: {count} rounds"


def _round(project: Project, draw: random.Random, word: str) -> Iterator[str]:
    _edit(project, draw, word)
    first = project.start()
    time.sleep(draw.uniform(0, 1.5))
    kill, edit = draw.random() < 0.3, draw.random() < 0.5
    if edit:
        _edit(project, draw, word + "b")
    second = project.start()
    if kill:
        time.sleep(draw.uniform(0, 0.8))
        os.kill(first.pid, signal.SIGKILL)
    yield from _verdict("the first", first, {0, -9} if kill else {0})
    yield from _verdict("the second", second, {0})
    yield from _end(project)


def _edit(project: Project, draw: random.Random, word: str) -> None:
    """Another greeting, or another word in one of the programs; sometimes with the old time."""
    name = draw.choice([LIBRARY, "alpha/src/main.rs", "beta/src/main.rs"])
    path = project.path(name)
    before = path.stat().st_mtime_ns
    text = GREETING.replace("hello", word)
    if name != LIBRARY:
        program = name.split("/")[0]
        text = f'fn main() {{ println!("{program} {{}} {word}", core_lib::greet()); }}\n'
    path.write_text(text)
    if draw.random() < 0.3:
        os.utime(path, ns=(before, before))


def _verdict(who: str, process: subprocess.Popen[str], codes: set[int]) -> Iterator[str]:
    try:
        said, errors = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        stop_group(process.pid)
        yield f"{who} is stuck"
        return
    if process.returncode not in codes or "Traceback" in errors:
        yield f"{who} ended with {process.returncode}\n{said}{errors}"


def _end(project: Project) -> Iterator[str]:
    """What is staged after one more run says what the sources say."""
    done = project.doit()
    if done.returncode:
        yield f"the run after: {done.returncode}\n{done.stdout}{done.stderr}"
    yield from stale(project)


def stale(project: Project) -> Iterator[str]:
    """Staged programs that say anything else than their sources."""
    greeting = project.path(LIBRARY).read_text().split('"')[1]
    for name in ("alpha", "beta"):
        text = project.path(f"{name}/src/main.rs").read_text().split('"')[1]
        wanted = text.replace("{}", greeting)
        said = subprocess.run(
            [project.staged(name)], capture_output=True, text=True, check=False
        ).stdout.strip()
        if said != wanted:
            yield f"{name} is stale: it says {said!r}, its source {wanted!r}"


if __name__ == "__main__":
    main(search, count=30)
