"""`doit info TASK`: whether it is up to date, with all that it waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.project import DODO, SOURCES, Project
from helpers.workspaces import write

OWN = """
def task_note():
    return {"actions": ["true"], "uptodate": [True], "task_dep": ["build"]}
"""


@pytest.mark.integration
def test_a_task_is_behind_if_one_is_that_it_waits_for(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", {**SOURCES, "dodo.py": DODO + OWN})
    package = ("info", "package:x86_64:alpha")
    project.build("package")

    done = project.doit(*package)
    write(project.root, {"alpha/src/main.rs": SOURCES["alpha/src/main.rs"] + "// new\n"})
    behind, other = project.doit(*package), project.doit("info", "package:x86_64:beta")

    assert done.returncode == other.returncode == 0
    assert "status     : up-to-date\n" in done.stdout
    assert behind.returncode == 1
    assert (
        "status     : run\n"
        " * These tasks, which it waits for, are not up to date:\n"
        "    - build:x86_64:alpha\n\n"
    ) in behind.stdout
    assert "status" not in project.build("info", "--no-status", package[1])

    project.build("note")
    write(project.root, {"alpha/src/main.rs": "fn main() {}\n"})
    assert "up-to-date" in project.build("info", "note"), "a task of the user's own: as doit has it"


def test_a_name_that_there_is_not_is_told(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")

    wrong, unlike = project.doit("info", "stagex86"), project.doit("info", "-")

    assert (wrong.returncode, wrong.stdout) == (3, "")
    assert wrong.stderr == "ERROR: there is no task 'stagex86', did you mean 'stage:x86_64'?\n"
    assert unlike.stderr.startswith("ERROR: there is no task '-', known: toolchain, ")


def test_faults_of_what_others_wrote_are_lines_of_ours(tmp_path: Path) -> None:
    """Doit prints them, before any command of ours is there to do so."""
    project = Project(tmp_path / "project")
    manifest = SOURCES["Cargo.toml"].replace('"beta"]', '"beta", "x*"]')
    write(project.root, {"Cargo.toml": manifest, "x\x1b[2J\nERROR: y/Cargo.toml": "[package\n"})

    for command in ("list", "run", "show"):
        done = project.doit(command)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
        assert done.stderr.startswith(f"ERROR: {project.root}/x\\x1b[2J\\nERROR: y/Cargo.toml: ")


def test_the_name_of_a_file_has_no_power_over_the_terminal(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    write(project.root, {"core/src/\x1b[2J\x1b]52;c;evil\x07.txt": ""})

    said = project.doit("info", "build:x86_64:core_lib").stdout

    assert "/core/src/\\x1b[2J\\x1b]52;c;evil\\x07.txt\n" in said
    assert "\x1b" not in said
    listed = project.build("list", "--deps", "build:x86_64:core_lib")
    assert " -  " in listed
    assert "/core/src/\\x1b[2J" in listed
    assert "\x1b" not in listed
