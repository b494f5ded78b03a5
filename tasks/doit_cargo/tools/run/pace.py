"""How fast this machine compiled the workspace: what an estimate is made from, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from doit_cargo.core import layout
from doit_cargo.core.model import Config
from doit_cargo.core.record import encode, read, typed
from doit_cargo.tools import files

if TYPE_CHECKING:
    from doit_cargo.tools.cargo.build import CargoBuild

_FEW = 10  # units: an average says nothing of so few


def known(config: Config) -> Mapping[str, float]:
    """Seconds a unit, by architecture."""
    found = read(layout.pace(config))
    return {arch: seconds for arch in found if (seconds := typed(found, arch, float))}


def note(config: Config, builds: Iterable[CargoBuild]) -> None:
    """Take the times of the builds that have ended."""
    seen = {b.order.arch: b.seconds / b.compiled for b in builds if b.compiled >= _FEW}
    if seen:
        files.save(config.root, layout.pace(config), encode({**known(config), **seen}))
