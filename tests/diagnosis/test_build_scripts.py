"""`doit doctor` names build scripts that never come to rest and those that write their sources."""

from __future__ import annotations

import pytest

from helpers.project import SOURCES, Project

pytestmark = pytest.mark.integration

WATCHES_NOTHING = 'fn main() { println!("cargo:rerun-if-changed=no/such.txt"); }\n'
WRITES = 'fn main() { std::fs::write("src/made.rs", "// made\\n").unwrap(); }\n'
FILES = {**SOURCES, "core/build.rs": WATCHES_NOTHING, "beta/build.rs": WRITES}


def notes(project: Project) -> list[str]:
    said = project.build("doctor").splitlines()
    return [line.removeprefix("note").strip() for line in said if line.startswith("note")]


def test_what_the_last_builds_left_is_named(project: Project) -> None:
    assert notes(project) == []
    for _ in range(3):  # made.rs is no input of the first; twice may be chance
        project.build()

    found = notes(project)

    watching = "core_lib's build script watches core/no/such.txt, which is not there: "
    assert found == [
        f"{watching}plain cargo rebuilds every time alpha, beta",
        "beta/src/made.rs is written by the build itself, which plain cargo then takes for an edit",
    ]
    assert project.doit("build:x86_64:alpha").stdout.startswith("up to date")

    project.path("core/no").mkdir()
    project.path("core/no/such.txt").touch()
    assert len(notes(project)) == 1
