"""A command's options in the form that doit takes."""

from __future__ import annotations

from typing import Any


def flag(name: str, help_text: str, *, short: str = "") -> dict[str, Any]:
    """An option without a value, off by default; doit passes it as `name` with `_` for `-`."""
    return {
        "name": name.replace("-", "_"), "short": short, "long": name, "type": bool,
        "default": False, "help": help_text,
    }  # fmt: skip
