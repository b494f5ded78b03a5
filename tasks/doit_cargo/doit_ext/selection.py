"""The context that the command line asks for: `config=FILE`, `profile=NAME`."""

from __future__ import annotations

import os
from pathlib import Path

from doit.doit_cmd import get_var

from doit_cargo.core.context import read_context
from doit_cargo.core.model import Context
from doit_cargo.tools.run.settings_memory import SettingsMemory


class Selection:
    """What `doit run` was asked for, which is known before the tasks are loaded.

    `defaults` is True if it was asked for nothing, and so runs the default tasks.
    """

    defaults = False


def selected_context(root: Path) -> Context:
    """The context below `root`. Raises SetupError."""
    return read_context(
        root,
        os.environ,
        config_file=get_var("config", ""),
        profile=get_var("profile", ""),
        read=SettingsMemory(os.environ).read_yaml,
    )
