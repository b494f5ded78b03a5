"""The event log: one JSON line for each task done: its stage, architecture, subject, duration."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from doit_cargo.core.task import TaskSpec
from doit_cargo.tools import console

LARGEST = 8 << 20
"""Bytes of a log from which on a run begins a new one; the one before is kept beside it."""


class EventLog:
    """Writes events to a file, as JSON lines, and in verbose runs to standard error for people."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._run = ""
        self._verbose = False
        self._logger: Any = None

    def configure(self, path: Path, *, run: str, verbose: bool) -> None:
        """Where events go, and the run's id. Opens nothing yet: one without any leaves no file."""
        self._path, self._run, self._verbose, self._logger = path, run, verbose, None

    @contextmanager
    def task(self, spec: TaskSpec) -> Iterator[dict[str, object]]:
        """Log the end of a task, with what the caller puts into the dictionary."""
        facts: dict[str, object] = {}
        started, outcome = time.monotonic(), "failed"
        try:
            yield facts
            outcome = "done"
        finally:
            took = round(time.monotonic() - started, 3)
            self.event(
                outcome, task=spec.name, stage=spec.stage, arch=spec.arch, duration=took,
                **{_subject(spec): spec.subject}, **facts,
            )  # fmt: skip

    def event(self, what: str, **facts: object) -> None:
        """Log one event. Facts are JSON-able; empty ones are left out."""
        with self._lock:
            if self._path is None:
                return
            try:
                self._logger = self._logger or self._make(self._path)
                self._logger.info(what, **{name: value for name, value in facts.items() if value})
            except OSError as error:  # a log that can't be kept is no reason to fail a build
                console.warn(f"no more events in {self._path}: {error.strerror}")
                self._path = None

    def _make(self, path: Path) -> object:
        """Import structlog here only: it takes longer than all of a no-op's own work."""
        import structlog  # noqa: PLC0415, TID251

        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.stat().st_size > LARGEST:
            path.replace(path.with_name(f"{path.name}.1"))
        flags = (
            os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        )
        descriptor = os.open(path, flags, 0o644)
        render = structlog.processors.JSONRenderer()
        show = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())

        def both(logger: object, method: str, entry: MutableMapping[str, Any]) -> str:
            if self._verbose:
                console.warn(str(show(logger, method, dict(entry))))
            os.write(descriptor, f"{render(logger, method, entry)!s}\n".encode())
            raise structlog.DropEvent

        stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
        logger = structlog.wrap_logger(structlog.PrintLogger(), processors=[stamp, both])
        return logger.bind(run=self._run)


def _subject(spec: TaskSpec) -> str:
    """What the subject is: only a build is of a crate."""
    return "crate" if spec.stage == "build" else "binary"


log = EventLog()
