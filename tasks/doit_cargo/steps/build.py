"""build:<arch>:<crate>: waits for the one cargo to deliver the crate's artifacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from doit_cargo.core import crate_inputs, layout, outside
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Binary, Context, Crate, Target, TaskSpec
from doit_cargo.core.record import encode, read

if TYPE_CHECKING:
    from doit_cargo.tools.cargo import Delivery
    from doit_cargo.tools.session import Session

NAME = "build"
SUMMARY = "compile the shipped binaries and the crates they are made of, in one cargo"


def specs(ctx: Context, session: Session) -> Iterator[TaskSpec]:
    """A task a target and crate, in dependency order: what is shipped and what that is made of."""
    skip = frozenset(str(p) for p in (ctx.config.state, ctx.config.binaries, ctx.config.context))
    sources = crate_inputs.all_sources(ctx.graph, skip)
    wanted = needed(ctx)
    for target in ctx.config.targets:
        for crate in wanted:
            yield _spec(ctx, session, target, crate, sources[crate.name])


def needed(ctx: Context) -> tuple[Crate, ...]:
    """The crates of the shipped binaries and all below them, in dependency order."""
    names = {below for crate in {b.crate for b in ctx.ship} for below in ctx.graph.closure(crate)}
    return tuple(crate for name, crate in ctx.graph.crates.items() if name in names)


def shipped(ctx: Context, crate: str) -> tuple[Binary, ...]:
    """The crate's shipped binaries."""
    return tuple(binary for binary in ctx.ship if binary.crate == crate)


def _spec(
    ctx: Context, session: Session, target: Target, crate: Crate, sources: tuple[str, ...]
) -> TaskSpec:
    own = layout.build_record(ctx.config, target, crate.name)
    below = [layout.build_record(ctx.config, target, name) for name in crate.dependencies]
    binaries = shipped(ctx, crate.name)
    return TaskSpec(
        name=f"{NAME}:{target.arch}:{crate.name}",
        doc=f"compile {crate.name} for {target.triple}",
        action=partial(_deliver, ctx, session, target, crate, sources),
        inputs=(
            *sources,
            *outside.expand(read(own).get("outside", [])),
            *below,
            layout.toolchain_record(ctx.config, target),
        ),
        outputs=(own, *(layout.artifact(ctx, target, binary.name) for binary in binaries)),
        group=f"{NAME}:{target.arch}",
    )


def _deliver(
    ctx: Context, session: Session, target: Target, crate: Crate, sources: tuple[str, ...]
) -> Mapping[str, Any]:
    """Wait for cargo, note what it read beside the crate's own files, leave the record."""
    from doit_cargo.tools import files

    delivery = session.wait(target.arch, crate.name)
    for binary in shipped(ctx, crate.name):
        path = layout.artifact(ctx, target, binary.name)
        if delivery.executables[binary.name] != path:
            found = delivery.executables[binary.name]
            raise CheckError(f"cargo put {binary.name} at {found}, not {path}")
    content = {
        "digest": session.digest(f"{NAME}:{target.arch}:{crate.name}"),
        "outside": _outside(ctx, crate, delivery, frozenset(sources)),
    }
    own = layout.build_record(ctx.config, target, crate.name)
    files.write(ctx.config.root, own, encode(content))
    return {
        "discovered": list(outside.expand(content["outside"])),
        "warnings": session.warnings(target.arch, crate.name),
    }


def _outside(ctx: Context, crate: Crate, delivery: Delivery, sources: frozenset[str]) -> list[str]:
    """Cargo runs rustc in the workspace's root for a member, and scripts in the crate's folder."""
    base = ctx.graph.root if crate.member else crate.directory
    named: set[str] = set()
    for path in delivery.dep_infos:
        named |= outside.compiled(path.read_text(), base)
    for path in delivery.scripts:
        named |= outside.watched(path.read_text(), crate.directory)
    return outside.beyond(named, sources, ctx.graph.target_directory)
