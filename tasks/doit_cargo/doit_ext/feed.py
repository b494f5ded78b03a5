"""Feeds a runner with nodes that can be started, in the order of doit's dispatcher.

A node is released beside that order where it had been put aside before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

_HOLD = "hold on"  # what doit's dispatcher yields when every task waits for another


class Feed:
    """The dispatcher's generator, and what it has not been told yet."""

    def __init__(self, dispatcher: Any) -> None:
        self._generator = dispatcher.generator
        self._completed: deque[Any] = deque()
        self._released: deque[Any] = deque()
        self.ended = False

    @property
    def has_news(self) -> bool:
        """Whether the dispatcher has not been told of every task that is done."""
        return bool(self._completed)

    def done(self, node: Any) -> None:
        """A task is done: those that wait for it can come."""
        self._completed.append(node)

    def release(self, nodes: Iterable[Any]) -> None:
        """These were given before, and can be started now."""
        self._released += nodes

    def stop(self) -> None:
        """Start nothing more."""
        self.ended = True
        self._released.clear()

    def next(self) -> Any:
        """A node that can be started; None if there is none for now."""
        if self._released:
            return self._released.popleft()
        if self.ended:
            self._completed.clear()
            return None
        processed = self._completed.popleft() if self._completed else None
        try:
            node = self._generator.send(processed)
        except StopIteration:
            self.ended = True
            return None
        return None if node == _HOLD else node
