"""What options and arguments of a run do, and what `doit clean` takes."""

from __future__ import annotations

import pytest

from helpers.project import Project

pytestmark = pytest.mark.integration


def test_clean_leaves_cargos_cache_unless_asked(project: Project) -> None:
    project.build()

    would = project.build("clean", "-n")
    assert "would remove docker/binaries/x86_64" in would
    assert project.packaged("alpha").exists()

    project.build("clean")
    assert not project.path("docker/binaries/x86_64").exists()
    assert not project.path("docker/context/binaries").exists()
    assert not project.path(".doit-cargo/state.sqlite3").exists()
    assert project.built("alpha").exists()

    project.build("clean", "--cargo")
    assert not project.path("target/x86_64-unknown-linux-musl").exists()
    assert "2 built" in project.build()


def test_events_are_shown_on_standard_error_when_asked(project: Project) -> None:
    done = project.doit("--events")

    assert done.returncode == 0
    assert "verify:x86_64:alpha" in done.stderr


def test_jobs_are_cargos_jobs(project: Project) -> None:
    project.path("beta/build.rs").write_text(
        'fn main() { println!("cargo:warning=jobs={}", std::env::var("NUM_JOBS").unwrap()); }\n'
    )
    done = project.doit("-n", "1", "--continue", "build")

    assert done.returncode == 0, done.stdout
    output = next(project.root.glob("target/**/build/beta-*/output"))
    assert "jobs=1" in output.read_text()


def test_a_library_alone(project: Project) -> None:
    assert "compiled x86_64 core_lib" in project.build("build:x86_64:core_lib")
    assert not project.built("alpha").exists()
