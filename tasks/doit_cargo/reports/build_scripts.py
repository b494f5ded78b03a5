"""What `doit doctor` says of build scripts, from the records of the last builds; writes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from doit_cargo.core import layout
from doit_cargo.core.model import Context, Target
from doit_cargo.core.record import read
from doit_cargo.core.workspace import lockfile, script_output
from doit_cargo.tools.cargo import fingerprints


def always_rerun(ctx: Context, targets: Sequence[Target]) -> Iterator[str]:
    """A line for each file that a build script has cargo watch and that is not there.

    Plain cargo runs such a script in every build and compiles anew all that is above it ("Dirty:
    the file … is missing"); content decides here, so doit does not. A third-party crate is seen
    if it names the file by an absolute path.
    """
    for package, path in sorted({pair for target in targets for pair in _missing(ctx, target)}):
        binaries = [b.name for b in ctx.ship if package in _below(ctx, b.crate)]
        rebuilt = ", ".join(binaries) or "nothing that is shipped"
        yield (
            f"{package}'s build script watches {_shown(ctx, path)}, which is not there: "
            f"plain cargo rebuilds every time {rebuilt}"
        )


def _missing(ctx: Context, target: Target) -> Iterator[tuple[str, str]]:
    """(package, path): as the last build's records have it, and whose script printed it."""
    absent = {
        path
        for name in ctx.graph.crates
        for path in read(layout.build_record(ctx.config, target, name)).get("elsewhere", ())
        if not os.path.lexists(path)
    }
    if not absent:
        return
    profile = layout.profile_folder(ctx.config.profile)
    top = ctx.graph.target_directory
    for folder in (top / target.triple / profile / "build", top / profile / "build"):
        for output in sorted(folder.glob("*/output")):
            if package := fingerprints.package_of(output.parent.name):
                found = _watched(ctx, package, output) & absent
                yield from ((package, path) for path in found)


def _watched(ctx: Context, package: str, output: Path) -> set[str]:
    crate = ctx.graph.crates.get(package)
    return script_output.parse(output.read_bytes()).places(crate.directory if crate else None)


def _below(ctx: Context, crate: str) -> frozenset[str]:
    """All that a crate is made of: by its own manifests, and by the lock file."""
    locked = lockfile.closure(lockfile.dependencies(ctx.graph.root / "Cargo.lock"), crate)
    return locked | set(ctx.graph.closure(crate))


def _shown(ctx: Context, path: str) -> str:
    return layout.relative([Path(path)], ctx.config.root)[0]
