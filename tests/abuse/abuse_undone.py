"""An edit that is compiled, killed before it is noted, and taken back with its old time.

Cargo trusts times: what it made of the edit lies there and looks fresh. The next run that links
it must see that.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from abuse_arena import GREETING, inject, main, run, stop_group
from abuse_pairs import LIBRARY, stale

from helpers.project import DOIT, Project

CALLS = ("renameat", "fsync", "unlinkat", "fchmod", "fdatasync")


def search(folder: Path, seed: int, count: int) -> Iterator[str]:
    """Edit, kill, take back, edit what depends on it."""
    draw = random.Random(seed)  # noqa: S311 - to be repeated by its seed
    project = Project(folder)
    project.build()
    for number in range(count):
        kept = _edit(project, f"undone{number}")
        how = _broken_off(project, draw)
        _take_back(project, kept)
        path = project.path(draw.choice(["alpha/src/main.rs", "beta/src/main.rs"]))
        path.write_text(path.read_text() + "// \n")
        done = project.doit()
        if done.returncode:
            yield f"{number} {how}: ended with {done.returncode}\n{done.stdout}{done.stderr}"
        for fault in stale(project):
            yield f"{number} {how}: {fault}"
    yield f"# undone: {count} rounds"


def _edit(project: Project, word: str) -> Path:
    source = project.path(LIBRARY)
    kept = source.with_suffix(".kept")
    shutil.copy2(source, kept)
    source.write_text(GREETING.replace("hello", word))
    return kept


def _take_back(project: Project, kept: Path) -> None:
    """As `git stash` would not, and `mv` and `rsync -t` do: with the old time."""
    kept.replace(project.path(LIBRARY))


def _broken_off(project: Project, draw: random.Random) -> str:
    """By a kill at a system call, or after a while; or it was cargo alone that compiled."""
    how = draw.choice(["call", "time", "cargo"])
    if how == "call":
        call, number = draw.choice(CALLS), draw.randint(1, 3)
        run([*inject(call, "signal=KILL", number), str(DOIT)], project)
        return f"killed at {call} {number}"
    if how == "time":
        running, delay = project.start(), draw.uniform(0.2, 1.2)
        time.sleep(delay)
        stop_group(running.pid)
        running.communicate()
        return f"killed after {delay:.2f} s"
    run(["sh", "-c", project.build("env")], project, dict(os.environ))
    return "cargo by hand"


if __name__ == "__main__":
    main(search, count=40)
