"""The folder for what this user's runs remember outside every workspace and cache."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def folder(env: Mapping[str, str]) -> Path:
    """`$XDG_STATE_HOME/doit-cargo`, by default in `~/.local/state`; a relative one is ignored.

    Source: XDG Base Directory Specification 0.8.
    """
    named = env.get("XDG_STATE_HOME", "")
    if os.path.isabs(named):
        return Path(named, "doit-cargo")
    return Path(env.get("HOME") or os.path.expanduser("~"), ".local", "state", "doit-cargo")
