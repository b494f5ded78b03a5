"""The wheel in a clean environment, on a second workspace elsewhere; and a stranger's program."""

from __future__ import annotations

import re
import shutil
import subprocess  # noqa: TID251
import sys
import zipfile
from pathlib import Path

import pytest

from helpers.project import REPOSITORY, SOURCES, Project
from helpers.registry import unpack
from helpers.workspaces import write

pytestmark = pytest.mark.integration


def run(*argv: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        argv, cwd=cwd, env=env, text=True, capture_output=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, since a build leaves folders behind."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    wanted = ("tasks", "docs", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")
    source.mkdir()
    for name in wanted:
        path = REPOSITORY / name
        ignored = shutil.ignore_patterns("__pycache__")
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=ignored)
        else:
            shutil.copy(path, source / name)
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder / "dist", cwd=source)
    (built,) = (folder / "dist").iterdir()
    return built


def test_the_wheel_takes_one_import_name(wheel: Path) -> None:
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert names == {"doit_cargo", "doit_cargo-0.1.0.dist-info"}


def test_the_wheel_has_one_command_and_no_other_entry_point(wheel: Path) -> None:
    """What an installed package offers as an entry point of doit's, doit would take everywhere."""
    text = zipfile.ZipFile(wheel).read("doit_cargo-0.1.0.dist-info/entry_points.txt").decode()

    assert text.split() == ["[console_scripts]", "doit-cargo", "=", "doit_cargo.cli:main"]


def test_the_wheel_has_the_templates(wheel: Path) -> None:
    folder = REPOSITORY / "tasks/doit_cargo/templates"
    names = {name.partition("templates/")[2] for name in zipfile.ZipFile(wheel).namelist()}

    files = (path for path in folder.rglob("*") if path.is_file())
    assert {path.relative_to(folder).as_posix() for path in files} == names - {""}


@pytest.mark.parametrize("name", ["failures.toml", "needs.toml", "troubleshooting.md"])
def test_what_is_known_of_failures_is_shipped(wheel: Path, name: str) -> None:
    assert f"doit_cargo/core/diagnosis/{name}" in zipfile.ZipFile(wheel).namelist()


def test_an_installed_wheel_drives_another_workspace(wheel: Path, tmp_path: Path) -> None:
    """From nothing but the wheel: the one command, and doit takes over."""
    run(sys.executable, "-m", "venv", "venv", cwd=tmp_path)
    run(tmp_path / "venv/bin/pip", "install", "-q", wheel, cwd=tmp_path)
    root = write(tmp_path / "elsewhere", SOURCES)
    clean = {**Project.environment(None), "PYTHONPATH": ""}

    run(tmp_path / "venv/bin/doit-cargo", "init", root, cwd=tmp_path, env=clean)
    doit = tmp_path / "venv/bin/doit"
    run(doit, "setup", cwd=root, env=clean)
    said = run(doit, cwd=root, env=clean)

    assert "2 binaries" in said
    assert "alpha hello" in run(root / "docker/context/binaries/alpha/alpha", cwd=tmp_path)
    assert run(doit, "verify", cwd=root, env=clean).startswith("up to date")


def test_a_program_that_no_one_here_wrote(tmp_path: Path) -> None:
    """A search tool as its crate package ships it: init, and doit, with no edit by hand."""
    root = unpack("ripgrep", "14.1.1", tmp_path / "ripgrep")

    doit = Path(sys.executable).with_name("doit")
    env = Project.environment(None)
    run(doit.with_name("doit-cargo"), "init", cwd=root, env=env)
    said = run(doit, cwd=root, env=env)

    assert "1 binary" in said
    version = run(root / "docker/context/binaries/ripgrep/rg", "--version", cwd=tmp_path)
    assert re.match(r"ripgrep 14\.1\.1", version)
    assert run(doit, "audit", cwd=root, env=env).endswith("are valid\n")
    assert run(doit, cwd=root, env=env).startswith("up to date: 1 binary")
