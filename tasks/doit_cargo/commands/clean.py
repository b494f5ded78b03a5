"""`doit clean`: removes what runs made. Cargo's cache and the toolchain only when asked.

Named tasks are cleaned as doit does, ours or not. Without a name the default tasks are, and all
that the pipeline ever made; what doit knows of the tasks of others stays, as in stock doit.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from doit import cmd_clean

from doit_cargo.core import layout
from doit_cargo.core.images import names
from doit_cargo.core.model import Context
from doit_cargo.core.purposes import COMMANDS
from doit_cargo.doit_ext.options import flag
from doit_cargo.doit_ext.tasks import spec_of
from doit_cargo.tools import console, files
from doit_cargo.tools.cargo import target_lock
from doit_cargo.tools.run.exit_codes import guarded
from doit_cargo.tools.run.lock import RunLock
from doit_cargo.tools.run.ownership import is_ours


class Clean(cmd_clean.Clean):
    """Clean tasks; with options also the caches."""

    doc_purpose = COMMANDS["clean"]
    base_options = ()
    cmd_options = (
        *cmd_clean.Clean.cmd_options,
        flag("cargo", "also what cargo compiled for the configured targets"),
        flag("cache", "also the toolchain cache in your home, shared by all workspaces"),
    )

    def execute(self, params: Any, args: list[str]) -> int:
        """A user's mistake is one message."""
        self._options = params
        return guarded(lambda: int(super(Clean, self).execute(params, args) or 0))

    def _execute(
        self,
        dryrun: bool,
        cleandep: bool,
        cleanall: bool,
        cleanforget: bool,
        pos_args: list[str],
    ) -> int:
        ctx = self._options["pipeline"].ctx
        self._lock = RunLock(ctx.config.root, ctx.config.outputs.state)
        try:
            super()._execute(dryrun, cleandep, cleanall, cleanforget, pos_args)
            if not pos_args:
                self._remove_all(ctx, dry=dryrun)
        finally:
            self._lock.release()
        if self._options["cache"]:
            from doit_cargo.tools.machine.cache import remove_cache

            remove_cache(ctx.env, dry=dryrun, say=console.say)
        return 0

    def clean_tasks(self, tasks: list[Any], dryrun: bool, cleanforget: bool) -> None:
        """Without a name all that is ours goes in one piece, below."""
        named = self._options["pos_args"]
        if not named or any(map(spec_of, tasks)):
            self._lock.acquire(wait=True)
        mine = [task for task in tasks if named or spec_of(task) is None]
        super().clean_tasks(mine, dryrun, cleanforget)

    def _remove_all(self, ctx: Context, *, dry: bool) -> None:
        """What runs have made, and what doit knows of the pipeline's tasks."""
        backend, database = self.dep_manager.backend, layout.state_database(ctx.config)
        ours = [task.name for task in self.task_list if spec_of(task)]
        kept = backend.knows_others(ours)
        for path in _made(ctx, cargo=self._options["cargo"]):
            if not (kept and path.name.startswith(database.name)):
                _remove(ctx, path, dry=dry)
        if kept and not dry:
            for name in ours:
                backend.remove(name)
            backend.dump()


def _made(ctx: Context, *, cargo: bool) -> Iterator[Path]:
    """What runs have made, in the order in which losing it half-way does least harm."""
    for target in ctx.config.targets:
        for folder in (layout.staging(ctx.config, target), layout.packages(ctx.config, target)):
            if is_ours(ctx.config, folder):
                yield folder
            elif files.listing(folder):
                console.say(f"keeping {folder}: no run has taken it over (doit --force)")
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
    shown = layout.relative([path], ctx.config.root)[0]
    console.say(f"{'would remove' if dry else 'removing'} {shown}")
    if dry:
        return
    if path.parent == ctx.graph.target_directory:
        target_lock.remove(root, path)
    else:
        files.remove(root, path)
