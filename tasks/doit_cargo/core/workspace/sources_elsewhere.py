"""What a crate's build reads beside the crate's own files, as rustc and build scripts tell.

`include_str!` of elsewhere, `.git/HEAD` for a version string, a folder of templates: known after
the first build, an input of every later one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from doit_cargo.core.workspace.sources import dep_info_paths

# Source: The Cargo Book, "Build Scripts": `cargo::KEY=VALUE`, with one colon before Cargo 1.77.
_RERUN = r"^cargo::?rerun-if-changed=(.+)$"


def compiled(dep_info: str, base: Path) -> set[str]:
    """The paths in a compiler's dep-info; relative ones count from `base`."""
    return {_absolute(base, path) for path in dep_info_paths(dep_info)}


def watched(script_output: str, base: Path | None) -> set[str]:
    """The paths that a build script asked cargo to watch.

    Relative ones count from `base`; without one they are left out.
    """
    found: list[str] = re.findall(_RERUN, script_output, re.MULTILINE)
    return {_absolute(base or Path(), path) for path in found if base or os.path.isabs(path)}


def beyond(named: Iterable[str], own: frozenset[str], target_directory: Path) -> list[str]:
    """Those that are neither the crate's own sources nor made by the build; absent ones stay."""
    made = f"{target_directory}/"
    kept = (path for path in named if path not in own and not path.startswith(made))
    return sorted(path for path in kept if not _covered(path, own))


def expand(named: Iterable[str]) -> Iterator[str]:
    """The files that are there now: of a folder all that it holds; nothing for an absent one."""
    for path in named:
        if os.path.isdir(path):
            for folder, _, names in os.walk(path):
                paths = (os.path.join(folder, name) for name in names)
                yield from (path for path in paths if os.path.exists(path))
        elif os.path.exists(path):
            yield path


def _covered(path: str, own: frozenset[str]) -> bool:
    """A folder that holds nothing but the crate's own sources is listed with them anyway."""
    return os.path.isdir(path) and own.issuperset(expand([path]))


def _absolute(base: Path, path: str) -> str:
    return os.path.normpath(os.path.join(base, path))
