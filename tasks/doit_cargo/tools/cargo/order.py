"""What one cargo process is to do, and what it delivers of a crate: values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Order(NamedTuple):
    """What one cargo process is to do: its command, and the crates somebody waits for.

    `wanted` maps each crate to the binaries asked of it (none: its library). `dropped` are the
    packages whose build cargo was made to forget: taking one for fresh is an error, at least in
    `folder`, the target's own part of the target directory; the host's part is shared with other
    targets, whose cargo may just have built it.
    """

    arch: str
    folder: Path
    argv: tuple[str, ...]
    env: Mapping[str, str]
    directory: Path
    wanted: Mapping[str, frozenset[str]]
    dropped: frozenset[str] = frozenset()


class Delivery(NamedTuple):
    """What cargo made of a crate: its executables, and where it is told what they were made of.

    `libraries` are what other crates link: one that somebody put in their place would be shipped.
    `dep_infos` are rustc's lists of the files it read (for the build script too), `scripts` what
    the crate's build script printed, `foreign` what those of third-party crates did. `warnings`
    are the compiler's, rendered.
    """

    executables: dict[str, Path]
    libraries: tuple[Path, ...]
    dep_infos: tuple[Path, ...]
    scripts: tuple[Path, ...]
    foreign: tuple[Path, ...]
    warnings: tuple[str, ...]
