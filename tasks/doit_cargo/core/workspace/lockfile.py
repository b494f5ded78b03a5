"""Cargo.lock: which packages a package is made of, and by way of which.

Only a `[patch]` leads from a third-party package back to one of this machine, and no manifest
says which: cargo's resolver decides it, and writes it down here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from doit_cargo.core import toml_file
from doit_cargo.core.reach import reachable
from doit_cargo.core.toml_file import TomlFile


class _Package(NamedTuple):
    """An entry. A package of this machine has no source."""

    name: str
    version: str
    source: str | None
    dependencies: tuple[str, ...]


class Lock:
    """The packages of a Cargo.lock, by name."""

    def __init__(self, file: TomlFile) -> None:
        self._packages: dict[str, list[_Package]] = {}
        for table in file.tables(file.data, "package"):
            package = _Package(
                name=file.text(table, "name", "package.") or "",
                version=file.text(table, "version", "package.") or "",
                source=file.text(table, "source", "package."),
                dependencies=file.texts(table, "dependencies", "package."),
            )
            self._packages.setdefault(package.name, []).append(package)

    def beyond(self, name: str, foreign: Iterable[str]) -> set[str]:
        """The local packages that these third-party dependencies of a local one lead to."""
        wanted = frozenset(foreign)
        start = [
            package
            for local in self._packages.get(name, ())
            if local.source is None
            for package in self._below(local)
            if package.name in wanted
        ]
        found = reachable(start, lambda p: () if p.source is None else self._below(p))
        return {package.name for package in found if package.source is None}

    def direct(self) -> dict[str, frozenset[str]]:
        """Every package's direct dependencies, by name.

        Versions of one name are taken together: too many are better than too few here.
        """
        return {
            name: frozenset(line.split(" ")[0] for p in packages for line in p.dependencies)
            for name, packages in self._packages.items()
        }

    def _below(self, package: _Package) -> Iterator[_Package]:
        """What a package depends on: `name`, with version and source where it needs them.

        Source: cargo's src/cargo/core/resolver/encode.rs.
        """
        for dependency in package.dependencies:
            name, *more = dependency.split(" ")
            for found in self._packages.get(name, ()):
                if more == [found.version, f"({found.source})"][: len(more)]:
                    yield found


def read(path: str, faults: list[str]) -> Lock | None:
    """The lock file at that path; None, and a fault, if it can't be read."""
    file = toml_file.read(path, faults)
    return None if file is None else Lock(file)


def dependencies(path: Path) -> Mapping[str, frozenset[str]]:
    """Every package's direct dependencies, by name; nothing where there is not a valid file."""
    faults: list[str] = []
    lock = read(str(path), faults)
    return {} if lock is None or faults else lock.direct()


def closure(graph: Mapping[str, frozenset[str]], name: str) -> frozenset[str]:
    """The package and all that are below it."""
    return frozenset(reachable([name], lambda below: graph.get(below, frozenset())))
