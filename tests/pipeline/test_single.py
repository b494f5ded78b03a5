"""`-s`: the named tasks alone; of ours each still waits for those of them that it needs."""

from __future__ import annotations

import subprocess  # noqa: TID251 - the tests drive real processes

import pytest

from helpers.project import Project

pytestmark = pytest.mark.integration

BUILDS = ["build:x86_64:core_lib", "build:x86_64:alpha"]
REST = ["verify:x86_64:alpha", "package:x86_64:alpha", "manifest:x86_64", "stage:x86_64"]
NEW = 'pub fn greet() -> &\'static str { "welcome" }\n'


def says(project: Project) -> str:
    return subprocess.run(
        [project.staged("alpha")], check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.parametrize("names", [BUILDS + REST, [*reversed(BUILDS + REST)]])
def test_whatever_their_order(finished: Project, names: list[str]) -> None:
    finished.path("core/src/lib.rs").write_text(NEW)

    finished.build("-s", *names)

    assert says(finished) == "alpha welcome\n"
    assert finished.build("-s", *names).startswith("up to date: ")


def test_a_stage_is_all_that_is_in_it(finished: Project) -> None:
    finished.path("core/src/lib.rs").write_text(NEW)

    said = finished.build("-s", "build")

    assert "compiled x86_64 alpha" in said
    assert "verified" not in said
    assert says(finished) == "alpha hello\n"


def test_what_is_not_named_does_not_run(finished: Project) -> None:
    finished.path("core/src/lib.rs").write_text(NEW)

    finished.build("-s", "stage")

    assert says(finished) == "alpha hello\n"
