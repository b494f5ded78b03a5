"""Who builds, and in which shell, is no part of what comes out."""

from __future__ import annotations

import os
import stat
import subprocess  # noqa: TID251
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.project import SOURCES, Project

pytestmark = pytest.mark.integration

SCRIPT = """\
fn main() {
    for name in ["USER", "LOGNAME", "TZ"] {
        println!("cargo:rerun-if-env-changed={name}");
        println!("cargo:rustc-env=SEEN_{name}={}", std::env::var(name).unwrap());
    }
}
"""
FILES = {
    **SOURCES,
    "alpha/build.rs": SCRIPT,
    "alpha/src/main.rs": "fn main() { println!("
    '"{} {} {}", env!("SEEN_USER"), env!("SEEN_TZ"), env!("LOGNAME")); }\n',
}
OTHER = {"USER": "somebody", "LOGNAME": "else", "TZ": "Asia/Tokyo"}


def says(project: Project) -> str:
    done = subprocess.run([project.staged("alpha")], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_another_user_rebuilds_nothing(finished: Project) -> None:
    assert says(finished) == "builder UTC builder"
    assert finished.build(env=OTHER).startswith("up to date")


def test_who_wants_them_says_so(project: Project) -> None:
    config = project.path("config/pipeline.yaml")
    config.write_text(f"{config.read_text()}env: {{USER: {{from: USER}}, TZ: Europe/Berlin}}\n")

    for user in ("one", "two"):
        project.build(env={"USER": user})
        assert says(project) == f"{user} Europe/Berlin builder"


@pytest.fixture
def private() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    found = (path for path in [folder, *folder.rglob("*")])
    return {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in found}


@pytest.mark.usefixtures("private")
def test_a_private_umask_changes_no_mode(project: Project) -> None:
    project.build()

    assert set(modes(project.path("docker")).values()) == {0o755, 0o644}
    assert {
        m for n, m in modes(project.path("docker")).items() if n.endswith(("alpha", "beta"))
    } == {0o755}
    assert stat.S_IMODE(project.built("alpha").stat().st_mode) == 0o755
    os.umask(0o002)
    assert project.build().startswith("up to date")
