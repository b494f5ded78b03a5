"""Kills a run at each system call that writes; the next run must end as if nothing had been.

A point is a situation, a system call and its number; all of them are drawn, none twice.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from abuse_arena import WRITERS, Arena, inject, main, reached


def staged(arena: Arena) -> None:
    """All but cargo's own output is gone: verify, package, manifest and stage write anew."""
    arena.spoil()


def forgotten(arena: Arena) -> None:
    """Nothing is known of any run: records and state are written from the start."""
    shutil.rmtree(arena.project.path(".doit-cargo"))
    shutil.rmtree(arena.project.path("docker"))


def edited(arena: Arena) -> None:
    """Every file changes: each old one is replaced."""
    arena.edit()


def altered(arena: Arena) -> None:
    """Files of ours were edited by hand, and foreign ones lie beside them."""
    binaries = arena.project.path("docker/binaries/x86_64")
    (binaries / "MANIFEST.txt").write_text("other\n")
    (binaries / "alpha/alpha").write_bytes(b"other")
    arena.project.staged("beta").chmod(0o600)
    for name in ("docker/binaries/x86_64/foreign/a", "docker/context/binaries/foreign/b"):
        arena.project.path(name).parent.mkdir(exist_ok=True)
        arena.project.path(name).write_text("x")


def damaged(arena: Arena) -> None:
    """The state is no database: it is set aside, and every task is run."""
    arena.project.path(".doit-cargo/state.sqlite3").write_bytes(b"damaged" * 1000)
    arena.project.path(".doit-cargo/index.json").write_bytes(b"{")


Spoil = Callable[[Arena], None]
SITUATIONS: tuple[Spoil, ...] = (staged, forgotten, edited, altered, damaged)


def points(arena: Arena) -> list[tuple[Spoil, str, int]]:
    """All that an undisturbed run reaches in each situation."""
    found: list[tuple[Spoil, str, int]] = []
    for spoil in SITUATIONS:
        most = reached(arena, WRITERS, spoil)
        found += [(spoil, call, n) for call in WRITERS for n in range(1, most[call] + 1)]
    return found


def search(folder: Path, seed: int, count: int) -> Iterator[str]:
    """Kill and recover."""
    arena = Arena(folder / "project")
    every = points(arena)
    random.Random(seed).shuffle(every)  # noqa: S311 - to be repeated by its seed
    killed = 0
    for spoil, call, number in every[:count]:
        spoil(arena)
        done = arena.run(*inject(call, "signal=KILL", number))
        killed += done.code != 0
        faults = [] if spoil is altered else [f"half: {name}" for name in arena.half_written()]
        if done.code is None:
            faults.append("stuck")
        for fault in [*faults, *arena.recovers()]:
            yield f"{spoil.__name__} {call} {number}: {fault}"
        _sweep(arena)
    yield f"# kill: {len(every[:count])} of {len(every)} points, {killed} runs killed"


def _sweep(arena: Arena) -> None:
    """What one kill left is counted once."""
    for path in arena.temporaries():
        Path(path).unlink()


if __name__ == "__main__":
    main(search, count=200)
