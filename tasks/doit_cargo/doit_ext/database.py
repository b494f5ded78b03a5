"""The file that doit's state is kept in: rows of text in SQLite, each committed by itself.

A file that is no database of ours is set aside and a new one begun.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from doit_cargo.core.errors import PipelineError

Rows = dict[str, tuple[str, str]]
"""The name of a row → its data and the digest that was written with it."""

_VERSION = 2
_DAMAGED = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
_COLUMNS = "tasks (name text primary key, data text, digest text)"
_SCHEMA = f"create table if not exists {_COLUMNS}"
# What SQLite remembers of it. A view of that name could go on for ever, a trigger do more.
_REMEMBERED = [("table", f"CREATE TABLE {_COLUMNS}")]
_ALL = "select name, data, digest from tasks"


class Database:
    """Reading makes no file; the first row that is written does."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._writer: sqlite3.Connection | None = None
        self._seen = self._look()

    @property
    def is_touched(self) -> bool:
        """Whether the file has changed since this was made, by anyone."""
        return self._look() != self._seen

    def read(self) -> Rows:
        """Every row. Without a write-ahead log beside it the file is whole: no lock is needed."""
        if not _is_plain(self._name):
            return {}
        settled = "" if os.path.exists(self._name + "-wal") else "&immutable=1"
        with suppress(sqlite3.Error):
            connection = sqlite3.connect(f"file:{quote(self._name)}?mode=ro{settled}", uri=True)
            try:
                if _is_of_this_version(connection):
                    return _rows(connection)
            finally:
                connection.close()
        return {}

    def read_again(self) -> Rows | None:
        """Every row as it is now; None if nothing was written here. Raises PipelineError."""
        if self._writer is None:
            return None
        with self._naming():
            return _rows(self._writer)

    def put(self, name: str, data: str, digest: str) -> None:
        """Write a row. Raises PipelineError."""
        with self._naming(), self._open() as connection:
            row = (name, data, digest)
            connection.execute("insert or replace into tasks values (?, ?, ?)", row)

    def drop(self, name: str) -> None:
        """Remove a row. Raises PipelineError."""
        with self._naming(), self._open() as connection:
            connection.execute("delete from tasks where name = ?", (name,))

    def keep_newest(self, count: int) -> None:
        """Remove all but the last rows in the order of their names. Raises PipelineError."""
        with self._naming(), self._open() as connection:
            connection.execute(
                "delete from tasks where name not in "
                "(select name from tasks order by name desc limit ?)",
                (count,),
            )

    def close(self) -> None:
        """Everything is committed already."""
        if self._writer:
            self._writer.close()
            self._writer = None

    def _look(self) -> list[tuple[int, int, int]]:
        """Identities of the database and its log, as far as they exist."""
        found = []
        for name in (self._name, self._name + "-wal"):
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
            raise PipelineError(f"{self._name}: {error}") from None

    def _open(self) -> sqlite3.Connection:
        if self._writer is None:
            os.makedirs(os.path.dirname(self._name), exist_ok=True)
            if not _is_ours(self._name):
                _set_aside(self._name)
            self._writer = _connect(self._name)
        return self._writer


def _is_of_this_version(connection: sqlite3.Connection) -> bool:
    """Whether it holds our table and nothing else."""
    version = connection.execute("pragma user_version").fetchone()
    found = connection.execute("select type, sql from sqlite_master where sql is not null limit 2")
    return bool(version == (_VERSION,) and found.fetchall() == _REMEMBERED)


def _rows(connection: sqlite3.Connection) -> Rows:
    return {name: (data, digest) for name, data, digest in connection.execute(_ALL)}


def _connect(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = normal")
        connection.execute(_SCHEMA)
        connection.execute(f"pragma user_version = {_VERSION}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _set_aside(name: str) -> None:
    for suffix in ("-wal", "-shm"):
        Path(name + suffix).unlink(missing_ok=True)
    damaged = name + ".damaged"
    if os.path.isdir(damaged) and not os.path.islink(damaged):
        shutil.rmtree(damaged)
    os.replace(name, damaged)


def _is_plain(name: str) -> bool:
    """A regular file: SQLite follows a link, and waits at a pipe for ever."""
    return os.path.isfile(name) and not os.path.islink(name)


def _is_ours(name: str) -> bool:
    """Absent, or a valid database of this version. A locked or unreadable one raises."""
    if not _is_plain(name):
        return not os.path.lexists(name)
    connection = sqlite3.connect(name)
    try:
        whole = connection.execute("pragma quick_check").fetchone() == ("ok",)
        return whole and _is_of_this_version(connection)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname in _DAMAGED:
            return False
        raise
    finally:
        connection.close()
