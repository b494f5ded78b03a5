"""Warns, before the first crate compiles, of tools and libraries that third-party crates lack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from doit_cargo.core import bounded, layout
from doit_cargo.core.cargo import command
from doit_cargo.core.cargo.tree import tree_argv
from doit_cargo.core.diagnosis import needs
from doit_cargo.core.errors import PipelineError
from doit_cargo.core.model import Context, Target
from doit_cargo.core.record import digest, encode, read
from doit_cargo.tools import files, process

_SECONDS = 300.0  # it may download what cargo would download a moment later


def foretold(ctx: Context, targets: Sequence[Target], *, offline: bool) -> list[str]:
    """A line for each thing. Raises PipelineError when cargo can't tell what is compiled."""
    table = needs.load()
    lines = [line for target in targets for line in _of(ctx, target, table, offline=offline)]
    return list(dict.fromkeys(lines))


def news(ctx: Context, targets: Sequence[Target]) -> list[str]:
    """The same for a run: asked again when the lock file or the settings have changed.

    What cargo can't tell here it says itself, in its own words, when it builds.
    """
    record, asked = layout.foretold_record(ctx.config), _asked(ctx, targets)
    if read(record).get("asked") == asked:
        return []
    try:
        lines = foretold(ctx, targets, offline=False)
    except PipelineError:
        return []
    if not lines:  # else it is told again, until it is there
        files.save(ctx.config.root, record, encode({"asked": asked}))
    return lines


def _asked(ctx: Context, targets: Sequence[Target]) -> str:
    """Over all that the answer depends on but for the machine."""
    lock = ctx.graph.root / "Cargo.lock"
    text = bounded.read_text(lock) if lock.is_file() else ""
    argvs = [tree_argv(ctx, target, needs.FORMAT, offline=False) for target in targets]
    ship = [(binary.crate, binary.name) for binary in ctx.ship]
    return digest([text, argvs, ship, needs.FILE.read_text("utf-8")])


def _of(
    ctx: Context, target: Target, table: Sequence[needs.Need], *, offline: bool
) -> Iterator[str]:
    env = command.fetch_env(ctx, target)
    argv = tree_argv(ctx, target, needs.FORMAT, offline=offline)
    said = process.run(argv, env=env, cwd=ctx.graph.root, timeout=_SECONDS)
    packages = needs.parse(said, {binary.crate for binary in ctx.ship})
    yield from needs.unmet(packages, target.triple, command.cargo_env(ctx, target), table)
