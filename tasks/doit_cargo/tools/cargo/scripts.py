"""Runs build scripts by themselves, as cargo ran them, several at a time."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from doit_cargo.core.errors import PipelineError
from doit_cargo.tools import process


class Scripts:
    """The scripts that run now: each in a process group of its own, killed with this process."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._guards: set[process.Guard] = set()
        self._stopped = False

    def output(self, program: str, env: Mapping[str, str], folder: Path) -> bytes | None:
        """What a script prints; None if it takes too long. Raises PipelineError if it fails."""
        child, guard = self._start(program, env, folder)
        try:
            output = process.output(child, self._seconds)
        finally:
            guard.kill()
            with self._lock:
                self._guards.discard(guard)
            if child.stdout:
                child.stdout.close()
        if output is not None and child.returncode:
            raise PipelineError(f"{program} ended with {child.returncode}")
        return output

    def stop(self) -> None:
        """End all of them, and start none any more."""
        with self._lock:
            self._stopped = True
            for guard in self._guards:
                guard.kill()

    def _start(
        self, program: str, env: Mapping[str, str], folder: Path
    ) -> tuple[process.Process[bytes], process.Guard]:
        with self._lock:
            if self._stopped:
                raise PipelineError("stopped")
            child = process.spawn(
                [program], env=env, cwd=folder, stdout=process.PIPE, stderr=process.DEVNULL
            )
            guard = process.Guard(child)
            self._guards.add(guard)
            return child, guard
