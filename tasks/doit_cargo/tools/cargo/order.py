"""The order for one cargo process, and its delivery of a crate: values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from doit_cargo.tools.cargo.verbose import Command


class Order(NamedTuple):
    """What one cargo process should do: its command, and the crates somebody waits for.

    `wanted` maps each crate to the binaries asked of it (none: its library). `dropped` are the
    packages whose build cargo was made to forget: taking one for fresh is an error, at least in
    `folder`, the target's own part of the target directory; the host's part is shared with other
    targets, whose cargo may just have built it. `verbose`: cargo tells each command that it runs.
    `wrapped`: a rustc wrapper is called. `pace`: seconds that a unit took in an earlier build, 0 if
    nobody knows.
    """

    arch: str
    folder: Path
    argv: tuple[str, ...]
    env: Mapping[str, str]
    directory: Path
    wanted: Mapping[str, frozenset[str]]
    dropped: frozenset[str] = frozenset()
    verbose: bool = False
    wrapped: bool = False
    pace: float = 0.0


class Script(NamedTuple):
    """A build script that has run, now or in an earlier build: its OUT_DIR and its command.

    The command is known if it ran in a verbose build of this process.
    """

    out_dir: Path
    command: Command | None = None

    @property
    def output(self) -> Path:
        """Where cargo keeps what the script printed."""
        return self.out_dir.with_name("output")


class Delivery(NamedTuple):
    """What cargo made of a crate: its executables, and where it is told what they were made of.

    `libraries` are what other crates link: one that somebody put in their place would be shipped.
    `dep_infos` are rustc's lists of the files it read (for the build script too), `scripts` the
    runs of the crate's build script, `foreign` what those of third-party crates printed.
    `warnings` are the compiler's, rendered.
    """

    executables: dict[str, Path]
    libraries: tuple[Path, ...]
    dep_infos: tuple[Path, ...]
    scripts: tuple[Script, ...]
    foreign: tuple[Path, ...]
    warnings: tuple[str, ...]
