"""Makes cargo forget what it built: it trusts times and never reads its outputs, we hash."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_NAME = re.compile(r"(?P<package>.+)-[0-9a-f]{16}")


def package_of(folder: str) -> str | None:
    """The package whose unit has a folder of that name; None if it is none of a unit."""
    match = _NAME.fullmatch(folder)
    return match["package"] if match else None


def forget(folders: Iterable[Path], packages: frozenset[str] | None) -> None:
    """Remove the fingerprints of these packages (None: of all), so that cargo compiles them.

    `folders` are those of one profile: what became of another's is decided by its own records.

    A fingerprint folder is named `<package>-<16 hex digits>`; without it cargo takes the unit
    for never built. Should a cargo lay its folders out in another way, it reports the package
    as fresh, which the build treats as an error.
    """
    for name, path in _units(folders):
        if packages is None or name in packages:
            shutil.rmtree(path)


def forget_readers(folders: Iterable[Path]) -> None:
    """Make cargo run every build script and macro again: they may have read what has changed.

    What a script printed goes too: cargo sees by it whether all above is to be rebuilt. With
    that still there it takes these for fresh, whatever the script says now, and rebuilds them
    in the run after that, since what the script printed is newer than they are.
    """
    for folder in folders:
        macros = _macros(folder)
        for _, path in _units([folder]):
            unit = os.path.basename(path)
            if any(entry.name.startswith("run-build-script-") for entry in os.scandir(path)):
                (folder / "build" / unit / "output").unlink(missing_ok=True)
                shutil.rmtree(path)
            elif unit.rpartition("-")[2] in macros:
                shutil.rmtree(path)


def _macros(folder: Path) -> frozenset[str]:
    """The hashes of the units that are macros: the compiler loads what they are compiled to."""
    found: set[str] = set()
    with suppress(FileNotFoundError), os.scandir(folder / "deps") as entries:
        for entry in entries:
            stem, _, suffix = entry.name.rpartition(".")
            if suffix in ("so", "dylib"):
                found.add(stem.rpartition("-")[2])
    return frozenset(found)


def out_dirs(folders: Iterable[Path], packages: frozenset[str]) -> Iterator[Path]:
    """The OUT_DIRs of these packages' build scripts: cargo never empties one."""
    for folder in folders:
        for path in folder.glob("build/*/out"):
            if package_of(path.parent.name) in packages:
                yield path


def _units(folders: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """(package, fingerprint folder) of every unit."""
    for folder in folders:
        with suppress(FileNotFoundError), os.scandir(folder / ".fingerprint") as entries:
            for entry in list(entries):
                if package := package_of(entry.name):
                    yield package, entry.path
