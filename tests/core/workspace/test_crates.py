"""The crate graph says what cargo says, and says what is wrong in one line each."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from doit_cargo.core.errors import ConfigError, SetupError
from doit_cargo.core.model import Crate, CrateGraph
from doit_cargo.core.workspace.cargo_config import config_files
from doit_cargo.core.workspace.crates import load_graph
from doit_cargo.core.workspace.cross_check import differences
from doit_cargo.tools import process
from helpers.odd_workspaces import LOCK, ONE, SHAPES, Shape, dependencies
from helpers.workspaces import app, generate, lib, package, virtual, write

shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())


def environment(root: Path, shape: Shape) -> dict[str, str]:
    """The shape's environment, with an empty CARGO_HOME of its own."""
    outer = {k: v for k, v in os.environ.items() if not k.startswith("CARGO")}
    return {**outer, "CARGO_HOME": str(root / "home"), **shape.env}


def load(root: Path, shape: Shape) -> CrateGraph:
    return load_graph(write(root, shape.files) / "ws", environment(root, shape))


def described(crate: Crate, root: Path) -> str:
    targets = ["lib"] * crate.has_lib + [f"bin {name}" for name in crate.bins]
    if crate.build_script:
        targets.append(f"build {crate.build_script.relative_to(root)}")
    name = ("" if crate.member else "+") + crate.name
    return " > ".join(filter(None, [name, " ".join(crate.dependencies)])) + (
        ": " + ", ".join(targets)
    )


@shapes
def test_reads_the_graph(shape: Shape, tmp_path: Path) -> None:
    graph = load(tmp_path, shape)

    assert shape.graph == "\n".join(described(c, tmp_path / "ws") for c in graph.crates.values())
    assert graph.root == tmp_path / "ws"
    assert graph.target_directory == tmp_path / shape.target


def metadata(workspace: Path, env: dict[str, str]) -> dict[str, Any]:
    argv = ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"]
    loaded: dict[str, Any] = json.loads(process.run(argv, cwd=workspace, env=env))
    return loaded


@pytest.mark.integration
@shapes
def test_agrees_with_cargo(shape: Shape, tmp_path: Path) -> None:
    graph = load(tmp_path, shape)
    theirs = metadata(tmp_path / "ws", environment(tmp_path, shape))

    assert differences(graph, theirs) == ()
    assert summary(graph) == cargo_summary(theirs)


def summary(graph: CrateGraph) -> object:
    """Target directory; member → version, folder, binaries, members it builds upon."""
    members = {c.name for c in graph.crates.values() if c.member}
    return str(graph.target_directory), {
        name: (crate.version, str(crate.directory), crate.bins, members & {*crate.dependencies})
        for name, crate in graph.crates.items()
        if crate.member
    }


def cargo_summary(data: dict[str, Any]) -> object:
    """The same of cargo's metadata."""
    members = {package["name"] for package in data["packages"]}
    return os.path.normpath(data["target_directory"]), {
        package["name"]: (
            package["version"],
            package["manifest_path"].removesuffix("/Cargo.toml"),
            tuple(sorted(t["name"] for t in package["targets"] if t["kind"] == ["bin"])),
            members & {d["name"] for d in package["dependencies"] if d["kind"] != "dev"},
        )
        for package in data["packages"]
    }


@pytest.mark.integration
def test_agrees_with_cargo_on_many_crates(tmp_path: Path) -> None:
    generate(tmp_path / "ws", crates=60, files=4, dependencies=3, binaries=5, seed=7)
    empty = Shape(files={}, graph="")
    theirs = metadata(tmp_path / "ws", environment(tmp_path, empty))
    graph = load(tmp_path, empty)

    assert differences(graph, theirs) == ()
    assert len(graph.crates) == 60
    assert summary(graph) == cargo_summary(theirs)


def test_a_crate_comes_after_those_it_depends_on(tmp_path: Path) -> None:
    generate(tmp_path, crates=40, files=2, dependencies=3, binaries=1, seed=3)
    graph = load_graph(tmp_path, {})

    names = list(graph.crates)
    for crate in graph.crates.values():
        assert all(names.index(d) < names.index(crate.name) for d in crate.dependencies)
    assert names == list(load_graph(tmp_path, {}).crates)


def test_a_patch_may_lead_back_to_a_member(tmp_path: Path) -> None:
    """Its tests alone need `upper`, which is built upon it: no cycle."""
    root = "exclude = ['target']\n[patch.crates-io]\ndeep = { path = 'deep' }"
    upper = "dependencies]\nupper = '1'"
    files = {"Cargo.toml": virtual('"*"', root), "Cargo.lock": LOCK, **app("a", f"[{upper}")}
    graph = load_graph(write(tmp_path, {**files, **lib("deep", f"[dev-{upper}")}), {})

    assert {name: crate.dependencies for name, crate in graph.crates.items()} == {
        "deep": (),
        "a": ("deep",),
    }


