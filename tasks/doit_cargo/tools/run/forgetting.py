"""Makes cargo forget what it would consider fresh, in the folders of the profile of this run.

Another profile's units are decided by that profile's own records, when its turn comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from doit_cargo.core import layout
from doit_cargo.core.model import Context
from doit_cargo.core.record import encode, read
from doit_cargo.tools import files
from doit_cargo.tools.cargo import fingerprints, target_lock
from doit_cargo.tools.key import seal
from doit_cargo.tools.run.cargo_cache import CargoCache
from doit_cargo.tools.run.plan import Plan


class Forgetting:
    """What is done under cargo's lock. Make it by `under_lock`."""

    def __init__(self, ctx: Context, cache: CargoCache, folders: Sequence[Path]) -> None:
        self._ctx = ctx
        self._cache = cache
        self._folders = folders

    @classmethod
    @contextmanager
    def under_lock(cls, ctx: Context, cache: CargoCache) -> Iterator[Forgetting]:
        """Wait for the cargos that are building there, and keep others waiting."""
        with target_lock.held(layout.cargo_folders(ctx)) as folders:
            yield cls(ctx, cache, folders)

    def spoiled(self) -> frozenset[str]:
        """Forget the packages of which cargo no longer holds what the last build left; which.

        Where nothing is known of any it starts from nothing.
        """
        changed = self._cache.changed()
        fingerprints.forget(self._folders, changed)
        self._cache.drop_folders(changed or ())
        self._cache.note({})
        return changed or frozenset()

    def planned(self, plan: Plan) -> None:
        """Forget what the plan says.

        Cross-compiled units lie below the triple; build scripts and macros, which are the host's
        and which cargo rebuilds for a new rustc by itself, beside it.
        """
        ctx = self._ctx
        host, target = (
            [path for path in self._folders if path == folder]
            for folder in (layout.host_folder(ctx), layout.target_folder(ctx, plan.target))
        )
        for name in plan.dropped.intersection(plan.crates):  # until it is built again
            files.remove(ctx.config.root, layout.build_record(ctx.config, plan.target, name))
        self._drop([*target, *host], frozenset(plan.dropped))
        self._remove_artifacts(plan)
        if plan.drop_all:
            fingerprints.forget(target, None)
        elif plan.rerun_scripts:
            fingerprints.forget_readers(target)
        self._host(plan.host, host)

    def _drop(self, folders: Sequence[Path], packages: frozenset[str]) -> None:
        fingerprints.forget(folders, packages)
        for path in fingerprints.out_dirs(folders, packages):
            files.remove(self._ctx.graph.target_directory, path)

    def _remove_artifacts(self, plan: Plan) -> None:
        """Cargo can't replace, say, a folder in a program's place."""
        ctx = self._ctx
        for binary in ctx.ship:
            if binary.crate in plan.dropped:
                place = layout.artifact(ctx, plan.target, binary.name)
                files.remove(ctx.graph.target_directory, place)

    def _host(self, readable: str, folders: Sequence[Path]) -> None:
        """Once for all targets, of which each has a record of its own."""
        config = self._ctx.config
        path, made = layout.host_record(config), seal(config.outputs.state)
        content = {"readable": readable, "seal": made.mac_of("host", readable)}
        if readable and read(path) != content:
            fingerprints.forget_readers(folders)
            files.write(config.root, path, encode(content))
