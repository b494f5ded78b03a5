"""Cargo alone beside doit: the same commands on the same edits, in a folder that is its own."""

from __future__ import annotations

import shutil
import subprocess  # noqa: TID251
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from world import World

CARGOS = ("target", "built")
"""Where cargo builds in a world."""


class Twin:
    """What no doit has touched."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._folder = world.root.parent / "twin"
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()

    def follow(self, command: str) -> set[str]:
        """Build as doit has just built; the libraries and macros that were made anew."""
        with self._in_place():
            before = held(self._world.root)
            subprocess.run(
                ["sh", "-c", command], cwd=self._world.root, capture_output=True, check=False,
                env=self._world.project.environment(self._world.user),
            )  # fmt: skip
            return made(before, held(self._world.root))

    @contextmanager
    def _in_place(self) -> Iterator[None]:
        root, kept = self._world.root, self._folder.with_name("of-doit")
        kept.mkdir()
        for name in CARGOS:
            move(root / name, kept / name)
            move(self._folder / name, root / name)
        try:
            yield
        finally:
            for name in CARGOS:
                move(root / name, self._folder / name)
                move(kept / name, root / name)
            kept.rmdir()


def held(root: Path) -> set[tuple[Path, int, int]]:
    """Every library and macro that cargo holds, and which file it is."""
    found = (
        path for name in CARGOS for kind in ("rlib", "so")
        for path in (root / name).rglob(f"deps/*.{kind}")
    )  # fmt: skip
    return {(path, path.stat().st_mtime_ns, path.stat().st_ino) for path in found}


def made(before: set[tuple[Path, int, int]], after: set[tuple[Path, int, int]]) -> set[str]:
    """The names of those that are others now."""
    return {path.name.rpartition("-")[0] for path, *_ in after - before}


def unknown(libraries: set[tuple[Path, int, int]]) -> set[str]:
    """The names of those of which cargo has lost the fingerprint: it makes them when next asked."""
    folders = {path.parents[1] / ".fingerprint" for path, *_ in libraries}
    known = {folder: {_package(path) for path in folder.glob("*-*")} for folder in folders}
    return {
        path.name.rpartition("-")[0]
        for path, *_ in libraries
        if _package(path).removeprefix("lib") not in known[path.parents[1] / ".fingerprint"]
    }


def _package(path: Path) -> str:
    return path.name.rpartition("-")[0].replace("-", "_")


def move(path: Path, place: Path) -> None:
    """Rename what is there."""
    if path.exists():
        path.rename(place)
