"""What a person calls things on the command line: a binary, a crate, an architecture."""

from __future__ import annotations

from doit_cargo.core.model import Context
from doit_cargo.core.task import task_name


def tasks_of(ctx: Context, name: str) -> tuple[str, ...]:
    """The tasks that a short name means; () if it means nothing.

    A binary: packaged, for every architecture that is built by default. A crate: compiled for
    these. An architecture: all of it, as `doit` makes for the default ones. `build:<arch>:<binary>`
    is the crate of the binary, `stage:<arch>:<binary>` the build context that it belongs to.
    """
    arches = [target.arch for target in ctx.config.targets if target.default]
    crates = {binary.name: binary.crate for binary in ctx.ship}
    if name in crates:
        return tuple(task_name("package", arch, name) for arch in arches)
    if name in ctx.graph.crates:
        return tuple(task_name("build", arch, name) for arch in arches)
    if name in ctx.toolchains:
        return (task_name("stage", name),)
    stage, _, rest = name.partition(":")
    arch, _, binary = rest.partition(":")
    if arch not in ctx.toolchains or binary not in crates:
        return ()
    whole = {"build": task_name("build", arch, crates[binary]), "stage": task_name("stage", arch)}
    return (whole[stage],) if stage in whole else ()


def known(ctx: Context) -> tuple[str, ...]:
    """The short names of one word."""
    binaries = (binary.name for binary in ctx.ship)
    return tuple(dict.fromkeys((*binaries, *ctx.toolchains, *ctx.graph.crates)))
