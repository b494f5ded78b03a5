"""`affected`: which binaries a range of commits touches, and never one too few."""

from __future__ import annotations

import json
import subprocess  # noqa: TID251 - the tests drive real processes
from pathlib import Path
from typing import Any

import pytest

from helpers.project import CONFIG, SOURCES, Project
from helpers.repositories import git

pytestmark = pytest.mark.integration

IGNORED = "/target/\n/docker/\n/.doit-cargo/\n__pycache__/\n"
SERVICES = [f"service_{number:02}" for number in range(30)]


def commit(project: Project, *names: str) -> None:
    """A commit that changes these files, or makes them."""
    for name in names:
        path = project.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{path.read_text() if path.exists() else ''}\n")
    git(project.root, "add", "-A")
    git(project.root, "commit", "-qm", "change")


def repository(root: Path, files: dict[str, str] | None = None) -> Project:
    project = Project(root, {**SOURCES, ".gitignore": IGNORED, **(files or {})})
    git(root, "init", "-q")
    commit(project)
    git(root, "tag", "base")
    return project


def affected(project: Project, *words: str) -> list[str]:
    done = project.doit("affected", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def services() -> dict[str, str]:
    """Thirty programs; every third one is built upon a library."""
    members = ", ".join(f'"{name}"' for name in ("shared", *SERVICES))
    files = {
        "Cargo.toml": f'[workspace]\nmembers = [{members}]\nresolver = "2"\n',
        "shared/Cargo.toml": '[package]\nname = "shared"\nversion = "0.1.0"\nedition = "2021"\n',
        "shared/src/lib.rs": "pub fn f() {}\n",
    }
    for number, name in enumerate(SERVICES):
        needs = '[dependencies]\nshared = { path = "../shared" }\n' if number % 3 == 0 else ""
        files[f"{name}/Cargo.toml"] = (
            f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n{needs}'
        )
        files[f"{name}/src/main.rs"] = "fn main() {}\n"
    return files


def test_of_thirty_services_those_that_a_branch_touches(tmp_path: Path) -> None:
    """Nothing was ever built here, as in a job on a fresh machine."""
    project = Project(tmp_path, {**services(), ".gitignore": IGNORED})
    git(tmp_path, "init", "-q")
    commit(project)
    git(tmp_path, "tag", "base")

    assert affected(project, "--since", "base") == []
    commit(project, "service_04/src/main.rs")
    assert affected(project, "--since", "base") == ["service_04"]
    commit(project, "shared/src/more.rs")
    assert {*affected(project, "--since", "base")} == {*SERVICES[::3], "service_04"}
    assert affected(project, "--since", "HEAD~1") == SERVICES[::3]
    commit(project, "service_07/Cargo.toml")  # its features may be another's
    assert sorted(affected(project, "--since", "HEAD~1")) == SERVICES
    assert affected(project) == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["alpha/src/main.rs"], ["alpha"]),
        (["beta/new.txt"], ["beta"]),
        (["core/src/lib.rs"], ["alpha", "beta"]),
        (["Cargo.lock"], ["alpha", "beta"]),
        ([".cargo/config.toml"], ["alpha", "beta"]),
        (["rust-toolchain.toml"], ["alpha", "beta"]),
        (["config/pipeline.yaml"], ["alpha", "beta"]),
        (["config/policy.yaml"], ["alpha", "beta"]),
        (["dodo.py"], ["alpha", "beta"]),
        (["pyproject.toml"], ["alpha", "beta"]),
    ],
)
def test_a_change(tmp_path: Path, names: list[str], expected: list[str]) -> None:
    project = repository(tmp_path)
    git(tmp_path, "checkout", "-q", "-b", "topic")
    before = [name for name in names if project.path(name).exists()]
    for name in names:
        path = project.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{path.read_text() if before else ''}\n# \n" if "." in name else "")

    assert affected(project) == expected  # not committed, or not even known to git
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "change")
    assert affected(project, "--since", "base") == expected


def test_what_is_removed_counts(tmp_path: Path) -> None:
    project = repository(tmp_path, {"alpha/assets/word": "x"})
    project.path("alpha/assets/word").unlink()

    assert affected(project) == ["alpha"]


def test_a_file_outside_of_all_crates(tmp_path: Path) -> None:
    """Who reads it is known once a build has run; before that everything counts."""
    project = repository(
        tmp_path,
        {
            "assets/word": "hello",
            "assets/more/unused": "",
            "README.md": "",
            "alpha/src/main.rs": 'fn main() { println!(include_str!("../../assets/word")); }\n',
        },
    )
    project.path("README.md").write_text("more")
    fresh = project.doit("affected")
    project.build()
    git(tmp_path, "stash", "-q")
    project.path("assets/word").write_text("welcome")

    assert fresh.stdout.split() == ["alpha", "beta"]
    assert "everything counts as affected" in fresh.stderr
    assert affected(project) == ["alpha"]
    git(tmp_path, "stash", "-q")
    project.path("README.md").write_text("more")
    assert affected(project) == []
    project.path("assets/word").unlink()
    assert affected(project) == ["alpha"]


@pytest.mark.parametrize("name", ["pipeline.yaml", "policy.yaml"])
def test_a_configuration_in_another_place(tmp_path: Path, name: str) -> None:
    project = repository(tmp_path, {"deploy/pipeline.yaml": CONFIG})
    project.build("config=deploy/pipeline.yaml")
    text = f"{CONFIG}\n" if name == "pipeline.yaml" else "rules: {}\n"
    project.path(f"deploy/{name}").write_text(text)

    assert affected(project, "config=deploy/pipeline.yaml") == ["alpha", "beta"]


def test_a_folder_that_is_named_as_an_input(tmp_path: Path) -> None:
    project = repository(
        tmp_path,
        {"config/pipeline.yaml": f"{CONFIG}inputs: {{beta: [../assets]}}\n", "assets/a": ""},
    )
    project.path("assets/a").unlink()

    assert affected(project) == ["beta"]


def test_the_document(tmp_path: Path) -> None:
    project = repository(tmp_path)
    commit(project, "core/src/lib.rs")

    found: dict[str, Any] = json.loads(project.doit("affected", "--since", "base", "--json").stdout)

    assert found == {
        "version": 1,
        "since": "base",
        "changed": [str(project.path("core/src/lib.rs"))],
        "all_for_lack_of_state": False,
        "binaries": ["alpha", "beta"],
        "crates": ["core_lib", "alpha", "beta"],
        "images": [],
    }


def test_a_commit_that_is_not_there(tmp_path: Path) -> None:
    done = repository(tmp_path).doit("affected", "--since=--output=x")

    assert (done.returncode, done.stdout) == (3, "")
    assert "git knows no commit --output=x" in done.stderr


def test_a_shallow_history(tmp_path: Path) -> None:
    project = repository(tmp_path / "whole")
    commit(project, "alpha/src/main.rs")
    url = f"file://{project.root}"
    subprocess.run(["git", "clone", "-q", "--depth=1", url, tmp_path / "shallow"], check=True)
    git(tmp_path / "shallow", "fetch", "-q", "--depth=1", "origin", "tag", "base")
    shallow = Project(tmp_path / "shallow", {})

    done = shallow.doit("affected", "--since", "base")

    assert done.returncode == 3
    assert "fetch more of the history" in done.stderr


def test_no_repository(tmp_path: Path) -> None:
    done = Project(tmp_path).doit("affected")

    assert done.returncode == 3
    assert "git knows no commit HEAD" in done.stderr
