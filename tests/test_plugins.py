"""The stable names: all that a doit.cfg or a pyproject.toml of a user may name, and they stay."""

from __future__ import annotations

import importlib
import re
import subprocess  # noqa: TID251 - imports in a Python of its own
import sys
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
from doit.cmd_base import Command
from doit.dependency import JSONCodec

from doit_cargo import plugins
from helpers.project import REPOSITORY

COMMANDS = {
    "run": "Run", "clean": "Clean", "setup": "Setup", "doctor": "Doctor", "env": "Env",
    "show": "Show", "size": "Size", "audit": "Audit", "hooks": "Hooks",
    "list": "List", "info": "Info", "why": "Why", "plan": "Plan",
    "affected": "Affected",
    "history": "History", "reset-dep": "ResetDep",
}  # fmt: skip
BACKENDS = {"doit-cargo": "TaskStore"}
TABLES = {
    "command": {name: f"doit_cargo.plugins:{plugin}" for name, plugin in COMMANDS.items()},
    "backend": {name: f"doit_cargo.plugins:{plugin}" for name, plugin in BACKENDS.items()},
}
# of projects that were set up before there were stable names
FORMER = [
    ("run", "Run"), ("clean", "Clean"), ("commands", "Setup"), ("commands", "Doctor"),
    ("commands", "Env"), ("commands", "Show"), ("commands", "Size"), ("commands", "Audit"),
    ("hooks", "Hooks"), ("state", "TaskStore"),
]  # fmt: skip


def test_these_are_the_names() -> None:
    """To rename or remove one breaks every project; whoever adds one adds it here."""
    assert (COMMANDS, BACKENDS) == (plugins.COMMANDS, plugins.BACKENDS)


@pytest.mark.parametrize(("command", "name"), COMMANDS.items())
def test_a_command_is_one_of_doits_under_its_name(command: str, name: str) -> None:
    found = getattr(plugins, name)

    assert issubclass(found, Command)
    assert (found.__name__, found.get_name()) == (name, command)


def test_the_backend_is_one_that_doit_can_use(tmp_path: Path) -> None:
    made: Any = plugins.TaskStore
    store = made(str(tmp_path / "state.sqlite3"), JSONCodec())

    assert store.get("a task", "a key") is None
    assert {"get", "set", "in_", "dump", "remove", "remove_all"} <= {*dir(store)}


def test_any_other_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'doit_cargo.plugins' has no attribute 'X'$"):
        plugins.X  # noqa: B018


@pytest.mark.parametrize(("module", "name"), FORMER)
def test_a_name_of_before_means_the_same(module: str, name: str) -> None:
    found = getattr(importlib.import_module(f"doit_cargo.doit_ext.{module}"), name)

    assert found is getattr(plugins, name)


def loaded_by(module: str) -> set[str]:
    """The modules of the package that a fresh Python has after that import."""
    text = f"import sys, {module}; print(*(m for m in sys.modules if m.startswith('doit')))"
    argv = [sys.executable, "-c", text]
    return {*subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()}


def test_importing_the_names_loads_nothing_else() -> None:
    assert loaded_by("doit_cargo.plugins") == {"doit_cargo", "doit_cargo.plugins"}


def test_the_template_names_exactly_these() -> None:
    parser = ConfigParser(delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign] # as doit reads it
    parser.read(REPOSITORY / "tasks/doit_cargo/templates/doit.cfg")

    assert {name.lower(): dict(parser[name]) for name in parser.sections()} == TABLES


def test_this_repository_names_exactly_these() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text()

    assert tomllib.loads(text)["tool"]["doit"]["plugins"] == TABLES


def test_the_page_of_the_configuration_names_exactly_these() -> None:
    page = (REPOSITORY / "docs/configuration.md").read_text()
    (block,) = re.findall(r"(?ms)^```toml\n(\[tool\.doit\.plugins.*?)^```$", page)

    assert tomllib.loads(block) == {"tool": {"doit": {"plugins": TABLES}}}
    assert set(re.findall(r"doit_cargo\.\w+:\w+", page)) == {
        location for table in TABLES.values() for location in table.values()
    }
