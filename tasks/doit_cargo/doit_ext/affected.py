"""Which tasks a set of changed files touches, by the inputs that are known; in doubt, all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

from doit_cargo.core import layout
from doit_cargo.core.context import POLICY_FILE
from doit_cargo.core.model import Context
from doit_cargo.core.record import paths, read
from doit_cargo.doit_ext.neighbours import crate_folders, crate_of
from doit_cargo.doit_ext.tasks import StepTask

_SHARED = frozenset({"Cargo.toml", "Cargo.lock", "rust-toolchain", "rust-toolchain.toml"})
_SETTINGS = ("dodo.py", "doit.cfg", "pyproject.toml", "config/")


class Affected(NamedTuple):
    """The names of the tasks, and why all of them count, if they do for want of knowledge."""

    tasks: frozenset[str]
    doubt: str = ""


def affected(ctx: Context, tasks: Iterable[StepTask], changed: Iterable[str]) -> Affected:
    """Those whose inputs are among the changed files (absolute paths), and all that follow.

    `tasks` are in dependency order.
    """
    inputs = _Inputs(ctx, {task.name: task for task in tasks if task.actions})
    touched: set[str] = set()
    for path in changed:
        found = inputs.readers(path)
        if found is None:
            everything = frozenset(inputs.tasks)
            return Affected(
                everything, f"{path}: a build tells who reads it, and none has run here"
            )
        touched |= found
    for name, task in inputs.tasks.items():
        if not touched.isdisjoint(task.task_dep):
            touched.add(name)
    return Affected(frozenset(touched))


class _Inputs:
    """What is known of who reads what."""

    def __init__(self, ctx: Context, tasks: Mapping[str, StepTask]) -> None:
        self._ctx = ctx
        self.tasks = tasks
        self._builds = [task for task in tasks.values() if task.spec.stage == "build"]
        self._folders = crate_folders(ctx.graph)
        self._files: dict[str, set[str]] = {}
        for name, task in tasks.items():
            for path in task.file_dep:
                self._files.setdefault(path, set()).add(name)

    def readers(self, path: str) -> set[str] | None:
        """The tasks that read a file which changed, came or went; None if nobody knows."""
        config = self._ctx.config
        named = (config.path, config.path.with_name(POLICY_FILE))
        usual = tuple(f"{config.root}/{name}" for name in _SETTINGS)
        if path in map(str, named) or path.startswith(usual):
            return set(self.tasks)
        found = set(self._files.get(path, ()))
        found |= {name for name, places in self._places.items() if _below(path, places)}
        if os.path.basename(path) in _SHARED or f"{os.sep}.cargo{os.sep}" in path:
            found |= {name for name, task in self.tasks.items() if task.spec.stage == "toolchain"}
        if crate := crate_of(self._folders, path):
            found |= {task.name for task in self._builds if task.spec.subject == crate}
        is_known = found or _below(path, map(str, layout.made(self._ctx))) or self._all_known
        return found if is_known else None

    @cached_property
    def _places(self) -> dict[str, list[str]]:
        """Build → files and folders that it read outside of its crate's folder, or is told to."""
        return {
            task.name: [
                *paths(record, "elsewhere"),
                *self._configured(task.spec.subject),
            ]
            for task, record in self._records
        }

    @cached_property
    def _records(self) -> list[tuple[StepTask, dict[str, object]]]:
        return [(task, read(task.spec.outputs[0])) for task in self._builds]

    @cached_property
    def _all_known(self) -> bool:
        return all("elsewhere" in record for _, record in self._records)

    def _configured(self, crate: str) -> list[str]:
        folder = self._ctx.graph.crates[crate].directory
        named = self._ctx.config.inputs.get(crate, ())
        return [os.path.normpath(folder / text) for text in named]


def _below(path: str, places: Iterable[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)
