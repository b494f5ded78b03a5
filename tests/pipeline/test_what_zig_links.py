"""Musl and what else zig compiles once: what a build links is what was made, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from helpers.project import SOURCES, Project
from helpers.workspaces import write

pytestmark = pytest.mark.integration

LINKED = {"libc.a", "libcompiler_rt.a", "libunwind.a", "libzigc.a", "rcrt1.o"}
UNSTRIPPED = SOURCES["Cargo.toml"].replace("strip = true", "strip = false")


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """A toolchain cache and records of one's own."""
    folder = tmp_path_factory.mktemp("toolchain")
    return {
        "HOME": os.environ["HOME"],
        "DOIT_CARGO_CACHE": str(folder / "cache"),
        "XDG_STATE_HOME": str(folder / "state"),
    }


@pytest.fixture
def project(tmp_path: Path, env: Mapping[str, str]) -> Project:
    made = Project(tmp_path / "project")
    made.build("setup", env=env)
    made.build(env=env)
    return made


def libraries(env: Mapping[str, str]) -> dict[str, str]:
    """What zig has made for linkers: path → SHA-256."""
    cache = Path(env["DOIT_CARGO_CACHE"])
    found = [*cache.glob("zig/*/o/*/lib*.a"), *cache.glob("zig/*/o/*/*crt1.o")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def linked(env: Mapping[str, str]) -> list[Path]:
    """What the linker is given of it, by the records."""
    records = Path(env["XDG_STATE_HOME"]).glob("doit-cargo/toolchain/*.json")
    texts = [record.read_bytes().partition(b"\n")[2] for record in records]
    names = {name for text in texts for name in json.loads(text)}
    return [Path(path) for path in libraries(env) if any(path.endswith(name) for name in names)]


def test_a_build_makes_none_of_its_own(project: Project, env: Mapping[str, str]) -> None:
    """Setup links as cargo does, so its record is of what cargo links."""
    before = libraries(env)
    project.build("clean", "--cargo", env=env)

    project.build(env=env)

    assert before
    assert libraries(env) == before


def test_an_altered_one_is_refused_until_setup_has_made_it_anew(
    project: Project, env: Mapping[str, str]
) -> None:
    before, shipped = libraries(env), project.tree("docker/context")
    assert {path.name for path in linked(env)} == LINKED
    for path in linked(env):
        made = path.read_bytes()
        path.write_bytes(made + b"\n")
        assert f"({path}): doit setup" in project.doit("doctor", env=env).stdout
        path.write_bytes(made)
    for path in linked(env):
        path.write_bytes(b"\n")
    write(project.root, {"core/src/lib.rs": SOURCES["core/src/lib.rs"] + "// new\n"})

    refused = project.doit(env=env)

    assert refused.returncode == 1
    assert "was changed since `doit setup`" in refused.stdout + refused.stderr
    assert project.tree("docker/context") == shipped

    project.build("setup", env=env)
    project.build(env=env)

    assert libraries(env) == before
    assert project.tree("docker/context") == shipped
    assert project.doit("doctor", env=env).returncode == 0


def test_a_removed_one_is_made_anew_by_the_run(project: Project, env: Mapping[str, str]) -> None:
    """From nothing: zig would take the objects that lie beside it."""
    before = libraries(env)
    for path in Path(env["DOIT_CARGO_CACHE"]).glob("zig/*/o/*/libc.a"):
        path.unlink()
    for path in Path(env["DOIT_CARGO_CACHE"]).glob("zig/*/o/*/write.o"):
        path.write_bytes(b"")
    write(project.root, {"core/src/lib.rs": SOURCES["core/src/lib.rs"] + "// new\n"})

    done = project.doit(env=env)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "compiling musl for" in done.stderr
    assert libraries(env) == before


def test_another_kind_of_executable_links_another_one(
    tmp_path: Path, project: Project, env: Mapping[str, str]
) -> None:
    """It is made by the first run that needs it, and known to the next."""
    other = Project(tmp_path / "other", {**SOURCES, "Cargo.toml": UNSTRIPPED})

    done = other.doit("build", env=env)
    before = libraries(env)
    again = other.doit("build", env=env)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "compiled" not in again.stdout
    assert libraries(env) == before
    assert project.doit(env=env).stdout.startswith("up to date")
