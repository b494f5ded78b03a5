"""The binaries of a workspace's members, and which features a default build of them lacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from doit_cargo.core import toml_file
from doit_cargo.core.errors import ConfigError
from doit_cargo.core.model import CrateGraph
from doit_cargo.core.toml_file import TomlFile


class Executable(NamedTuple):
    """A binary of a crate; `needs` are the `required-features` that are not on by default."""

    crate: str
    name: str
    needs: tuple[str, ...] = ()


def executables(graph: CrateGraph) -> tuple[Executable, ...]:
    """Every binary of the workspace's members, by crate and by name.

    Raises ConfigError with every manifest whose features cannot be read.
    """
    faults: list[str] = []
    found = [
        Executable(crate.name, name, needs.get(name, ()))
        for crate in sorted(graph.crates.values(), key=lambda crate: crate.name)
        if crate.member and crate.bins
        for needs in (_needs(crate.manifest, faults),)
        for name in sorted(crate.bins)
    ]
    if faults:
        raise ConfigError(tuple(faults))
    return tuple(found)


def _needs(manifest: Path, faults: list[str]) -> dict[str, tuple[str, ...]]:
    """Binary → the features that it still needs."""
    file = toml_file.read(str(manifest), faults)
    if file is None:
        return {}
    on = frozenset(_on_by_default(file))
    return {
        str(table.get("name")): tuple(
            feature
            for feature in file.texts(table, "required-features", "bin.")
            if feature not in on
        )
        for table in file.tables(file.data, "bin")
    }


def _on_by_default(file: TomlFile) -> Iterator[str]:
    """`default` and all that it switches on, features of dependencies as they are written."""
    features = file.table(file.data, "features")
    queue, seen = ["default"], {"default"}
    while queue:
        name = queue.pop()
        yield name
        below = file.texts(features, name, "features.")
        queue += [feature for feature in below if feature not in seen]
        seen.update(below)
