"""What the command line asks for: the context, by `config=FILE` and `profile=NAME`, and tasks."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from doit.cmdparse import CmdParseError
from doit.doit_cmd import get_var
from doit.exceptions import InvalidCommand

from doit_cargo.core.context import read_context
from doit_cargo.core.errors import SetupError, UsageError
from doit_cargo.core.model import Context
from doit_cargo.core.settings.faults import nearest
from doit_cargo.doit_ext.tasks import spec_of
from doit_cargo.plugins import COMMANDS
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


def variables() -> list[str]:
    """`config=FILE` and `profile=NAME`, as they were given, for a shell."""
    given = ((name, get_var(name, "")) for name in ("config", "profile"))
    return [shlex.quote(f"{name}={value}") for name, value in given if value]


def select(control: Any, words: Sequence[str] | None, pipeline: Any) -> None:
    """Have doit select tasks; a name that it does not know may be a short one of ours.

    Raises SetupError for one that nobody knows, UsageError for an option of a task of ours.
    """
    try:
        control.process(words)
    except CmdParseError:
        if wrong := _wrong_option(words or (), control.tasks):
            raise UsageError(wrong) from None
        raise
    except InvalidCommand as error:
        name = error.not_found
        if name is None or not words:
            raise
        meant = pipeline.meant(name)
        if not meant or not all(task in control.tasks for task in meant):
            known = (*COMMANDS, *pipeline.names(), *control.tasks)
            raise SetupError(_unknown(name, known)) from None
        select(control, [m for w in words for m in (meant if w == name else (w,))], pipeline)


def _wrong_option(words: Sequence[str], tasks: Mapping[str, Any]) -> str:
    """What is wrong with the first option, if it stands behind a task of ours: these have none."""
    for name, word in pairwise(words):
        if word.startswith("-"):
            ours = name in tasks and spec_of(tasks[name])
            return f"there is no option {word} of the task {name}" if ours else ""
    return ""


def _unknown(name: str, known: Sequence[str]) -> str:
    return f"there is no task or command '{name}', {nearest(name, tuple(dict.fromkeys(known)))}"
