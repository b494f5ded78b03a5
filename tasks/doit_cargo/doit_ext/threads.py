"""The few threads in which the pipeline's own actions run; none before the first action."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

_MOST_THREADS = 8  # smoke tests and images wait for other programs; more would wait for those


class Threads:
    """As many as the machine has processors, up to a bound."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None

    def run(self, action: Callable[[], None]) -> None:
        """Run an action as soon as a thread is free."""
        from concurrent.futures import ThreadPoolExecutor

        count = min(_MOST_THREADS, os.cpu_count() or 1)
        self._pool = self._pool or ThreadPoolExecutor(max_workers=count)
        self._pool.submit(action)

    def stop(self) -> None:
        """Begin no further action; those that run are not waited for."""
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
