"""Odd things where the pipeline reads and writes, and secrets in the environment.

Each case is put into a built project. The run must end in time, with a message and no traceback,
or with the right tree; with the odd thing taken away, the next run must work.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from abuse_arena import Arena, Ended, main

CANARY = "canary-5521-secret"
SECRETS = (
    "MY_TOKEN", "CARGO_REGISTRY_TOKEN", "CARGO_REGISTRIES_X_TOKEN", "GITHUB_TOKEN", "PASSWORD",
    "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "RUST_SECRET", "DOIT_SECRET",
)  # fmt: skip
COMMANDS = (
    ("run", "-v", "2", "-a"), ("env",), ("list", "--all"), ("info", "build:x86_64:alpha"),
    ("info", "toolchain:x86_64"), ("show", "--json"), ("audit",), ("doctor",), ("help", "run"),
)  # fmt: skip
STATE = ".doit-cargo"
KEPT = ("state.sqlite3", "index.json", "lock", "log.jsonl", "records", "owned")
OUTPUTS = (
    "docker", "docker/binaries", "docker/binaries/x86_64", "docker/binaries/x86_64/alpha",
    "docker/context", "docker/context/binaries", "docker/context/binaries/alpha",
    f"{STATE}/records/x86_64", f"{STATE}/records/x86_64/verify",
)  # fmt: skip
NO_RIGHTS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")


class Case(NamedTuple):
    """What is put where, and the words before `doit`."""

    name: str
    prepare: Callable[[Arena], object]
    words: tuple[str, ...] = ()


def gone(path: Path) -> None:
    """Remove whatever it is."""
    if path.is_dir() and not path.is_symlink():
        path.chmod(0o755)
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def put(name: str, what: str, arena: Arena) -> None:
    """Something odd at that place."""
    path, outside = arena.project.path(name), arena.project.root.parent / "outside"
    gone(path)
    gone(outside)
    outside.mkdir()
    path.parent.mkdir(parents=True, exist_ok=True)
    ODDITIES[what](path, outside)


ODDITIES: dict[str, Callable[[Path, Path], object]] = {
    "file": lambda path, _: path.write_text("x"),
    "folder": lambda path, _: (path / "inside").mkdir(parents=True),
    "pipe": lambda path, _: os.mkfifo(path),
    "link": lambda path, outside: path.symlink_to(outside),
    "dangling": lambda path, outside: path.symlink_to(outside / "absent"),
    "loop": lambda path, _: path.symlink_to(path),
    "unreadable": lambda path, _: path.mkdir(mode=0),
}


def shell(text: str) -> tuple[str, ...]:
    """Words that set something up in a shell and then become doit."""
    return ("sh", "-c", text + '; exec "$0" "$@"')


def mounted(text: str) -> tuple[str, ...]:
    """The same with mounts that nobody else sees."""
    return ("unshare", "-m", *shell(text))


def nothing(arena: Arena) -> None:
    del arena


def cases() -> list[Case]:
    """All of them."""
    return [*odd_things(), *surroundings(), *small_disks()]


def odd_things() -> Iterator[Case]:
    """Something else where a file or folder of the pipeline belongs, without root's rights."""
    for name in (STATE, *(f"{STATE}/{kept}" for kept in KEPT), *OUTPUTS):
        for what in ODDITIES:
            yield Case(f"{what} at {name}", partial(put, name, what), NO_RIGHTS)


def surroundings() -> Iterator[Case]:
    """HOME, limits and streams."""
    homes = ("unset HOME", "HOME=", "HOME=/proc/nowhere", "HOME=relative", "HOME=/etc/passwd")
    limits = (f"ulimit -n {number}" for number in range(8, 44, 3))
    streams = (">&-", "2>&-", "<&-", ">&- 2>&-", ">/dev/full", "2>/dev/full")
    for text in (*homes, *limits, *(f"exec {stream}" for stream in streams)):
        yield Case(text, nothing, shell(text))


def small_disks() -> Iterator[Case]:
    """File systems that are full, and one that is not writable."""
    for name in ("docker", STATE, "docker/context"):
        for size in (4096, 16384, 65536, 600_000):
            mount = mounted(f"mount -t tmpfs -o size={size} none {name}")
            yield Case(f"{size} bytes at {name}", partial(put, name, "folder"), mount)
    readonly = mounted("mount --bind . . && mount -o remount,ro,bind . && cd .")
    yield Case("read-only root", nothing, readonly)


def search(folder: Path, seed: int, count: int) -> Iterator[str]:
    """So many cases drawn at random, and the canary."""
    arena = Arena(folder / "project")
    drawn = cases()
    random.Random(seed).shuffle(drawn)  # noqa: S311 - to be repeated by its seed
    for case in drawn[:count]:
        for fault in attempt(arena, case):
            yield f"{case.name}: {fault}"
    yield from (f"canary: {fault}" for fault in canary(arena))
    yield f"# places: {len(drawn[:count])} of {len(drawn)} cases"


def attempt(arena: Arena, case: Case) -> Iterator[str]:
    """Run the case, and then without it."""
    arena.spoil()
    case.prepare(arena)
    done = arena.run(*case.words)
    yield from complaints(arena, done)
    for name in (*OUTPUTS, STATE, *(f"{STATE}/{kept}" for kept in KEPT)):
        path = arena.project.path(name)
        if path.is_symlink() or path.is_fifo() or (path.exists() and _odd(path)):
            gone(path)
    done = arena.run("sh", "-c", 'exec "$0" --force')
    if done.code != 0 or arena.project.tree("docker") != arena.good:
        yield f"not fixed: {done.code}\n{done.text}"
        gone(arena.project.path(STATE))
        arena.run()


def _odd(path: Path) -> bool:
    """A file in a folder's place, the reverse, or what may not be read."""
    wanted = path.suffix == "" and path.name != "lock"
    return path.is_dir() != wanted or path.stat().st_mode & 0o400 == 0


def complaints(arena: Arena, done: Ended) -> Iterator[str]:
    """What may not be said or left, whatever was put in the way."""
    if done.code is None:
        yield f"stuck\n{done.text}"
    if "Traceback" in done.text:
        yield f"a traceback\n{done.text}"
    elif done.code and "ERROR" not in done.text and "FAILED" not in done.text:
        yield f"ended with {done.code} and said: {done.text!r}"
    elif done.code and not any(name in done.text for name in ("docker", STATE, "tool", "Too many")):
        yield f"names no path: {done.text[-300:]!r}"
    outside = arena.project.root.parent / "outside"
    written = [str(p) for p in outside.rglob("*")] if outside.exists() else []
    yield from (f"written through a link: {path}" for path in written)
    yield from (f"half a file: {name}" for name in arena.half_written())


def canary(arena: Arena) -> Iterator[str]:
    """No secret of the environment in what is said or written."""
    env = dict.fromkeys(SECRETS, CANARY)
    arena.project.built("alpha").unlink(missing_ok=True)
    for words in COMMANDS:
        done = arena.project.doit(*words, env=env)
        if CANARY in done.stdout + done.stderr:
            yield f"doit {' '.join(words)} prints it"
    for path in arena.project.root.rglob("*"):
        if path.is_file() and CANARY.encode() in path.read_bytes():
            yield f"{path} holds it"


if __name__ == "__main__":
    main(search, count=200)
