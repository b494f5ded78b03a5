"""`doit-cargo COMMAND`: the pipeline as a command of its own, from any folder of the project.

It needs no doit on PATH and no doit.cfg. A dodo.py that loads doit-cargo is read as doit does, for
the tasks beside ours; any other one is its owner's, and is left alone.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from doit.cmd_base import Command, DodoTaskLoader, NamespaceTaskLoader
from doit.doit_cmd import DoitMain

from doit_cargo.core import command_line
from doit_cargo.core.command_line import Option
from doit_cargo.core.context import CONFIG_VARIABLE
from doit_cargo.core.errors import SetupError, UsageError
from doit_cargo.core.project import CONFIG_FILE, DODO, has_our_dodo, root_above
from doit_cargo.core.settings.faults import nearest
from doit_cargo.pipeline import load
from doit_cargo.plugins import BACKENDS, COMMANDS
from doit_cargo.tools.console import Door, say

NAME = "doit-cargo"
_DOIT_FILES = ("pyproject.toml", "doit.cfg")
# Not for the pipeline: they show or change what doit alone would keep.
_NOT_OURS = {"dumpdb", "ignore", "strace", "tabcompletion"}


def run(words: Sequence[str]) -> int:
    """Run a command line: the exit code.

    Raises UsageError for a wrong option, SetupError outside of every project.
    """
    Door.name = NAME
    try:
        root = find_root(Path.cwd(), words)
    except SetupError as error:
        raise _misspelt(words) or error from None
    _enter(root)
    own = has_our_dodo(root)
    main = Main(root, own=own)
    name, rest = main.split(words)
    if command_line.asks_for_help(rest):
        return _help(main, [_subject(name, words)])
    if name == "help":
        return _help(main, rest)
    command = main.command(name)
    options = [_option(option) for option in command.cmdparser.options]
    variables = [word for word in rest if _is_variable(word)]
    others = [word for word in rest if not _is_variable(word)]
    strict = name != "run" or not own
    return int(
        main.run([name, *variables, *command_line.arrange(others, options, strict=strict)]) or 0
    )


def _help(main: Main, subjects: list[str]) -> int:
    """Doit's own page, printed by what knows of closed pipes and of encodings."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = int(main.run(["help", *subjects]) or 0)
    say(said.getvalue(), end="")
    return code


def find_root(folder: Path, words: Sequence[str] = ()) -> Path:
    """The nearest folder, upwards, with a configuration.

    A command line or an environment that names another one holds for the folder one is in.
    Raises SetupError if there is none.
    """
    if root := root_above(folder):
        return root
    if os.environ.get(CONFIG_VARIABLE) or any(word.startswith("config=") for word in words):
        return folder
    raise SetupError(
        f"there is no {CONFIG_FILE} in {folder} or above it: `{NAME} init` makes one in a Cargo "
        "workspace"
    )


class Main(DoitMain):  # type: ignore[misc]  # doit has no types
    """doit with our commands and our state, whatever the project's files say of plugins."""

    BIN_NAME = NAME

    def __init__(self, root: Path, *, own: bool) -> None:
        super().__init__(
            task_loader=None if own else Pipelines(root),
            config_filenames=_DOIT_FILES if own else (),
        )
        self.config["COMMAND"].update(_plugins(COMMANDS))
        self.config["BACKEND"].update(_plugins(BACKENDS))

    def get_cmds(self) -> Any:
        """Doit's commands and ours, without those that are of no use here."""
        found = super().get_cmds()
        for name in _NOT_OURS:
            found.pop(name, None)
        return found

    def split(self, words: Sequence[str]) -> tuple[str, list[str]]:
        """The command, `run` if none is named, and the other words."""
        names = self.get_cmds()
        first = next((word for word in words if not _is_variable(word)), "")
        if first not in names:
            return "run", list(words)
        rest = list(words)
        rest.remove(first)
        return first, rest

    def command(self, name: str) -> Command:
        """The command, as doit makes it."""
        commands = self.get_cmds()
        made: Command = commands.get_plugin(name)(
            task_loader=self.task_loader or DodoTaskLoader(), config=self.config,
            bin_name=NAME, cmds=commands,
        )  # fmt: skip
        return made


class Pipelines(NamespaceTaskLoader):  # type: ignore[misc]  # doit has no types
    """Loads the pipeline of a root when doit asks for it, which knows then what is wanted."""

    # One without a name to type: of a command without any option doit's parser loses the defaults.
    cmd_options = ({"name": "root", "default": ""},)

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root

    def setup(self, opt_values: Any) -> None:
        """What a dodo.py of three lines has."""
        del opt_values
        config, creator = load(str(self._root / DODO))
        self.namespace = {"DOIT_CONFIG": config, "task_cargo": creator}


def _misspelt(words: Sequence[str]) -> UsageError | None:
    """Outside of a project a name that is like a command's is that, misspelt."""
    known = ("init", *Main(Path(), own=False).get_cmds())
    if not words or words[0] in known or "?" not in (said := nearest(words[0], known)):
        return None
    return UsageError(f"there is no command '{words[0]}', {said}")


def _subject(command: str, words: Sequence[str]) -> str:
    """What `-h` is asked of: a command, or the task that `run` would run."""
    names = [word for word in words if not word.startswith("-") and not _is_variable(word)]
    return names[0] if names else command


def _plugins(names: dict[str, str]) -> dict[str, str]:
    return {name: f"doit_cargo.plugins:{plugin}" for name, plugin in names.items()}


def _is_variable(word: str) -> bool:
    """`profile=NAME`, `config=FILE`: as doit tells them from names."""
    return not word.startswith("-") and "=" in word


def _option(option: Any) -> Option:
    return Option(
        option.short,
        option.long,
        option.inverse,
        valued=option.type is not bool,
        number=option.type is int,
    )


def _enter(root: Path) -> None:
    """Go there. Python's own words for this command are made absolute: a run may start again."""
    for index, word in enumerate(sys.orig_argv):
        if word == sys.argv[0] and os.sep in word:
            sys.orig_argv[index] = os.path.abspath(word)
    Door.folder = os.getcwd()
    os.chdir(root)
