"""Doctor's lines about plugins."""

from __future__ import annotations

from pathlib import Path

import pytest

from doit_cargo.plugins import COMMANDS
from doit_cargo.tools.machine.finding import healthy, render
from doit_cargo.tools.machine.plugin_doctor import examine
from helpers.workspaces import write

STORE = "doit-cargo = doit_cargo.plugins:TaskStore"
COMPLETE = "".join(
    (
        "[COMMAND]\n",
        *(f"{name} = doit_cargo.plugins:{plugin}\n" for name, plugin in COMMANDS.items()),
        f"[BACKEND]\n{STORE}\n",
    )
)


def lines(folder: Path) -> list[str]:
    return [" ".join(line.split()) for line in render(examine(folder)).splitlines()]


def test_all_is_there(tmp_path: Path) -> None:
    write(tmp_path, {"doit.cfg": COMPLETE})

    assert lines(tmp_path) == ["ok plugins doit.cfg"]


@pytest.mark.parametrize("with_workspace", [True, False])
def test_the_command_is_told_where_it_works(tmp_path: Path, *, with_workspace: bool) -> None:
    """Init asks cargo for the workspace, which may lie in another folder than dodo.py."""
    new, old = "doit_cargo.plugins:Clean", "doit_cargo.doit_ext.clean:Clean"
    text = COMPLETE.replace(new, old)
    write(tmp_path, {"doit.cfg": text} | ({"Cargo.toml": ""} if with_workspace else {}))
    summary = ["optional doit.cfg 1 line to bring up to date: doit-cargo init --keep"]

    assert lines(tmp_path) == [
        *(summary if with_workspace else []),
        f"optional doit.cfg:3 clean = {old} is an old name: write clean = {new}",
    ]
    assert healthy(examine(tmp_path))


def test_without_the_backend_nothing_runs(tmp_path: Path) -> None:
    write(tmp_path, {"Cargo.toml": "", "doit.cfg": COMPLETE.partition("[BACKEND]")[0]})

    assert lines(tmp_path) == [
        "optional doit.cfg 1 line to bring up to date: doit-cargo init --keep",
        f"MISSING doit.cfg doit-cargo is missing: add {STORE} to [BACKEND]",
    ]
    assert not healthy(examine(tmp_path))


def test_a_file_that_doit_cannot_read(tmp_path: Path) -> None:
    write(tmp_path, {"doit.cfg": COMPLETE, "pyproject.toml": "[tool\n"})

    (line,) = lines(tmp_path)

    assert line.startswith("optional pyproject.toml doit cannot read it: Expected ']' at the end")
