"""Damages, replaces or rolls back what is remembered; nothing stale may come of it."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from abuse_arena import GREETING, main
from abuse_pairs import LIBRARY, stale

from helpers.project import Project

JUNK = (
    b"", b"\0", b"[]", b"5", b"{}", b"null", b'{"elsewhere": 5}', b'{"elsewhere": [1, null]}',
    b'{"elsewhere": ["a\\u0000b", "\\ud800"]}', b'{"libraries": 5}',
    b'{"libraries": ["\\u0000", 5]}',
    b'{"size": "a", "sha256": 5, "passed": 1}', b'{"packages": 5}', b'{"digest": {}, "target": []}',
    b'{"elsewhere": {"a": 1}}', b"[" * 100_000,
    b'{"version": 1, "files": {"a": [[1, 2, 3, 4, 5], 5]}}', b"SQLite format 3\0" + b"\0" * 4080,
)  # fmt: skip


def search(folder: Path, seed: int, count: int) -> Iterator[str]:
    """Up to four forgeries a round, and perhaps an edit."""
    draw = random.Random(seed)  # noqa: S311 - to be repeated by its seed
    project = Project(folder / "project")
    project.build()
    number = rounds = 0
    while number < count:
        many = draw.choice([1, 2, 3, 4])
        forged = [_forge(project, draw) for _ in range(many)]
        number, rounds = number + many, rounds + 1
        edit = draw.random() < 0.5
        if edit:
            _edit(project, draw, f"word{number}")
        for fault in _verdict(project):
            yield f"{number} {forged} edit={edit}: {fault}"
    yield f"# forge: {number} forgeries in {rounds} rounds"


def _forge(project: Project, draw: random.Random) -> str:
    how = draw.choice(FORGERIES)
    return f"{how.__name__} {how(project, draw)}"


def _verdict(project: Project) -> Iterator[str]:
    done = project.doit()
    said = done.stdout + done.stderr
    if "Traceback" in said:
        yield f"a traceback\n{said}"
    if done.returncode:
        yield f"ended with {done.returncode}\n{said}"
        shutil.rmtree(project.path(".doit-cargo"), ignore_errors=True)
        project.doit("--force")
    yield from stale(project)


def _edit(project: Project, draw: random.Random, word: str) -> None:
    path = project.path(LIBRARY)
    before = path.stat().st_mtime_ns
    path.write_text(GREETING.replace("hello", word))
    if draw.random() < 0.5:
        os.utime(path, ns=(before, before))


def _victim(project: Project, draw: random.Random) -> Path:
    files = sorted(p for p in project.path(".doit-cargo").rglob("*") if p.is_file())
    return draw.choice(files)


def flip(project: Project, draw: random.Random) -> str:
    """Some bits of a file."""
    path = _victim(project, draw)
    data = bytearray(path.read_bytes())
    for _ in range(draw.choice([1, 3, 50]) if data else 0):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(data)
    return path.name


def cut(project: Project, draw: random.Random) -> str:
    """The end of a file."""
    path = _victim(project, draw)
    os.truncate(path, draw.randrange(path.stat().st_size + 1))
    return path.name


def replace(project: Project, draw: random.Random) -> str:
    """A file by something else."""
    path, junk = _victim(project, draw), draw.choice(JUNK)
    path.write_bytes(junk)
    return f"{path.name} {junk[:40]!r}"


def folder_for_file(project: Project, draw: random.Random) -> str:
    """A folder where a file of the records was."""
    found = sorted(p for p in project.path(".doit-cargo/records").rglob("*.json") if p.is_file())
    path = draw.choice(found)
    path.unlink()
    path.mkdir()
    return path.name


def log_of_another(project: Project, draw: random.Random) -> str:
    """A write-ahead log that belongs to no database."""
    path = project.path(".doit-cargo/state.sqlite3-wal")
    path.write_bytes(draw.randbytes(draw.choice([0, 32, 5000])))
    return path.name


def roll_back(project: Project, draw: random.Random) -> str:
    """An old state folder, as a cache that was restored: sources and outputs are newer."""
    state, kept = project.path(".doit-cargo"), project.root.parent / "kept"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(state, kept)
    source = project.path(LIBRARY)
    old, times = source.read_text(), source.stat()
    _edit(project, draw, f"between{draw.randrange(999)}")
    project.build()
    shutil.rmtree(state)
    shutil.copytree(kept, state)
    source.write_text(old)
    os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    path = project.path("alpha/src/main.rs")
    path.write_text(path.read_text() + "// \n")
    return "all"


FORGERIES: tuple[Callable[[Project, random.Random], str], ...] = (
    flip, flip, cut, replace, replace, folder_for_file, log_of_another, roll_back,
)  # fmt: skip


if __name__ == "__main__":
    main(search, count=100)
