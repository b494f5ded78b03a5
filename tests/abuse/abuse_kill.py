"""Kills a run at each system call that writes; the next run must end as if nothing had been."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from abuse_arena import WRITERS, Arena, inject, main, reached


def moments(arena: Arena, seed: int, count: int) -> list[tuple[str, int]]:
    """So many of all (system call, n) that a run reaches, drawn at random; none twice."""
    most = reached(arena, WRITERS)
    every = [(call, number) for call in WRITERS for number in range(1, most[call] + 1)]
    random.Random(seed).shuffle(every)  # noqa: S311 - to be repeated by its seed
    return every[:count]


def search(folder: Path, seed: int, count: int) -> Iterator[str]:
    """Kill and recover."""
    arena = Arena(folder / "project")
    killed, drawn = 0, moments(arena, seed, count)
    for call, number in drawn:
        arena.spoil()
        done = arena.run(*inject(call, "signal=KILL", number))
        killed += done.code != 0
        faults = [f"half a file: {name}" for name in arena.half_written()]
        if done.code is None:
            faults.append("stuck")
        for fault in [*faults, *arena.recovers()]:
            yield f"{call} {number}: {fault}"
        _sweep(arena)
    yield f"# kill: {len(drawn)} runs, {killed} of them killed"


def _sweep(arena: Arena) -> None:
    """What one kill left is counted once."""
    for path in arena.temporaries():
        Path(path).unlink()


if __name__ == "__main__":
    main(search, count=200)
