"""`doit run` before there is anything to run: what is wrong with a dodo.py is one line."""

from __future__ import annotations

import subprocess  # noqa: TID251 - the command's module takes Python's garbage collector over
from pathlib import Path

import pytest

from helpers.project import DOIT, Project, plugin_tables
from helpers.workspaces import write

TASK = 'def task_web():\n    return {"actions": ["true"]}\n'


@pytest.mark.parametrize(
    "settings", ["", 'DOIT_CONFIG = {"verbosity": 2}\n'], ids=["none", "others"]
)
def test_a_dodo_file_without_our_settings_is_told_how_to_have_them(
    tmp_path: Path, settings: str
) -> None:
    """And nothing is made of the state that doit alone would have."""
    write(tmp_path, {"pyproject.toml": plugin_tables(), "dodo.py": TASK + settings})
    done = subprocess.run(
        [DOIT], cwd=tmp_path, env=Project.environment({"PYTHONDONTWRITEBYTECODE": "1"}), text=True,
        capture_output=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "ERROR: DOIT_CONFIG in dodo.py lacks doit-cargo's settings: take the dictionary that "
        "load(__file__) returns, and add yours to it\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dodo.py", "pyproject.toml"]
