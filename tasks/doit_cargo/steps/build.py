"""build:<arch>:<crate>: waits for the one cargo to deliver the crate's artifacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from doit_cargo.core import crate_inputs, layout
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Binary, Context, Crate, Target, TaskSpec
from doit_cargo.core.record import encode, read
from doit_cargo.tools import files
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
        action=lambda: _deliver(ctx, session, target, crate),
        inputs=(
            *sources,
            *_outside(own),
            *below,
            layout.toolchain_record(ctx.config, target),
        ),
        outputs=(own, *(layout.artifact(ctx, target, binary.name) for binary in binaries)),
        group=f"{NAME}:{target.arch}",
    )


def _outside(own: Path) -> Iterator[str]:
    """Files that the last build read from outside any crate, as dep-info said."""
    for name in read(own).get("outside", []):
        yield from crate_inputs.expand(str(name))


def _deliver(ctx: Context, session: Session, target: Target, crate: Crate) -> Mapping[str, Any]:
    """Wait for cargo, look where it put things, note what it read, leave the record."""
    executables, _ = session.wait(target.arch, crate.name)
    binaries = shipped(ctx, crate.name)
    outside: set[str] = set()
    for binary in binaries:
        path = layout.artifact(ctx, target, binary.name)
        if executables[binary.name] != path:
            raise CheckError(f"cargo put {binary.name} at {executables[binary.name]}, not {path}")
        outside |= _read_from_outside(ctx, path)
    content = {
        "digest": session.digest(f"{NAME}:{target.arch}:{crate.name}"),
        "outside": sorted(outside),
    }
    own = layout.build_record(ctx.config, target, crate.name)
    files.write(ctx.config.root, own, encode(content))
    found = [path for name in content["outside"] for path in crate_inputs.expand(str(name))]
    return {"discovered": found, "warnings": session.warnings(target.arch, crate.name)}


def _read_from_outside(ctx: Context, executable: Path) -> set[str]:
    """Paths in cargo's dep-info of a binary that lie in no crate's folder."""
    text = executable.with_name(executable.name + ".d").read_text()
    folders = tuple(f"{crate.directory}/" for crate in ctx.graph.crates.values())
    built = f"{ctx.graph.target_directory}/"
    return {
        path
        for path in crate_inputs.dep_info_paths(text)
        if not path.startswith((*folders, built))
    }
