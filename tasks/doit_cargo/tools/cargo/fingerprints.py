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


def forget(profile_folders: Iterable[Path], packages: frozenset[str] | None) -> None:
    """Remove the fingerprints of these packages (None: of all), so that cargo compiles them.

    A fingerprint folder is named `<package>-<16 hex digits>`; without it cargo takes the unit
    for never built. Should a cargo lay its folders out in another way, it reports the package
    as fresh, which the build treats as an error.
    """
    for name, path in _units(profile_folders):
        if packages is None or name in packages:
            shutil.rmtree(path)


def profile_folders(folder: Path) -> list[Path]:
    """Those of every profile: what changed is as stale in the others, when their turn comes."""
    return [path.parent for path in folder.glob("*/.fingerprint")]


def forget_script_runs(profile_folders: Iterable[Path]) -> None:
    """Make cargo run every build script again, as after a change of what they may have read."""
    for _, path in _units(profile_folders):
        if any(entry.name.startswith("run-build-script-") for entry in os.scandir(path)):
            shutil.rmtree(path)


def _units(profile_folders: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """(package, fingerprint folder) of every unit."""
    for folder in profile_folders:
        with suppress(FileNotFoundError), os.scandir(folder / ".fingerprint") as entries:
            for entry in list(entries):
                if package := package_of(entry.name):
                    yield package, entry.path
