"""doit's memory of finished tasks, committed as each task ends.

Each row carries a seal: one that was damaged, made by somebody else or moved from another task
counts as never run, so state can only add work.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from doit.exceptions import InvalidCommand

from doit_cargo.core.errors import PipelineError
from doit_cargo.core.task import OwnName, plain
from doit_cargo.doit_ext.database import Database
from doit_cargo.tools.key import trusting

_LAST_KEY = "deps:"  # what doit's Dependency.save_success writes last
_IGNORE = "ignore:"
_KIND = "row"


class UnsavableError(PipelineError):
    """A task's values are none that the codec knows."""


class TaskStore:
    """A doit backend. Reading writes nothing; the file appears with the first finished task."""

    desc = "SQLite, committed as each task ends"

    def __init__(self, name: str, codec: Any, *, module_name: str | None = None) -> None:
        del module_name
        self.name = name
        self.codec = codec
        self._open_for_results = False
        self._database = Database(name)
        self._seal = trusting(Path(name).parent)
        self._written: set[str] = set()
        self._rows = self._database.read()
        self._tasks: dict[str, dict[str, Any]] = {}
        self._own: dict[str, str] = {}  # the name of a task of ours → that of its row

    def open_for_results(self) -> None:
        """A run begins: what its tasks save is kept."""
        self._open_for_results = True

    def get(self, task_id: str, dependency: str) -> Any:
        """A saved value, or None."""
        return self._task(self._row(task_id)).get(dependency)

    def saved(self, task_id: str) -> Mapping[str, Any]:
        """All that is saved of a task, to be read once: it is not kept."""
        row = self._row(task_id)
        return self._tasks[row] if row in self._tasks else self._decoded(row)

    def set(self, task_id: str, dependency: str, value: Any) -> None:
        """Keep a value; all of a task's values are committed with the last of them.

        Raises InvalidCommand outside a run for a task of the pipeline: `doit ignore` and
        `doit reset-dep` would let one count as done that was not.
        """
        if isinstance(task_id, OwnName) and not self._open_for_results:
            raise InvalidCommand(f"{task_id} is doit-cargo's: only a run may say it is done")
        row = self._row(task_id)
        self._task(row)[dependency] = value
        if dependency in (_LAST_KEY, _IGNORE):
            self._commit(row)

    def in_(self, task_id: str) -> bool:
        """Whether anything is known of the task."""
        return bool(self._task(self._row(task_id)))

    def states(self, task_id: str) -> list[tuple[str, Any]]:
        """What was saved of each of the task's files, the paths sorted."""
        saved = self._task(self._row(task_id)).items()
        return sorted((key, value) for key, value in saved if os.path.isabs(key))

    def remove(self, task_id: str) -> None:
        """Forget a task."""
        task_id = self._row(task_id)
        self._tasks[task_id] = {}
        self._written.add(task_id)
        if self._rows.pop(task_id, None) is not None:
            self._database.drop(task_id)

    def remove_all(self) -> None:
        """Forget every task, of every profile."""
        self._own.clear()
        for task_id in [*self._rows]:
            self.remove(task_id)

    def knows_others(self, names: Iterable[str]) -> bool:
        """Whether anything is known of tasks that are none of these, with any profile."""
        return not {plain(row) for row in self._rows} <= set(names)

    def outdated(self) -> bool:
        """Whether another run has written since this one read."""
        if not self._database.is_touched:
            return False
        fresh = self._database.read_again()
        if fresh is None:
            return True
        names = (fresh.keys() | self._rows.keys()) - self._written  # ours are no news
        return any(fresh.get(name) != self._rows.get(name) for name in names)

    def dump(self) -> None:
        """Close: everything is committed already."""
        self._database.close()

    def _row(self, task_id: str) -> str:
        """The name of a task's row. Another's task may name one of ours by a plain string."""
        if isinstance(task_id, OwnName):
            self._own[str(task_id)] = task_id.row
        return self._own.get(task_id, task_id)

    def _task(self, task_id: str) -> dict[str, Any]:
        if task_id not in self._tasks:
            self._tasks[task_id] = self._decoded(task_id)
        return self._tasks[task_id]

    def _decoded(self, task_id: str) -> dict[str, Any]:
        data, mac = self._rows.get(task_id, ("", ""))
        if not data or not self._seal.holds(_KIND, _text(task_id, data), mac):
            return {}
        loaded = self.codec.decode(data)
        return loaded if isinstance(loaded, dict) else {}

    def _commit(self, task_id: str) -> None:
        self._written.add(task_id)
        try:
            data = self.codec.encode(self._tasks[task_id])
        except (TypeError, ValueError, RecursionError) as error:  # what an action returned
            raise UnsavableError(str(error)) from None
        self._rows[task_id] = data, self._seal.mac(_KIND, _text(task_id, data))
        self._database.put(task_id, *self._rows[task_id])


def _text(task_id: str, data: str) -> bytes:
    return f"{task_id}\0{data}".encode(errors="surrogatepass")
