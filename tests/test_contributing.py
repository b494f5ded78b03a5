"""CONTRIBUTING.md and the project's own pre-commit hooks: true of the repository as it is."""

from __future__ import annotations

import re
import shlex
import subprocess  # noqa: TID251 - asks pre-commit
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from helpers.project import REPOSITORY

TEXT = (REPOSITORY / "CONTRIBUTING.md").read_text()
BLOCKS = re.findall(r"(?ms)^```sh\n(.*?)^```$", TEXT)
HOOKS = REPOSITORY / ".pre-commit-config.yaml"
PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())


def named() -> set[str]:
    """Everything between backticks that looks like a path."""
    words = re.findall(r"`([\w./-]+)`", re.sub(r"(?ms)^```.*?^```$", "", TEXT))
    found = {word for word in words if "/" in word or word.endswith((".py", ".toml", ".yaml"))}
    return found - {"dist/"}  # made by a release


@pytest.mark.parametrize("path", sorted(named()))
def test_every_path_that_it_names_is_there(path: str) -> None:
    folders = ("", "tasks/doit_cargo", "tasks/doit_cargo/core/settings", "tests", "tests/abuse")

    assert any((REPOSITORY / folder / path).exists() for folder in folders)


def test_every_folder_of_tests_is_explained() -> None:
    folders = {
        path.name
        for path in (REPOSITORY / "tests").iterdir()
        if path.is_dir() and path.name != "__pycache__"
    }

    assert folders == set(re.findall(r"`tests/(\w+)/`", TEXT.partition("### Folders")[2]))


def test_every_mark_is_explained() -> None:
    marks = {
        line.partition(":")[0] for line in PYPROJECT["tool"]["pytest"]["ini_options"]["markers"]
    }

    assert marks == set(re.findall(r"^\| `(\w+)` \|", TEXT, flags=re.MULTILINE))


def test_the_files_that_a_command_names_are_there() -> None:
    words = [word for block in BLOCKS for word in shlex.split(block, comments=True)]
    files = [word for word in words if re.fullmatch(r"tests/[\w/]+\.py", word)]

    assert len(files) > 3
    assert [name for name in files if not (REPOSITORY / name).is_file()] == []


def test_a_search_does_with_its_options() -> None:
    """Each program that is called with a seed knows the options."""
    lines = [line for block in BLOCKS for line in block.splitlines() if "--seed" in line]

    assert len(lines) == 5
    for line in lines:
        argv = [sys.executable, *shlex.split(line, comments=True)[1:2], "--help"]
        said = subprocess.run(argv, cwd=REPOSITORY, capture_output=True, text=True, check=True)
        options = re.findall(r"--\w+", line.partition("#")[0])
        assert [option for option in options if option not in said.stdout] == []


def test_it_is_shipped_with_the_sources() -> None:
    sdist = PYPROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]

    assert "CONTRIBUTING.md" in sdist


def test_the_hooks_run_what_the_gate_lints() -> None:
    gate = (REPOSITORY / ".ci/run").read_text().partition('step "lint and types"')[2]
    lint = [line for line in gate.partition("step ")[0].splitlines() if line.startswith(".venv")]
    (repository,) = yaml.safe_load(HOOKS.read_text())["repos"]

    assert [hook["entry"] for hook in repository["hooks"]] == [
        line for line in lint if "/pip " not in line
    ]


def test_the_hooks_are_valid() -> None:
    argv: list[str | Path] = [
        Path(sys.executable).with_name("pre-commit"),
        "validate-config",
        HOOKS,
    ]

    assert subprocess.run(argv, capture_output=True, check=False).returncode == 0
