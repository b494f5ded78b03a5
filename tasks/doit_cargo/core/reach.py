"""Everything below something, along whatever edges."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def reachable(start: Iterable[T], below: Callable[[T], Iterable[T]]) -> set[T]:
    """These and all that lies below them, whatever circles there are."""
    found = set(start)
    queue = list(found)
    while queue:
        new = [item for item in below(queue.pop()) if item not in found]
        found.update(new)
        queue += new
    return found