def test_sources_outside_the_workspace_have_names_of_their_own(tmp_path: Path) -> None:
    """What stands for their folders in a binary; an inner folder after the one around it."""
    files = {
        **ONE,
        **app("ws/a", dependencies("../../far", "../../far/in")),
        **lib("far"),
        **lib("far/in"),
        "ws/.cargo/config.toml": "[source.x]\ndirectory = '../third'\n"
        "[source.y]\ndirectory = 'gone'\n",
        "third/b/.cargo-checksum.json": "",
        "third/README.md": "",
    }
    graph = load_graph(write(tmp_path, files) / "ws", {})

    assert graph.vendored == (tmp_path / "third/b/.cargo-checksum.json",)
    assert graph.folders_elsewhere == (
        (f"{tmp_path}/far", "/outside/far"),
        (f"{tmp_path}/far/in", "/outside/in"),
        (f"{tmp_path}/third", "/vendored"),
    )


def test_a_linked_workspace_has_its_real_paths(tmp_path: Path) -> None:
    """Cargo reports real paths, and its messages are told apart by them."""
    write(tmp_path, ONE)
    (tmp_path / "link").symlink_to("ws")

    assert load_graph(tmp_path / "link", {}).root == tmp_path / "ws"


RULE = "letters, digits, - and _ (64 at most, not starting with -)"
BAD = {
    "no TOML": ("[package", "Expected ']' at the end of a table declaration (at end of document)"),
    "no package": ("", "no [package] with a name"),
    "no name": ("[package]\nversion = '1.0.0'", "package.name is missing"),
    "a table for a name": ("[package.name]", "package.name must be a string"),
    "a package that is a list": ("package = []", "package must be a table"),
    "an odd name": (
        "[package]\nname = 'a b'",
        f"package.name 'a b' must be {RULE}",
    ),
    "a name like an option": (
        package("-x"),
        f"package.name '-x' must be {RULE}",
    ),
    "a long name": (
        package("a" * 65),
        f"package.name '{'a' * 65}' must be {RULE}",
    ),
    "a number for a version": (
        "[package]\nname = 'a'\nversion = 1",
        "package.version must be a string",
    ),
    "nothing to inherit": (
        "[package]\nname = 'a'\nversion.workspace = true",
        "package.version is inherited, but no workspace.package.version is there",
    ),
    "a list of dependencies": (
        "dependencies = ['x']\n" + package("a"),
        "dependencies must be a table",
    ),
    "a number for a dependency": (
        package("a", "[dependencies]\nx = 1"),
        "dependencies.x must be a version or a table",
    ),
    "a path that is no string": (
        package("a", "[dependencies]\nx = { path = 1 }"),
        "dependencies.x.path must be a string",
    ),
    "a path with a NUL": (
        package("a", '[dependencies]\nx = { path = "a\\u0000" }'),
        "dependencies.x.path must be a string",
    ),
    "a dependency that nobody has": (
        package("a", "[target.y.build-dependencies]\nx.workspace = true"),
        "target.y.build-dependencies.x is inherited, but no workspace.dependencies.x is there",
    ),
    "a target that is no table": ("target = 1\n" + package("a"), "target must be a table"),
    "a platform that is no table": (package("a", "[target]\ny = 1"), "target.y must be a table"),
    "one [bin]": (
        package("a", "[bin]\nname = 'x'"),
        "bin must be an array of tables: write [[bin]]",
    ),
    "a binary without a name": (
        package("a", "[[bin]]\npath = 'x.rs'"),
        "every [[bin]] needs a name",
    ),
    "autobins that is no flag": (
        package("a", "autobins = 1"),
        "package.autobins must be true or false",
    ),
    "a build script that is a number": (
        package("a", "build = 1"),
        "package.build must be a string",
    ),
    "nesting": (
        f"x = {'[' * 4000}",
        "TOML inline arrays/tables are nested more than the allowed 400 levels",
    ),
}


@pytest.mark.parametrize(("text", "fault"), BAD.values(), ids=BAD.keys())
def test_a_bad_manifest_is_one_line(text: str, fault: str, tmp_path: Path) -> None:
    write(tmp_path, {"Cargo.toml": virtual('"a"'), "a/Cargo.toml": text})

    assert faults(tmp_path) == (f"{tmp_path}/a/Cargo.toml: {fault}",)


