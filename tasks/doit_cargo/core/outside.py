"""What a build reads from outside every crate: as cargo's dep-info of the last build said."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from doit_cargo.core.crate_inputs import dep_info_paths
from doit_cargo.core.model import CrateGraph


def paths(dep_info: str, graph: CrateGraph) -> tuple[str, ...]:
    """What a binary's dep-info names outside the crates and cargo's target directory.

    That is `include_str!` of elsewhere, and what build scripts asked to be watched: files and
    folders.
    """
    inside = tuple(f"{crate.directory}/" for crate in graph.crates.values())
    built = f"{graph.target_directory}/"
    named = (os.path.normpath(path) for path in dep_info_paths(dep_info))
    return tuple(sorted({path for path in named if not path.startswith((*inside, built))}))


def expand(named: Iterable[str]) -> Iterator[str]:
    """The files that are there now: of a folder all that it holds; nothing for an absent one."""
    for path in named:
        if os.path.isdir(path):
            for folder, _, names in os.walk(path):
                yield from (os.path.join(folder, name) for name in names)
        elif os.path.exists(path):
            yield path
