"""A crate's inputs are all that it can be built from, and nothing that a build writes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import CrateGraph
from doit_cargo.core.workspace.crates import load_graph
from doit_cargo.core.workspace.sources import all_sources, dep_info_paths, source_files
from doit_cargo.tools import process
from helpers.workspaces import app, generate, lib, package, virtual, write


def sources(root: Path, crate: str, *skip: str) -> list[str]:
    """The crate's source files, relative to the workspace."""
    graph = load_graph(root, {})
    folders = frozenset(str(root / folder) for folder in skip)
    files = source_files(graph.crates[crate], graph, skip=folders)
    assert all_sources(graph, folders)[crate] == files
    return [os.path.relpath(path, root) for path in files]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """One crate."""
    return write(tmp_path, {"Cargo.toml": virtual('"a"'), **app("a")})


def test_every_file_counts_hidden_ones_too(workspace: Path) -> None:
    """Sqlx reads `.sqlx` and any crate may include any file."""
    write(workspace, {"a/.sqlx/query.json": "", "a/sql/1.sql": "", "a/LICENSE": "", "a/.env": ""})

    assert sources(workspace, "a") == [
        "a/.env",
        "a/.sqlx/query.json",
        "a/Cargo.toml",
        "a/LICENSE",
        "a/sql/1.sql",
        "a/src/main.rs",
    ]


def test_what_editors_and_version_control_leave_does_not_count(workspace: Path) -> None:
    left = [".DS_Store", "main.rs~", ".main.rs.swp", ".#main.rs", "4913", ".git/HEAD", ".jj/x"]
    write(workspace, dict.fromkeys((f"a/{name}" for name in left), ""))
    write(workspace, dict.fromkeys((f"a/src/{name}" for name in left), ""))

    assert sources(workspace, "a") == ["a/Cargo.toml", "a/src/main.rs"]


def test_other_crates_and_outputs_do_not_count(tmp_path: Path) -> None:
    root = write(tmp_path, {"Cargo.toml": package("root", "[workspace]\nmembers = ['sub/a']")})
    write(root, {"src/main.rs": "", "target/release/root": "", "docker/binaries/x": ""})
    write(root, {**lib("sub/a"), "sub/notes": "", "docker/Dockerfile": ""})

    assert sources(root, "root", "docker/binaries") == [
        "Cargo.toml",
        "docker/Dockerfile",
        "src/main.rs",
        "sub/notes",
    ]


def test_a_tagged_cache_does_not_count(workspace: Path) -> None:
    """An editor's own target directory changes with each of its checks."""
    tag = "Signature: 8a477f597d28d172789f06886806bc55\n# more"
    write(workspace, {"a/other-target/CACHEDIR.TAG": tag, "a/other-target/debug/a": ""})
    write(workspace, {"a/data/CACHEDIR.TAG": "no signature", "a/data/x": ""})

    assert sources(workspace, "a") == [
        "a/Cargo.toml",
        "a/data/CACHEDIR.TAG",
        "a/data/x",
        "a/src/main.rs",
    ]


def test_links_are_followed_once(workspace: Path) -> None:
    write(workspace, {"shared/x.proto": "", "shared/deep/y.proto": "", "one.txt": ""})
    link(workspace, "a/one.txt", "../one.txt")
    link(workspace, "a/protos", "../shared")
    link(workspace, "a/protos-again", "../shared")
    link(workspace, "shared/deep/round", "..")
    link(workspace, "a/src/up", "../..")
    link(workspace, "a/root", "/")
    link(workspace, "a/inner", "src")
    link(workspace, "a/gone", "nowhere")
    link(workspace, "a/itself", "itself")

    assert sources(workspace, "a") == [
        "a/Cargo.toml",
        "a/one.txt",
        "a/protos/deep/y.proto",
        "a/protos/x.proto",
        "a/src/main.rs",
    ]


def link(root: Path, name: str, to: str) -> None:
    (root / name).symlink_to(to)


