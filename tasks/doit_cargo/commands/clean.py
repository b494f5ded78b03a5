"""`doit clean`: removes what doit made. Cargo's cache and the toolchain only when asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from doit.cmd_base import Command

from doit_cargo.core import layout
from doit_cargo.core.images import names
from doit_cargo.core.model import Context
from doit_cargo.doit_ext.options import flag
from doit_cargo.doit_ext.selection import selected_context
from doit_cargo.tools import files
from doit_cargo.tools.run.exit_codes import guarded
from doit_cargo.tools.run.lock import RunLock
from doit_cargo.tools.run.ownership import is_ours


class Clean(Command):
    """Remove packages, the build context and state; with options also the caches."""

    doc_purpose = "remove packages, build context and state"
    doc_usage = ""
    cmd_options = (
        flag("dry-run", "only print what would be removed", short="n"),
        flag("cargo", "also what cargo compiled for the configured targets"),
        flag("cache", "also the toolchain cache in your home, shared by all workspaces"),
    )

    def execute(self, opt_values: Any, pos_args: list[str]) -> int:
        """Remove it, saying what goes."""
        del pos_args
        return guarded(lambda: _clean(selected_context(Path.cwd()), opt_values))


def _clean(ctx: Context, options: Any) -> int:
    lock = RunLock(ctx.config.root, ctx.config.outputs.state)
    lock.acquire(wait=True)
    try:
        for path in _made(ctx, cargo=options["cargo"]):
            _remove(ctx, path, dry=options["dry_run"])
    finally:
        lock.release()
    if options["cache"]:
        from doit_cargo.tools.machine.cache import remove_cache

        remove_cache(ctx.env, dry=options["dry_run"], say=print)
    return 0


def _made(ctx: Context, *, cargo: bool) -> Iterator[Path]:
    """What runs have made, in the order in which losing it half-way does least harm."""
    for target in ctx.config.targets:
        for folder in (layout.staging(ctx.config, target), layout.packages(ctx.config, target)):
            if is_ours(ctx.config, folder):
                yield folder
            elif files.listing(folder):
                print(f"keeping {folder}: no run has taken it over (doit --force)")
        if ctx.config.split_debug:
            yield from (layout.debug_file(ctx.config, target, binary) for binary in ctx.ship)
        if cargo:
            yield ctx.graph.target_directory / target.triple
    for binary in names.imaged(ctx):
        if is_ours(ctx.config, folder := layout.oci_layout(ctx.config, binary)):
            yield folder
    yield from layout.state_entries(ctx.config)


def _remove(ctx: Context, path: Path, *, dry: bool) -> None:
    root = ctx.config.root if path.is_relative_to(ctx.config.root) else path.parent
    if not (path.exists() or path.is_symlink()):
        return
    print(f"{'would remove' if dry else 'removing'} {layout.relative([path], ctx.config.root)[0]}")
    if not dry:
        files.remove(root, path)
