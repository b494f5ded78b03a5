"""A Cargo.lock that is missing, or old: made, brought up to date, or told."""

from __future__ import annotations

import pytest

from helpers.project import Project

pytestmark = pytest.mark.integration


def test_a_workspace_without_a_lock_file_gets_one(project: Project) -> None:
    """And is told so, once."""
    lock = project.path("Cargo.lock")
    lock.unlink()

    done = project.doit()

    assert done.returncode == 0, done.stdout
    assert done.stderr == (f"made {lock}: commit it, so that every build uses the same versions\n")
    assert lock.exists()
    again = project.doit()
    assert again.stdout.startswith("up to date")
    assert again.stderr == ""


def test_an_old_lock_file_is_brought_up_to_date_where_that_is_wanted(project: Project) -> None:
    lock, config = project.path("Cargo.lock"), project.path("config/pipeline.yaml")
    config.write_text(config.read_text() + "cargo: {locked: false}\n")
    lock.write_text(lock.read_text().replace('dependencies = ["core_lib"]\n', "", 1))

    done = project.doit()

    assert done.returncode == 0, done.stdout
    assert done.stderr == f"cargo updated {lock}\n"
    assert project.build().startswith("up to date")


def test_an_old_lock_file_is_cargos_to_complain_about(project: Project) -> None:
    lock = project.path("Cargo.lock")
    lock.write_text(lock.read_text().replace('dependencies = ["core_lib"]\n', "", 1))

    done = project.doit()

    assert done.returncode == 1
    words = f"error: cannot update the lock file {lock} because --locked was passed"
    assert words in done.stderr
    assert "made " not in done.stderr
