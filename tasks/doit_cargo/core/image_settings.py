"""The nouns of the section `images`: what is made of the binaries, and how it is tested."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class HttpProbe(NamedTuple):
    """Ask `path` of the service's port; `body` is text that the response must contain."""

    path: str
    status: int = 200
    body: str | None = None


class ExecProbe(NamedTuple):
    """Run the image with these arguments to its end, which must have this exit code."""

    argv: tuple[str, ...]
    code: int = 0


class Smoke(NamedTuple):
    """How an image is tried out: what else must run (`needs`), and with what environment."""

    probe: HttpProbe | ExecProbe
    needs: tuple[str, ...] = ()
    env: Mapping[str, str] = _NOTHING


class Service(NamedTuple):
    """What an image says beside its binary.

    `health` and an exec probe's `argv` are arguments of the image's own program: there is no
    other in it. `stop` is the time in seconds that it has after SIGTERM.
    """

    port: int | None = None
    health: tuple[str, ...] = ()
    env: Mapping[str, str] = _NOTHING
    smoke: Smoke | None = None
    stop: int = 10


class Images(NamedTuple):
    """The section `images`. `services` maps a binary's name to its service, None: all shipped.

    `tags` may hold `{version}` and `{revision}`. `certificates` is a file of this machine,
    anywhere; `dockerfile` lies below the root or is our own. `engine` is "auto", "buildah" or
    "docker".
    """

    engine: str
    dockerfile: Path
    default: bool = False
    prefix: str | None = None
    registry: str | None = None
    insecure: bool = False
    tags: tuple[str, ...] = ("{version}",)
    user: str = "65532:65532"
    labels: Mapping[str, str] = _NOTHING
    certificates: Path | None = None
    timezones: tuple[str, ...] = ()
    services: Mapping[str, Service] | None = None
