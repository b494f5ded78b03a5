"""Knows by hash what cargo keeps of packages for later builds and never reads again.

Libraries of third-party crates, macros, build scripts and what those left in their OUT_DIR: a
later build links and compiles them as they lie there. What differs from what the last build left
is rebuilt; what no build of ours made is cargo's word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from doit_cargo.core import layout
from doit_cargo.core.model import Config
from doit_cargo.core.record import digest, encode, paths, read
from doit_cargo.tools import files
from doit_cargo.tools.key import trusting
from doit_cargo.tools.run.content_index import FileIndex

_KIND = "cargo-cache"

Packages = dict[str, dict[str, str]]
"""Package name → path of a file → its SHA-256; a folder's path ends with a slash, its value is
a digest of the names below it."""


class CargoCache:
    """The record of one workspace. It has an index of its own, which no no-op has to load."""

    def __init__(self, config: Config, target_directory: Path) -> None:
        self._config = config
        self._target_directory = target_directory
        self._below = f"{target_directory}/"
        self._index_path = layout.cargo_cache_index(config)
        self._seal = trusting(config.outputs.state)
        self._index = FileIndex(self._index_path, self._seal._replace(trusting=False))
        self._known = self._read()

    def changed(self) -> frozenset[str] | None:
        """The packages that aren't as the last build left them; None: nothing is known of any.

        What lies in another target directory, which a configuration had named, is looked at when
        cargo builds there again.
        """
        if self._known is None:
            return None
        here = {name: self._here(paths) for name, paths in self._known.items()}
        return frozenset(name for name, paths in here.items() if self._look(paths) != paths)

    def drop_folders(self, packages: Iterable[str]) -> None:
        """Remove these packages' OUT_DIRs: a build script finds no foreign file in its own."""
        known = self._known or {}
        for path in (Path(path) for name in packages for path in known.get(name, {})):
            if path.name == "out" and path.is_relative_to(self._target_directory):
                files.remove(self._target_directory, path)

    def note(self, made: Mapping[str, Iterable[str]]) -> None:
        """Take what a build made or used; what it left alone and is still there stays known."""
        packages = dict(self._known or {})
        for name, found in made.items():
            before = packages.get(name, {})
            here = self._here(before)
            old = (path for path in here if Path(path).exists())
            now = self._look({*old, *(file for path in found for file in _below(path))})
            packages[name] = {**{p: sha for p, sha in before.items() if p not in here}, **now}
        if packages != self._known:
            self._write(packages)
        if (index := self._index.save()) is not None:
            files.save(self._config.root, self._index_path, index)

    def _write(self, packages: Packages) -> None:
        record = encode({"packages": packages, "seal": self._seal.mac_of(_KIND, packages)})
        files.save(self._config.root, layout.cargo_cache_record(self._config), record)
        self._known = packages

    def _read(self) -> Packages | None:
        found: dict[str, Any] = read(layout.cargo_cache_record(self._config))
        packages = found.get("packages")
        whole = self._seal.holds_of(_KIND, packages, found.get("seal")) and _is_packages(packages)
        return packages if whole else None

    def _here(self, paths: Mapping[str, str]) -> dict[str, str]:
        return {path: sha for path, sha in paths.items() if path.startswith(self._below)}

    def _look(self, paths: Iterable[str]) -> dict[str, str]:
        return {path: self._identity(path) for path in paths}

    def _identity(self, path: str) -> str:
        if path.endswith("/"):
            return digest(sorted(str(file) for file in files.listing(Path(path))))
        try:
            return self._index.sha256(path)
        except OSError:
            return ""


def _below(path: str) -> Iterable[str]:
    """A file alone, or a folder and all files in it."""
    return (path, *map(str, files.listing(Path(path)))) if path.endswith("/") else (path,)


def _is_packages(value: object) -> bool:
    """The shape alone: what else the sums may say, it only leads to more work."""
    if not isinstance(value, dict):
        return False
    return all(
        isinstance(found, dict) and paths({"": [*found]}, "") == [*found]
        for found in value.values()
    )