def faults(workspace: Path, env: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load_graph(workspace, env or {})
    return caught.value.faults


NO_CRATE = "where no Cargo.toml is or will be: add that to workspace.exclude, or name the members"
BAD_ROOTS = {
    "no TOML": ("members", "Expected '=' after a key in a key/value pair (at end of document)"),
    "a workspace that is no table": ("workspace = 1", "workspace must be a table"),
    "members that are no list": (
        "[workspace]\nmembers = 'a'",
        "workspace.members must be an array of strings",
    ),
    "numbers for members": (
        "[workspace]\nmembers = [1]",
        "workspace.members must be an array of strings",
    ),
    "an exclude that is not a list": (
        virtual("", "exclude = {}"),
        "workspace.exclude must be an array of strings",
    ),
    "a pattern without a match": (
        virtual("'crates/*'"),
        "workspace.members 'crates/*' matches no crate",
    ),
    "a pattern that matches a folder without a crate": (
        virtual("'d*'"),
        f"workspace.members 'd*' matches docs, drafts, {NO_CRATE}",
    ),
    "a package replaced by a folder": (
        virtual("", "[replace]\n'x:1.0.0' = { path = 'x' }"),
        "[replace] with a path is not followed: write it as [patch]",
    ),
    "a patch that is no table": (
        virtual("", "[patch]\ncrates-io = 1"),
        "patch.crates-io must be a table",
    ),
    "shared dependencies in a list": (
        virtual("", "dependencies = []"),
        "workspace.dependencies must be a table",
    ),
    "neither package nor workspace": ("", "no [package] with a name"),
}


@pytest.mark.parametrize(("text", "fault"), BAD_ROOTS.values(), ids=BAD_ROOTS.keys())
def test_a_bad_root_is_one_line(text: str, fault: str, tmp_path: Path) -> None:
    write(tmp_path, {"Cargo.toml": text, "docs/x": "", "drafts/x": "", "data": ""})

    assert faults(tmp_path) == (f"{tmp_path}/Cargo.toml: {fault}",)


def test_an_output_folder_that_a_pattern_would_take_for_a_member(tmp_path: Path) -> None:
    """Cargo would read the workspace once, and never again."""
    write(tmp_path, {"Cargo.toml": virtual("'*', 'out/b*'", "exclude = ['kept']"), **app("a")})
    made = [tmp_path / ".state", tmp_path / "out/binaries", tmp_path / "kept/context"]

    with pytest.raises(ConfigError) as caught:
        load_graph(tmp_path, {}, made=made)
    assert caught.value.faults == (
        f"{tmp_path}/Cargo.toml: workspace.members '*' matches .state, out, {NO_CRATE}",
        f"{tmp_path}/Cargo.toml: workspace.members 'out/b*' matches no crate",
        f"{tmp_path}/Cargo.toml: workspace.members 'out/b*' matches out/binaries, {NO_CRATE}",
    )


def test_paths_in_cargos_configuration(tmp_path: Path) -> None:
    write(tmp_path, {**ONE, "ws/.cargo/config.toml": "paths = ['../x']"})

    (fault,) = faults(tmp_path / "ws")
    assert fault == (
        f"{tmp_path}/ws/.cargo/config.toml: "
        "`paths` is not followed: write [patch] in the workspace's Cargo.toml"
    )


def test_every_fault_is_reported_at_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"Cargo.toml": virtual('"a", "b", "c"'), "a/Cargo.toml": "", **lib("b", "build = 1")},
    )

    assert sorted(faults(tmp_path)) == [
        f"{tmp_path}/a/Cargo.toml: no [package] with a name",
        f"{tmp_path}/b/Cargo.toml: package.build must be a string",
        f"{tmp_path}/c/Cargo.toml: no such file, named in {tmp_path}/Cargo.toml",
    ]


def test_a_missing_path_dependency_says_who_names_it(tmp_path: Path) -> None:
    write(tmp_path, {"Cargo.toml": virtual('"a"'), **lib("a", dependencies("../gone"))})

    assert faults(tmp_path) == (
        f"{tmp_path}/gone/Cargo.toml: no such file, named in {tmp_path}/a/Cargo.toml",
    )


def test_a_pipe_is_no_manifest(tmp_path: Path) -> None:
    write(tmp_path, {"Cargo.toml": virtual('"a"'), "a/README.md": ""})
    os.mkfifo(tmp_path / "a" / "Cargo.toml")

    assert faults(tmp_path) == (f"{tmp_path}/a/Cargo.toml: not a regular file",)


def test_a_manifest_in_another_encoding(tmp_path: Path) -> None:
    write(tmp_path, {"Cargo.toml": virtual('"a"'), "a/README.md": ""})
    (tmp_path / "a" / "Cargo.toml").write_bytes(b"\xff")

    assert faults(tmp_path) == (f"{tmp_path}/a/Cargo.toml: not UTF-8",)


