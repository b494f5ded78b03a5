"""Workspaces of odd shapes: our graph is cargo's, and so are our binaries."""

from __future__ import annotations

import json
import os
import subprocess  # noqa: TID251
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from doit_cargo.core.model import CrateGraph
from doit_cargo.core.workspace.crates import load_graph
from helpers.odd_projects import ODD_PROJECTS, PATCHED, RELEASE, VENDORED, Odd, app
from helpers.project import CONFIG, Project, sha256
from helpers.workspaces import virtual

pytestmark = pytest.mark.integration

TRIPLE = "x86_64-unknown-linux-musl"


class Shaped(NamedTuple):
    """An odd project on disk, with what it takes to run doit and cargo in it."""

    odd: Odd
    project: Project
    env: dict[str, str]

    @property
    def workspace(self) -> Path:
        return self.project.path(self.odd.workspace)

    def doit(self, *args: str) -> str:
        done = self.project.doit(*args, env=self.env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def says(self) -> dict[str, str]:
        """What each staged program prints."""
        context = self.project.path("docker/context/binaries")
        return {name: run(context / name) for name in sorted(self.odd.says)}


def shaped(odd: Odd, folder: Path) -> Shaped:
    root = folder / odd.folder
    root.mkdir()
    project = Project(root, odd.files)
    text = CONFIG.replace("workspace: .", f"workspace: {odd.workspace}") + odd.config
    project.path("config/pipeline.yaml").write_text(text)
    if odd.prepare:
        odd.prepare(root)
    return Shaped(odd, project, {k: v.replace("ROOT", str(root)) for k, v in odd.env.items()})


def run(program: Path) -> str:
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("odd", ODD_PROJECTS.values(), ids=ODD_PROJECTS.keys())
def test_graph_and_binaries_are_cargos(odd: Odd, tmp_path: Path) -> None:
    made = shaped(odd, tmp_path)
    made.doit()

    assert made.says() == dict(sorted(odd.says.items()))
    assert made.doit().startswith("up to date")
    env = Project.environment(made.env)
    assert described(load_graph(made.workspace, env)) == cargos(made.workspace, env)
    staged = made.project.path("docker/context/binaries")
    assert {name: sha256(staged / name) for name in odd.says} == by_hand(made)


def by_hand(made: Shaped) -> dict[str, str]:
    """Crate/binary → SHA-256, of cargo's command in a fresh target folder at the same path."""
    command = made.doit("env")
    target = Path(os.path.normpath(made.workspace / made.odd.target))
    if made.odd.workspace != ".":
        target = made.project.path(made.odd.target)
    target.rename(made.project.root.parent / "kept")
    subprocess.run(
        ["sh", "-c", command], cwd=made.workspace, env=Project.environment(made.env), check=True,
        capture_output=True,
    )  # fmt: skip
    folder = target / TRIPLE / made.odd.profile
    return {name: sha256(folder / name.partition("/")[2]) for name in made.odd.says}


def described(graph: CrateGraph) -> dict[str, Any]:
    """Local package → folder, version, binaries, library, build script, packages below it."""
    return {
        crate.name: (
            str(crate.directory), crate.version, crate.bins, crate.has_lib,
            str(crate.build_script or ""), sorted(crate.dependencies),
        )
        for crate in graph.crates.values()
    }  # fmt: skip


def cargos(workspace: Path, env: dict[str, str]) -> dict[str, Any]:
    """The same, from cargo's resolved graph, with every feature and for every platform."""
    argv = ["cargo", "metadata", "--offline", "--locked", "--format-version", "1"]
    done = subprocess.run(
        [*argv, "--all-features"], cwd=workspace, env=env, check=True, capture_output=True
    )
    data = json.loads(done.stdout)
    local = {package["id"]: package for package in data["packages"] if package["source"] is None}
    nodes = {node["id"]: node for node in data["resolve"]["nodes"]}
    return {p["name"]: (*_package(p), _below(i, nodes, local)) for i, p in local.items()}


def _package(package: dict[str, Any]) -> tuple[Any, ...]:
    kinds = [(target["kind"], target) for target in package["targets"]]
    scripts = [t["src_path"] for kind, t in kinds if kind == ["custom-build"]]
    return (
        package["manifest_path"].removesuffix("/Cargo.toml"), package["version"],
        tuple(sorted(t["name"] for kind, t in kinds if kind == ["bin"])),
        any({"lib", "rlib", "proc-macro", "cdylib", "staticlib"} & {*kind} for kind, _ in kinds),
        next(iter(scripts), ""),
    )  # fmt: skip


def _below(package: str, nodes: dict[str, Any], local: dict[str, Any]) -> list[str]:
    """The local packages that it is built upon, also those behind third-party ones."""
    queue, found = [package], set()
    for each in queue:  # grows as it is walked
        for dep in nodes[each]["deps"]:
            built = any(kind["kind"] != "dev" for kind in dep["dep_kinds"])
            if built and dep["pkg"] in local:
                found.add(local[dep["pkg"]]["name"])
            elif built and dep["pkg"] not in queue:
                queue.append(dep["pkg"])
    return sorted(found)


def test_a_member_with_a_shipped_name_is_left_out(tmp_path: Path) -> None:
    """`--bin one` is said of every member, and the last one linked would stay."""
    command = shaped(ODD_PROJECTS["binaries of every kind, and namesakes"], tmp_path).doit("env")

    assert "--workspace --exclude spare1 --target" in command
    assert "spare2" not in command


def test_a_patched_package_behind_a_third_party_one_is_an_input(tmp_path: Path) -> None:
    made = shaped(PATCHED, tmp_path)
    made.doit()
    source = tmp_path / "fork/src/lib.rs"
    before = source.stat()
    source.write_text(source.read_text().replace("fork", "FORK"))
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert "1 built, 1 reused" in made.doit()
    assert made.says() == {"a/a": "FORK upper", "b/b": "b"}


def test_a_vendored_package_that_was_changed_is_built_anew(tmp_path: Path) -> None:
    """With its checksum, as a patch tool does it: cargo by itself calls it fresh."""
    made = shaped(VENDORED, tmp_path)
    made.doit()
    source = made.project.path("third party/leaf/src/lib.rs")
    sums = source.parents[1] / ".cargo-checksum.json"
    old = sha256(source)
    source.write_text(source.read_text().replace('"leaf"', '"LEAF"'))
    sums.write_text(sums.read_text().replace(old, sha256(source)))

    made.doit()

    assert made.says() == {"a/a": "LEAF upper"}
    assert made.doit().startswith("up to date")


def test_a_script_that_cargo_always_runs_is_run_once(tmp_path: Path) -> None:
    """It watches a path that is not there: cargo builds the crate, and all above it, each time."""
    made = shaped(WATCHING_NOTHING, tmp_path)
    made.doit()
    before = made.project.stamps(".")

    assert made.doit().startswith("up to date")
    assert made.project.stamps(".") == before
    command = made.doit("env")
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path / "project", env=Project.environment(None),
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    fresh = [json.loads(line).get("fresh") for line in done.stdout.splitlines()]
    assert False in fresh
    made.project.path("gone.txt").write_text("here")
    assert "1 built" in made.doit()
    assert made.says() == {"a/a": "true 1"}


def test_the_source_of_a_script_may_lie_outside_its_crate(tmp_path: Path) -> None:
    made = shaped(WATCHING_NOTHING, tmp_path)
    made.doit()
    made.project.path("make/part.rs").write_text("pub const PART: u8 = 2;\n")

    made.doit()

    assert made.says() == {"a/a": "false 2"}


WATCHING_NOTHING = Odd(
    files={
        "Cargo.toml": virtual('"a"', RELEASE),
        **app("a", 'env!("SAID")', more="build = '../make/it.rs'"),
        "make/it.rs": "mod part;\nfn main() {\n"
        '    println!("cargo:rerun-if-changed=../gone.txt");\n'
        '    let there = std::path::Path::new("../gone.txt").exists();\n'
        '    println!("cargo:rustc-env=SAID={there} {}", part::PART);\n}\n',
        "make/part.rs": "pub const PART: u8 = 1;\n",
    },
    says={"a/a": "false 1"},
)
