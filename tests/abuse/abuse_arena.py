"""What the searches share: a built project, ways to spoil and fix it, and a verdict."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess  # noqa: TID251 - the searches drive real processes
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from helpers.project import DOIT, Project

WRITERS = (
    "write", "pwrite64", "renameat", "rename", "unlink", "unlinkat", "mkdir", "mkdirat",
    "fsync", "fdatasync", "ftruncate", "fchmod",
)  # fmt: skip
GREETING = 'pub fn greet() -> &\'static str { "hello" }\n'


class Ended(NamedTuple):
    """A finished run: exit code (None: it had to be stopped) and what it said."""

    code: int | None
    text: str


class Arena:
    """A built project and the tree that every undisturbed run must end with."""

    def __init__(self, root: Path) -> None:
        self.project = Project(root)
        self.project.build()
        self.good = self.before = self.project.tree("docker")
        self._greetings = {"hello": self.good}

    def spoil(self) -> None:
        """Take away what is made without cargo, so that a run makes it again."""
        shutil.rmtree(self.project.path("docker"), ignore_errors=True)
        shutil.rmtree(self.project.path(".doit-cargo/records/x86_64/verify"), ignore_errors=True)

    def edit(self) -> None:
        """Let the library greet in the other way: a run compiles, and ends with another tree."""
        path = self.project.path("core/src/lib.rs")
        word = "world" if "hello" in path.read_text() else "hello"
        if word not in self._greetings:
            old = path.read_text()
            path.write_text(GREETING.replace("hello", word))
            self.project.build()
            self._greetings[word] = self.project.tree("docker")
            path.write_text(old)
            self.project.build()
        path.write_text(GREETING.replace("hello", word))
        self.before, self.good = self.good, self._greetings[word]

    def run(self, *before: str, env: Mapping[str, str] | None = None) -> Ended:
        """Run doit behind other words of a command line."""
        return run([*before, str(DOIT)], self.project, env)

    def half_written(self) -> list[str]:
        """Files in docker/ whose name is final and whose bytes or mode are not."""
        found = self.project.tree("docker") if self.project.path("docker").exists() else {}
        return [
            name
            for name, good in self.good.items()
            if found.get(name, good) not in (good, self.before.get(name))
        ]

    def recovers(self) -> list[str]:
        """What is wrong after one more, undisturbed run."""
        done = self.run()
        faults = [] if done.code == 0 else [f"the next run: {done.code}\n{done.text}"]
        if self.project.tree("docker") != self.good:
            faults.append(f"another tree: {sorted(self.project.tree('docker'))}")
        return faults + [f"left behind: {path}" for path in self.temporaries()]

    def temporaries(self) -> list[str]:
        """Temporary files that nobody has removed."""
        places = (self.project.path(name) for name in ("docker", ".doit-cargo"))
        return [str(p) for place in places for p in place.rglob(".*.tmp")]


def run(
    argv: Sequence[str], project: Project, env: Mapping[str, str] | None = None, limit: float = 40
) -> Ended:
    """Run to the end, or for so many seconds."""
    process = subprocess.Popen(
        argv, cwd=project.root, env=project.environment(env), text=True, errors="replace",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        stop_group(process.pid)
        said, _ = process.communicate()
        return Ended(None, said)
    return Ended(process.returncode, said)


def stop_group(leader: int) -> None:
    """Kill all processes of a session that was started here."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def inject(call: str, what: str, number: int) -> list[str]:
    """The strace command line that disturbs the n-th such call of each thread."""
    return [
        "strace", "-f", "-qq", "-o", "/dev/null",
        "-e", f"trace={call}", "-e", f"inject={call}:{what}:when={number}",
    ]  # fmt: skip


def reached(
    arena: Arena, calls: Sequence[str], spoil: Callable[[Arena], object] = Arena.spoil
) -> dict[str, int]:
    """How often the busiest thread of an undisturbed run makes each of these system calls."""
    trace = arena.project.root.parent / "trace"
    spoil(arena)
    arena.run("strace", "-f", "-qq", "-o", str(trace), "-e", "trace=" + ",".join(calls))
    lines = (line.split(None, 2) for line in trace.read_text(errors="replace").splitlines())
    made = Counter((words[0], words[1].partition("(")[0]) for words in lines)
    most = dict.fromkeys(calls, 0)
    for (_, call), number in made.items():
        if call in most:
            most[call] = max(most[call], number)
    return most


Search = Callable[[Path, int, int], Iterator[str]]
"""Takes a folder, a seed and a count; yields one line for each fault, and `#` lines of facts."""


def main(search: Search, *, count: int) -> None:
    """The command line of a search; exit code 1 if it found something."""
    parser = argparse.ArgumentParser(description=search.__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=count)
    options = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory(prefix="abuse-") as folder:
        for line in search(Path(folder), options.seed, options.count):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
            bad += not line.startswith("#")
    sys.exit(1 if bad else 0)


def faults_of(search: Search, folder: Path, *, seed: int, count: int) -> list[str]:
    """The faults that a search finds (for tests)."""
    return [line for line in search(folder, seed, count) if not line.startswith("#")]
