"""The event log: one JSON line for each thing done, with task, crate, target and duration."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_lock = threading.Lock()
_path: Path | None = None
_verbose = False
_logger: Any = None


def configure(path: Path, *, verbose: bool) -> None:
    """Where events go; `verbose` shows them on standard error too. Opens nothing yet."""
    global _path, _verbose, _logger  # noqa: PLW0603 - logging is the process's, like sys.stderr
    _path, _verbose, _logger = path, verbose, None


@contextmanager
def task(name: str) -> Iterator[dict[str, Any]]:
    """Log the end of a task, with what the caller puts into the dictionary."""
    facts: dict[str, Any] = {}
    started, outcome = time.monotonic(), "failed"
    try:
        yield facts
        outcome = "done"
    finally:
        kind, _, rest = name.partition(":")
        arch, _, subject = rest.partition(":")
        event(outcome, task=name, step=kind, target=arch, crate=subject,
              duration=round(time.monotonic() - started, 3), **facts)  # fmt: skip


def event(what: str, **facts: Any) -> None:
    """Log one event. Facts are JSON-able; empty ones are left out."""
    if _path is None:
        return
    with _lock:
        _get().info(what, **{name: value for name, value in facts.items() if value})


def _get() -> Any:
    global _logger  # noqa: PLW0603
    if _logger is None:
        _logger = _make()
    return _logger


def _make() -> Any:
    """structlog takes longer to import than a no-op takes to run: only here."""
    import structlog  # noqa: PLC0415, TID251

    assert _path
    _path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    file = os.fdopen(descriptor, "a", buffering=1)
    render = structlog.processors.JSONRenderer()
    console = structlog.dev.ConsoleRenderer()

    def both(logger: Any, method: str, entry: dict[str, Any]) -> str:
        if _verbose:
            import sys  # noqa: PLC0415

            print(console(logger, method, dict(entry)), file=sys.stderr)
        return str(render(logger, method, entry))

    return structlog.wrap_logger(
        structlog.WriteLogger(file),
        processors=[structlog.processors.TimeStamper(fmt="iso", utc=True), both],
    )
