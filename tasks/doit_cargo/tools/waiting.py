"""Says that something is running: with a clock on a terminal, in lines elsewhere.

A run has its own screen for that; this is for what comes before it, and for other commands.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from doit_cargo.core.terminal import has_status_line
from doit_cargo.core.text import one_line, seconds
from doit_cargo.tools import console

TICK = 1.0
"""Seconds between two looks at what is happening."""

QUIET = 20.0
"""Seconds without a line after which one is written."""

ERASE = "\r\x1b[K"
"""Back to the start of the line, and clear it."""


class Ticker:
    """Calls `tick` every second in a thread of its own, until it is stopped."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick
        self._stopped = threading.Event()
        thread = threading.Thread(target=self._run, daemon=True)
        with suppress(RuntimeError):  # a machine may have no thread left: silence is no failure
            thread.start()

    def stop(self) -> None:
        """Call it no more."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(TICK):
            with suppress(OSError):  # who reads it may be gone: the next result finds out
                self._tick()


@contextmanager
def told(what: str, say: Callable[[str], None] | None = None) -> Iterator[None]:
    """Tell how long this has been going on (`compiling musl`); with `say` also that it begins."""
    if say:
        say(what)
    if console.Door.screen:
        console.Door.note(what)
        yield
        return
    moving = has_status_line(os.environ, terminal=sys.stderr.isatty())
    lock, began, spoke = threading.Lock(), time.monotonic(), time.monotonic()

    def tick() -> None:
        nonlocal spoke
        now = time.monotonic()
        with lock:
            if moving:
                console.draw(f"{ERASE}{one_line(what)}  {seconds(now - began)}")
            elif now - spoke >= QUIET:
                spoke = now
                console.warn(f"still {what}, {seconds(now - began)}")

    ticker = Ticker(tick)
    try:
        yield
    finally:
        with lock:
            ticker.stop()
            if moving and time.monotonic() - began >= TICK:
                console.draw(ERASE)
