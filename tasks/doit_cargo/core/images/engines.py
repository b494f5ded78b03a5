"""The engines that build images: a row each, with what differs between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from doit_cargo.core.image_settings import Images
from doit_cargo.core.toolchain.compiler import on_path

AUTO: Final = "auto"
SKOPEO: Final = "skopeo"


class EngineKind(NamedTuple):
    """An engine by its name, which is its program's too, and the command that installs it.

    `health_checks`: its image format has room for one (Docker's has, OCI's has not). `daemon`: its
    images are those of Docker's daemon, which runs them; without it they are in a store of the
    workspace's own, and the daemon gets a copy.
    """

    name: str
    remedy: str
    health_checks: bool
    daemon: bool


BUILDAH: Final = EngineKind("buildah", "apt-get install buildah", health_checks=False, daemon=False)
DOCKER: Final = EngineKind(
    "docker",
    "apt-get install docker.io (or set images.engine: buildah)",
    health_checks=True,
    daemon=True,
)
KINDS: Final[Mapping[str, EngineKind]] = MappingProxyType(
    {kind.name: kind for kind in (BUILDAH, DOCKER)}
)
"""Name → engine; for `auto` the first that is installed counts, else the first."""

_REMEDIES = {
    **{kind.name: kind.remedy for kind in KINDS.values()},
    SKOPEO: "apt-get install skopeo",
}


def choose(images: Images, env: Mapping[str, str]) -> EngineKind:
    """The engine: as configured; for auto the first that is there."""
    if images.engine != AUTO:
        return KINDS[images.engine]
    there = (kind for kind in KINDS.values() if on_path(kind.name, env))
    return next(there, BUILDAH)


def remedy(program: str) -> str:
    """The command that installs a program that images need."""
    return _REMEDIES[program]


def missing(programs: Sequence[str], env: Mapping[str, str]) -> list[str]:
    """A line for each program that is not installed, with what installs it."""
    return [
        f"{name} is not installed: {remedy(name)}"
        for name in dict.fromkeys(programs)
        if on_path(name, env) is None
    ]
