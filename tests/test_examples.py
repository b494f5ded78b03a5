"""The examples for CI services and for pre-commit: valid, and their commands do what they say."""

from __future__ import annotations

import re
import shutil
import subprocess  # noqa: TID251
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from doit_cargo.core.workspace import sources
from doit_cargo.core.workspace.crates import load_graph
from doit_cargo.pipeline import STEPS
from helpers.project import REPOSITORY, Project, plugin_tables
from helpers.workspaces import app, write

CI = REPOSITORY / "examples/ci"
CHECK = Path(sys.executable).with_name("check-jsonschema")
PRE_COMMIT = Path(sys.executable).with_name("pre-commit")
SCHEMAS = {
    "github.yml": ["--builtin-schema", "vendor.github-workflows"],
    "gitlab.yml": ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
}


def valid(path: Path, name: str) -> bool:
    argv: list[str | Path] = [CHECK, *SCHEMAS[name], path]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_example_is_valid_and_a_slip_in_it_is_not(name: str, tmp_path: Path) -> None:
    text = (CI / name).read_text()
    slip = {"github.yml": ("runs-on", "run-on"), "gitlab.yml": ("expire_in", "expires_in")}[name]
    (tmp_path / name).write_text(text.replace(*slip))

    assert slip[0] in text
    assert valid(CI / name, name)
    assert not valid(tmp_path / name, name)


def commands(name: str) -> list[str]:
    """Every command line, in order."""
    loaded: dict[str, Any] = yaml.safe_load((CI / name).read_text())
    if name == "github.yml":
        return [step["run"] for step in loaded["jobs"]["binaries"]["steps"] if "run" in step]
    jobs = (".doit", "binaries", "images")
    return [
        str.strip(line)  # a line with a colon in it may have become a mapping
        for job in jobs
        for part in ("before_script", "script")
        for line in loaded[job].get(part, [])
    ]


def caches(name: str) -> list[tuple[str, bool]]:
    """Every cached path, and whether the job that pushes takes it."""
    loaded: dict[str, Any] = yaml.safe_load((CI / name).read_text())
    if name == "gitlab.yml":
        return [(path.rstrip("/"), True) for path in loaded[".doit"]["cache"]["paths"]]
    steps = [s for s in loaded["jobs"]["binaries"]["steps"] if "cache@" in s.get("uses", "")]
    unless = "${{ !startsWith(github.ref, 'refs/tags/') }}"
    return [
        (path, step.get("if") != unless) for step in steps for path in step["with"]["path"].split()
    ]


def cached(name: str) -> list[str]:
    """The cached paths below the project that hold what it makes."""
    return [path for path, _ in caches(name) if not path.startswith(("~", ".cache/"))]


def test_actions_are_pinned_by_a_version() -> None:
    used = re.findall(r"uses: (\S+)", (CI / "github.yml").read_text())

    assert len(used) == 5
    assert [name for name in used if not re.fullmatch(r"[\w-]+/[\w-]+@v\d+(\.\d+)*", name)] == []


def test_the_cache_of_gitlab_is_no_source_of_a_package(tmp_path: Path) -> None:
    (line,) = [line for line in commands("gitlab.yml") if sources._TAG in line]  # noqa: SLF001
    root = write(tmp_path, app("own")) / "own"
    subprocess.run(["sh", "-c", line], cwd=root, check=True)
    write(root, {".cache/cargo/registry/a.rs": ""})
    graph = load_graph(root, {})
    (crate,) = graph.crates.values()

    assert [
        path
        for path in sources.source_files(crate, graph, skip=frozenset())
        if "/.cache/cargo" in path
    ] == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_command_of_doit_is_there(name: str) -> None:
    tables = tomllib.loads(plugin_tables())
    steps = (name.replace("_", "-") for name in STEPS)
    known = {*tables["tool"]["doit"]["plugins"]["command"], *steps}
    words = {line.split()[1] for line in commands(name) if line.startswith("doit ")}

    assert {"setup", "verify", "smoke", "push"} <= words
    assert words - known == set()


def test_both_services_cache_and_run_the_same() -> None:
    doit, other = ([c for c in commands(name) if c.startswith("doit")] for name in SCHEMAS)

    assert sorted(set(doit)) == sorted(set(other))
    assert cached("github.yml") == cached("gitlab.yml")


SEALED = {".doit-cargo", "docker/binaries", "docker/context", "target"}
PACKED = ("registry/cache", "registry/index", "git/db")


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_job_that_pushes_takes_what_is_sealed_or_compared_by_cargo(name: str) -> None:
    """No unpacked crate, and no toolchain: nobody compares these again."""
    taken = [path for path, pushing in caches(name) if pushing]

    assert [path for path in taken if path not in SEALED and not path.endswith(PACKED)] == []
    assert {path for path in taken if path in SEALED} == SEALED


@pytest.mark.integration
def test_a_second_job_compiles_nothing(tmp_path: Path) -> None:
    """The example's own commands; then the cache as tar restores it, below a new checkout."""
    project = Project(tmp_path / "checkout")
    ours = ["doit", "doit verify", "doit size"]
    assert [line for line in commands("github.yml") if line in ours] == ours
    for line in ours:
        project.build(*line.split()[1:])
    cache = tmp_path / "cache.tar"
    argv: list[str | Path] = ["tar", "--posix", "-cf", cache, *cached("github.yml")]
    subprocess.run(argv, cwd=project.root, check=True)
    shutil.rmtree(project.root)
    project = Project(tmp_path / "checkout")
    subprocess.run(["tar", "-xf", cache], cwd=project.root, check=True)

    assert project.build().startswith("up to date: 2 binaries")


def test_the_pre_commit_manifest_is_valid(tmp_path: Path) -> None:
    manifest = REPOSITORY / ".pre-commit-hooks.yaml"
    broken = tmp_path / "hooks.yaml"
    broken.write_text(manifest.read_text().replace("entry:", "enter:"))
    codes = [
        subprocess.run([PRE_COMMIT, "validate-manifest", path], capture_output=True, check=False)
        for path in (manifest, broken)
    ]

    assert [done.returncode for done in codes] == [0, 1]
