"""doctor's lines about images: engine, daemon, BuildKit, registry client, room on the disk."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

from doit_cargo.core import bounded, layout
from doit_cargo.core.errors import PipelineError
from doit_cargo.core.image_settings import Images
from doit_cargo.core.images import dockerfile, engines
from doit_cargo.core.model import Context
from doit_cargo.core.toolchain.compiler import on_path
from doit_cargo.tools import process
from doit_cargo.tools.machine.finding import Finding

_TIMEOUT = 20.0  # seconds
_ROOM = 2_000_000_000  # bytes; the images of ten services of 15 MB for two platforms, four times
_GIGA = 1_000_000_000
_BUILDX_SINCE = 23  # the first client that has no BuildKit of its own; source: its release notes
_CLIENT, _SERVER = "{{.Client.Version}}", "{{.Server.Version}}"


def examine(ctx: Context) -> tuple[Finding, ...]:
    """What images need, if there are any. Asks programs for their versions; writes nothing."""
    images = ctx.config.images
    return () if images is None else tuple(_all(ctx, images))


def _all(ctx: Context, images: Images) -> Iterator[Finding]:
    needed = images.default
    kind = engines.choose(images, ctx.env)
    if kind.daemon:
        yield from _docker(ctx, needed=needed)
    yield _program(ctx, engines.BUILDAH.name, needed=needed and not kind.daemon)
    yield from _rootless(ctx)
    if images.registry:
        yield _program(ctx, engines.SKOPEO, needed=False)
    for path in (images.dockerfile, *dockerfile.extra_files(images).values()):
        yield from _file(path, images)
    yield _disk(ctx)


def _program(ctx: Context, name: str, *, needed: bool) -> Finding:
    path = on_path(name, ctx.env)
    version = _ask(ctx, [name, "--version"]) if path else ""
    detail = f"{version}  {path}" if version else "not installed"
    return Finding(
        name=name, found=bool(version), detail=detail, remedy=engines.remedy(name),
        optional=not needed,
    )  # fmt: skip


def _docker(ctx: Context, *, needed: bool) -> Iterator[Finding]:
    """The client; the daemon behind it; whether the two can build."""
    yield (client := _program(ctx, engines.DOCKER.name, needed=needed))
    if not client.found:
        return
    server = _ask(ctx, [engines.DOCKER.name, "version", "--format", _SERVER])
    remedy = "systemctl start docker (or images.engine: buildah)"
    detail = f"version {server}" if server else "does not answer"
    yield Finding(
        name="docker daemon", found=bool(server), detail=detail, remedy=remedy, optional=not needed
    )
    yield _buildkit(ctx, needed=needed)


def _buildkit(ctx: Context, *, needed: bool) -> Finding:
    version = _ask(ctx, [engines.DOCKER.name, "version", "--format", _CLIENT])
    buildx = _ask(ctx, [engines.DOCKER.name, "buildx", "version"])
    major = version.partition(".")[0]
    bundled = not buildx and major.isdigit() and int(major) < _BUILDX_SINCE
    detail = buildx or ("the client's own" if bundled else f"client {version} has no buildx")
    return Finding(
        name="buildkit",
        found=bool(buildx) or bundled,
        detail=detail,
        remedy="install docker-buildx-plugin, or put the daemon's own client first on PATH",
        optional=not needed,
    )


def _rootless(ctx: Context) -> Iterator[Finding]:
    """Without root buildah maps user ids, which needs a helper and a range of them."""
    if os.geteuid() == 0:
        return
    user = pwd.getpwuid(os.geteuid()).pw_name
    ranges = [line.split(":")[0] for line in _lines(Path("/etc/subuid"))]
    helper = on_path("newuidmap", ctx.env)
    yield Finding(
        name="rootless builds",
        found=bool(helper) and bool({user, str(os.geteuid())} & set(ranges)),
        detail=f"{helper}, /etc/subuid" if helper else "no newuidmap",
        remedy=f"apt-get install uidmap; usermod --add-subuids 100000-165535 {user}",
        optional=True,
    )


def _file(path: Path, images: Images) -> Iterator[Finding]:
    if not path.is_file():
        named = path == images.dockerfile
        remedy = (
            "name another in images.dockerfile"
            if named
            else "apt-get install ca-certificates tzdata"
        )
        yield Finding(
            name="images", found=False, detail=f"no file {path}", remedy=remedy,
            optional=not images.default,
        )  # fmt: skip


def _disk(ctx: Context) -> Finding:
    storage = layout.engine_storage(ctx.config)
    place = next(path for path in (storage, *storage.parents) if path.exists())
    free = shutil.disk_usage(place).free
    return Finding(
        name="room for images",
        found=free >= _ROOM,
        detail=f"{storage}, {free / _GIGA:.1f} GB free",
        remedy="doit clean, or output.state on a larger disk",
        optional=True,
    )


def _lines(path: Path) -> list[str]:
    try:
        return bounded.read_text(path).splitlines()
    except OSError:
        return []


def _ask(ctx: Context, argv: list[str]) -> str:
    """The first line of what a program says; "" if it fails."""
    try:
        output = process.run(argv, env=ctx.env, timeout=_TIMEOUT)
    except (PipelineError, OSError):
        return ""
    return next(iter(output.splitlines()), "")
