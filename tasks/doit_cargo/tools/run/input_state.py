"""The saved state of a task's input: the SHA-256 of its content, or who changed it meanwhile.

A dependency that was written while its task ran, perhaps back to what it had been: whatever was
read, the next run takes it for changed. If the same happens then, the build itself writes it,
always alike, and its content counts again.
"""

from __future__ import annotations

UNSURE = "changed while it was read"
_SELF_WRITTEN = "written by the build: "


def self_written(sha256: str) -> str:
    """The state of an input with that content which the build writes."""
    return _SELF_WRITTEN + sha256


def is_self_written(state: object) -> bool:
    """Whether two builds in a row have changed it."""
    return str(state).startswith(_SELF_WRITTEN)


def content(state: object) -> str:
    """The SHA-256 that counts, no matter who wrote it."""
    return str(state).removeprefix(_SELF_WRITTEN)