def test_a_cycle_is_named(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "Cargo.toml": virtual(),
            **app("above", dependencies("../b")),
            **lib("b", dependencies("../c")),
            **lib("c", dependencies("../b")),
        },
    )

    assert faults(tmp_path) == (f"{tmp_path}/Cargo.toml: dependency cycle: b → c → b",)


def test_a_name_is_one_crate(tmp_path: Path) -> None:
    write(tmp_path, {"Cargo.toml": virtual('"a", "b/a"'), **lib("a"), **lib("b/a")})

    taken = f"the name a is taken by {tmp_path}/a/Cargo.toml: rename one of them"
    assert faults(tmp_path) == (f"{tmp_path}/b/a/Cargo.toml: {taken}",)


def test_a_package_of_an_outer_workspace(tmp_path: Path) -> None:
    write(tmp_path, ONE)

    assert faults(tmp_path / "ws" / "a") == (
        f"{tmp_path}/ws/a/Cargo.toml: belongs to the workspace in {tmp_path}/ws: name that folder",
    )


def test_an_excluded_package_stands_alone(tmp_path: Path) -> None:
    write(tmp_path, {"Cargo.toml": virtual('"a"', "exclude = ['b']"), **lib("a"), **app("b")})

    assert list(load_graph(tmp_path / "b", {}).crates) == ["b"]


def test_a_package_that_names_its_workspace(tmp_path: Path) -> None:
    write(tmp_path, {**ONE, "b/Cargo.toml": package("b", 'workspace = "../ws"')})

    assert faults(tmp_path / "b") == (
        f"{tmp_path}/b/Cargo.toml: belongs to the workspace in {tmp_path}/ws: name that folder",
    )


FULL = """
package = { name = "a", version = "1.0.0", edition = "2021", build = "b.rs", workspace = ".." }
lib = { path = "l.rs" }
bin = [{ name = "x", path = "x.rs" }]
dependencies = { x = { path = "x", package = "x" }, y = "1", z = { workspace = true } }
target = { t = { build-dependencies = { x = { path = "x" } } } }
patch = { p = { x = { path = "x" } } }

[workspace]
members = ["a"]
exclude = ["b"]
package = { version = "1" }
dependencies = { z = { path = "z" } }
"""
ODD = [
    "0",
    "-1.5",
    '""',
    "'a\\b'",
    '"\\u0000"',
    "[]",
    "[[]]",
    "{}",
    "{ a = {} }",
    "true",
    "1979-05-27",
]


@pytest.mark.parametrize("odd", ODD)
def test_no_value_anywhere_is_more_than_a_fault(odd: str, tmp_path: Path) -> None:
    """Each value in turn is replaced, in the root, in a member and in cargo's configuration."""
    for match in re.finditer(r"(?<== )(?:\".*?\"|\[.*\]|\{.*\}|true)", FULL):
        text = FULL[: match.start()] + odd + FULL[match.end() :]
        write(tmp_path / "root", {"Cargo.toml": text, "a/Cargo.toml": package("a")})
        write(tmp_path / "member", {"Cargo.toml": virtual('"a"'), "a/Cargo.toml": text})
        write(tmp_path / "config", {**ONE, "ws/.cargo/config.toml": text})
        for workspace in ("root", "member", "config/ws"):
            with suppress(SetupError):
                load_graph(tmp_path / workspace, {})


def test_no_workspace(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"no such folder; `workspace` names a Cargo workspace$"):
        load_graph(tmp_path / "gone", {})
    with pytest.raises(SetupError, match=r"no Cargo\.toml; `workspace` names a Cargo workspace$"):
        load_graph(tmp_path, {})


@pytest.mark.parametrize("name", ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"])
def test_an_empty_target_directory(name: str, tmp_path: Path) -> None:
    write(tmp_path, ONE)

    assert faults(tmp_path / "ws", {name: ""}) == (
        f"the environment variable {name} must name a folder",
    )


def test_a_bad_configuration(tmp_path: Path) -> None:
    config = tmp_path / "ws" / ".cargo" / "config.toml"
    write(tmp_path, {**ONE, "ws/.cargo/config.toml": "[build]\ntarget-dir = 1"})
    assert faults(tmp_path / "ws") == (f"{config}: build.target-dir must be a string",)

    config.write_text("build = 1")
    assert faults(tmp_path / "ws") == (f"{config}: build must be a table",)


def test_configuration_files_strongest_first(tmp_path: Path) -> None:
    """What cargo reads is an input of every build."""
    names = ["ws/.cargo/config", ".cargo/config.toml", "home/config.toml"]
    write(tmp_path, {**ONE, **dict.fromkeys([*names, "ws/.cargo/config.toml"], "")})

    found = config_files(tmp_path / "ws", {"CARGO_HOME": str(tmp_path / "home")})
    assert [tmp_path / name for name in names] == [p for p in found if p.is_relative_to(tmp_path)]