def test_a_link_to_another_crate_counts_one_to_an_output_does_not(tmp_path: Path) -> None:
    root = write(tmp_path, {"Cargo.toml": virtual('"a", "b"'), **app("a"), **lib("b")})
    write(root, {"target/release/a": "", "out/a": ""})
    link(root, "a/b", "../b")
    link(root, "a/latest", "../target/release")
    link(root, "a/out", "../out")

    assert sources(root, "a", "out") == [
        "a/Cargo.toml",
        "a/b/Cargo.toml",
        "a/b/src/lib.rs",
        "a/src/main.rs",
    ]


def test_an_output_behind_a_link_does_not_count(workspace: Path) -> None:
    write(workspace, {"a/disk/x": ""})
    link(workspace, "out", "a/disk")
    link(workspace, "a/latest", "disk")

    assert sources(workspace, "a", "out") == ["a/Cargo.toml", "a/src/main.rs"]


def test_many_links_to_each_other_end(workspace: Path) -> None:
    """Two links in each of thirty folders would be a thousand million paths."""
    for i in range(30):
        write(workspace, {f"chain/{i}/file": ""})
        link(workspace, f"chain/{i}/left", f"../{i + 1}")
        link(workspace, f"chain/{i}/right", f"../{i + 1}")
    link(workspace, "a/chain", "../chain/0")

    assert len(sources(workspace, "a")) == 32


def test_a_pipe_is_no_input(workspace: Path) -> None:
    os.mkfifo(workspace / "a" / "pipe")

    assert sources(workspace, "a") == ["a/Cargo.toml", "a/src/main.rs"]


def test_a_folder_that_cannot_be_read_is_named(workspace: Path) -> None:
    graph = load_graph(workspace, {})
    (workspace / "a").rename(workspace / "moved")

    with pytest.raises(SetupError) as caught:
        source_files(graph.crates["a"], graph, skip=frozenset())
    assert str(caught.value) == f"{workspace}/a: No such file or directory"


def test_every_crate_has_its_own_files(tmp_path: Path) -> None:
    graph: CrateGraph = load_graph(
        generate(tmp_path, crates=20, files=5, dependencies=2, binaries=2, seed=5), {}
    )
    found = all_sources(graph, frozenset())

    assert list(found) == list(graph.crates)
    assert {len(files) for files in found.values()} == {6}
    assert len({path for files in found.values() for path in files}) == 120


DEP_INFO = r"""/w/target/x/release/a: /w/a/src/main.rs /w/with\ space/two\ spaces.rs /w/a/build.rs

/w/target/x/release/a.d: /w/a/src/main.rs /w/C:\x relative.rs

/w/a/src/main.rs:
# env-dep:VERSION=1: 2
# checksum:blake3=0 file_len:1 /w/no.rs
"""


def test_dep_info_names_files() -> None:
    assert dep_info_paths(DEP_INFO) == (
        "/w/a/src/main.rs",
        "/w/with space/two spaces.rs",
        "/w/a/build.rs",
        "/w/C:\\x",
        "relative.rs",
    )
    assert dep_info_paths("") == ()


@pytest.mark.integration
def test_dep_info_of_a_real_build(tmp_path: Path) -> None:
    """The files that cargo names are those of our walk, and the one outside."""
    root = write(tmp_path / "a workspace", {"Cargo.toml": virtual('"a"'), **app("a"), "x": ""})
    write(root, {"a/src/main.rs": 'mod b;\nfn main() { include_str!("../../x"); b::b() }'})
    write(root, {"a/src/b.rs": "pub fn b() {}"})
    process.run(["cargo", "build", "--offline"], cwd=root)
    named = dep_info_paths((root / "target/debug/a.d").read_text())

    assert sorted(map(os.path.normpath, named)) == sorted(
        [str(root / "a/src/b.rs"), str(root / "a/src/main.rs"), str(root / "x")]
    )
