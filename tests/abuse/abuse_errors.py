"""Lets one system call fail; the run must say so in one message, and the next one must work."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from abuse_arena import WRITERS, Arena, Ended, inject, main, reached

ERRORS = ("ENOSPC", "EIO", "EROFS", "EACCES", "EMFILE", "EDQUOT")
SPAWNERS = ("pipe2", "vfork", "clone", "clone3", "execve", "mmap", "openat", "flock")
MOST = 15  # of the calls that start processes: cargo's own come soon after


def moments(arena: Arena, seed: int, count: int) -> list[tuple[str, str, int, bool]]:
    """So many (call, error, n, whether cargo has to compile): a full disk first, at every write.

    The others are drawn at random.
    """
    most = reached(arena, WRITERS)
    every = [(c, e, n, False) for c in WRITERS for e in ERRORS for n in range(1, most[c] + 1)]
    every += [(c, e, n, True) for c in SPAWNERS for e in ("EMFILE", "ENOMEM", "EAGAIN")
              for n in range(1, MOST + 1)]  # fmt: skip
    random.Random(seed).shuffle(every)  # noqa: S311 - to be repeated by its seed
    every.sort(key=lambda moment: moment[1] != "ENOSPC")
    return every[:count]


def search(folder: Path, seed: int, count: int) -> Iterator[str]:
    """Fail and recover."""
    arena = Arena(folder / "project")
    failed, drawn = 0, moments(arena, seed, count)
    for call, error, number, compiles in drawn:
        arena.spoil()
        if compiles:
            arena.project.built("alpha").unlink(missing_ok=True)
        done = arena.run(*inject(call, f"error={error}", number))
        failed += done.code != 0
        for fault in [*_complaints(arena, done), *arena.recovers()]:
            yield f"{call} {error} {number} compile={compiles}: {fault}"
        for path in arena.temporaries():
            Path(path).unlink()
    full = sum(moment[1] == "ENOSPC" for moment in drawn)
    yield f"# errors: {len(drawn)} runs, {full} with a full disk, {failed} of them failed"


def _complaints(arena: Arena, done: Ended) -> Iterator[str]:
    if done.code is None:
        yield f"stuck\n{done.text}"
    if "Traceback" in done.text and "doit_cargo" in done.text:
        yield f"a traceback\n{done.text}"
    if done.code == 0 and arena.project.tree("docker") != arena.good:
        yield f"ended with 0 and another tree\n{done.text}"
    if done.code and not done.text.strip():
        yield f"ended with {done.code} without a word"
    yield from (f"half a file: {name}" for name in arena.half_written())


if __name__ == "__main__":
    main(search, count=200)
