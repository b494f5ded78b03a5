"""Cargo.lock: the local packages that a crate is built upon by way of third-party ones.

Only a `[patch]` leads from a third-party package back to one of this machine, and no manifest
says which: cargo's resolver decides it, and writes it down here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from doit_cargo.core.cargo import toml_file
from doit_cargo.core.cargo.toml_file import TomlFile


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
        queue = [
            package
            for local in self._packages.get(name, ())
            if local.source is None
            for package in self._below(local)
            if package.name in wanted
        ]
        seen = set(queue)
        for package in queue:  # grows as it is walked
            if package.source is not None:
                new = set(self._below(package)) - seen
                seen |= new
                queue += new
        return {package.name for package in queue if package.source is None}

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
