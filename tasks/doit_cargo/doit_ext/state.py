"""doit's memory of finished tasks: SQLite, committed as each task ends.

Each row carries a digest of itself: a damaged row counts as never run, so state can only add
work. A file that is no database of ours is set aside and a new one begun.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from doit.exceptions import InvalidCommand

from doit_cargo.core.errors import PipelineError
from doit_cargo.core.task import OwnName, plain

_VERSION = 2
_LAST_KEY = "deps:"  # what doit's Dependency.save_success writes last
_IGNORE = "ignore:"
_DAMAGED = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
_SCHEMA = "create table if not exists tasks (name text primary key, data text, digest text)"


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
        self._writer: sqlite3.Connection | None = None
        self._written: set[str] = set()
        self._seen = self._look()
        self._rows = self._read()
        self._tasks: dict[str, dict[str, Any]] = {}
        self._own: dict[str, str] = {}  # the name of a task of ours → that of its row

    def open_for_results(self) -> None:
        """A run begins: what its tasks save is kept."""
        self._open_for_results = True

    def get(self, task_id: str, dependency: str) -> Any:
        """A saved value, or None."""
        return self._task(self._row(task_id)).get(dependency)

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
            with self._naming(), self._open() as connection:
                connection.execute("delete from tasks where name = ?", (task_id,))

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
        if self._look() == self._seen:
            return False
        if self._writer is None:
            return True
        with self._naming():
            rows = self._writer.execute("select name, data, digest from tasks")
            fresh = {name: (data, digest) for name, data, digest in rows}
        names = (fresh.keys() | self._rows.keys()) - self._written  # ours are no news
        return any(fresh.get(name) != self._rows.get(name) for name in names)

    def dump(self) -> None:
        """Close: everything is committed already."""
        if self._writer:
            self._writer.close()
            self._writer = None

    def _row(self, task_id: str) -> str:
        """The name of a task's row. Another's task may name one of ours by a plain string."""
        if isinstance(task_id, OwnName):
            self._own[str(task_id)] = task_id.row
        return self._own.get(task_id, task_id)

    def _task(self, task_id: str) -> dict[str, Any]:
        if task_id not in self._tasks:
            data, digest = self._rows.get(task_id, ("", ""))
            valid = digest and digest == _digest(task_id, data)
            self._tasks[task_id] = self.codec.decode(data) if valid else {}
        return self._tasks[task_id]

    def _commit(self, task_id: str) -> None:
        self._written.add(task_id)
        try:
            data = self.codec.encode(self._tasks[task_id])
        except (TypeError, ValueError, RecursionError) as error:  # what an action returned
            raise UnsavableError(str(error)) from None
        row = (task_id, data, _digest(task_id, data))
        with self._naming(), self._open() as connection:
            connection.execute("insert or replace into tasks values (?, ?, ?)", row)
        self._rows[task_id] = row[1:]

    def _read(self) -> dict[str, tuple[str, str]]:
        """Every row. Without a write-ahead log beside it the file is whole: no lock is needed."""
        if not _is_plain(self.name):
            return {}
        settled = "" if os.path.exists(self.name + "-wal") else "&immutable=1"
        with suppress(sqlite3.Error):
            connection = sqlite3.connect(f"file:{quote(self.name)}?mode=ro{settled}", uri=True)
            try:
                if connection.execute("pragma user_version").fetchone() == (_VERSION,):
                    found = connection.execute("select name, data, digest from tasks")
                    return {name: (data, digest) for name, data, digest in found}
            finally:
                connection.close()
        return {}

    def _look(self) -> list[tuple[int, int, int]]:
        """Identities of the database and its log, as far as they exist."""
        found = []
        for name in (self.name, self.name + "-wal"):
            with suppress(FileNotFoundError):
                status = os.stat(name)
                found.append((status.st_ino, status.st_size, status.st_mtime_ns))
        return found

    @contextmanager
    def _naming(self) -> Iterator[None]:
        """SQLite's errors name no file."""
        try:
            yield
        except sqlite3.Error as error:
            raise PipelineError(f"{self.name}: {error}") from None

    def _open(self) -> sqlite3.Connection:
        if self._writer is None:
            os.makedirs(os.path.dirname(self.name), exist_ok=True)
            if not _is_ours(self.name):
                self._set_aside()
            self._writer = self._connect()
        return self._writer

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.name)
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        connection.execute(_SCHEMA)
        connection.execute(f"pragma user_version = {_VERSION}")
        return connection

    def _set_aside(self) -> None:
        for suffix in ("-wal", "-shm"):
            Path(self.name + suffix).unlink(missing_ok=True)
        damaged = self.name + ".damaged"
        if os.path.isdir(damaged) and not os.path.islink(damaged):
            shutil.rmtree(damaged)
        os.replace(self.name, damaged)


def _is_plain(name: str) -> bool:
    """A regular file: SQLite follows a link, and waits at a pipe for ever."""
    return os.path.isfile(name) and not os.path.islink(name)


def _is_ours(name: str) -> bool:
    """Absent, or a valid database of this version. A locked or unreadable one raises."""
    if not _is_plain(name):
        return not os.path.lexists(name)
    connection = sqlite3.connect(name)
    try:
        found = [
            connection.execute(f"pragma {p}").fetchone() for p in ("user_version", "quick_check")
        ]
        return bool(found == [(_VERSION,), ("ok",)])
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname in _DAMAGED:
            return False
        raise
    finally:
        connection.close()


def _digest(task_id: str, data: str) -> str:
    return hashlib.sha256(f"{task_id}\0{data}".encode()).hexdigest()
