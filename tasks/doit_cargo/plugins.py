"""The names that a doit.cfg or a pyproject.toml gives doit: they stay, wherever the code moves.

Each is loaded when doit asks for it, since a run needs two of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

COMMANDS: Final = {
    "run": "Run",
    "clean": "Clean",
    "setup": "Setup",
    "doctor": "Doctor",
    "env": "Env",
    "show": "Show",
    "size": "Size",
    "audit": "Audit",
    "list": "List",
    "info": "Info",
    "why": "Why",
    "plan": "Plan",
    "affected": "Affected",
    "history": "History",
    "reset-dep": "ResetDep",
    "hooks": "Hooks",
}
"""doit command → the name here."""

BACKENDS: Final = {"doit-cargo": "TaskStore"}
"""doit backend → the name here."""

_HOMES: Final = {
    "Run": "doit_ext.run",
    "TaskStore": "doit_ext.state",
    **{
        name: f"commands.{command.replace('-', '_')}"
        for command, name in COMMANDS.items()
        if command != "run"
    },
}


def __getattr__(name: str) -> object:
    """The class of that name, from where it lives today."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"doit_cargo.{_HOMES[name]}"), name)
    return found
