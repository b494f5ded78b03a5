"""Reports on build scripts for `doit doctor`, from the records of the last builds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from doit_cargo.core import bounded, layout
from doit_cargo.core.model import Context, Target
from doit_cargo.core.record import read
from doit_cargo.core.workspace import lockfile, script_output
from doit_cargo.tools.cargo import fingerprints
from doit_cargo.tools.run import script_answers


def always_rerun(ctx: Context, targets: Sequence[Target]) -> Iterator[str]:
    """A line for each file that a build script has cargo watch and that is not there.

    Plain cargo runs such a script in every build and recompiles all that is above it ("Dirty:
    the file … is missing"). Here the script alone runs, unless it can't be asked. A third-party
    crate is seen if it names the file by an absolute path.
    """
    for package, path in sorted({pair for target in targets for pair in _missing(ctx, target)}):
        binaries = [b.name for b in ctx.ship if package in _below(ctx, b.crate)]
        rebuilt = ", ".join(binaries) or "nothing that is shipped"
        who = (
            "doit and plain cargo rebuild"
            if _unfit(ctx, targets, package)
            else "plain cargo rebuilds"
        )
        yield (
            f"{package}'s build script watches {_shown(ctx, path)}, which is not there: "
            f"{who} every time {rebuilt}"
        )


def not_asked(ctx: Context, targets: Sequence[Target]) -> Iterator[str]:
    """A line for each such script that cannot run alone: cargo runs it in each run."""
    for crate in ctx.graph.crates:
        for why in sorted(_unfit(ctx, targets, crate)):
            yield (
                f"{crate}'s build script is not asked alone, {why}: each run compiles the crate "
                "and what is above it"
            )


def _unfit(ctx: Context, targets: Sequence[Target], crate: str) -> set[str]:
    found = (script_answers.known(ctx, target, crate).unfit for target in targets)
    return {why for why in found if why}


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
    for folder in layout.cargo_folders(ctx, target):
        for output in sorted(folder.glob("build/*/output")):
            if package := fingerprints.package_of(output.parent.name):
                found = _watched(ctx, package, output) & absent
                yield from ((package, path) for path in found)


def _watched(ctx: Context, package: str, output: Path) -> set[str]:
    crate = ctx.graph.crates.get(package)
    return script_output.parse(bounded.read(output)).places(crate.directory if crate else None)


def _below(ctx: Context, crate: str) -> frozenset[str]:
    """All that a crate is made of: by its own manifests, and by the lock file."""
    locked = lockfile.closure(lockfile.dependencies(ctx.graph.root / "Cargo.lock"), crate)
    return locked | set(ctx.graph.closure(crate))


def _shown(ctx: Context, path: str) -> str:
    return layout.relative([Path(path)], ctx.config.root)[0]
