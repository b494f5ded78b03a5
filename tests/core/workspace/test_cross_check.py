"""Where our reader and cargo differ, each difference is one clear line."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from doit_cargo.core.model import Crate, CrateGraph
from doit_cargo.core.workspace.cross_check import differences

GRAPH = CrateGraph(
    root=Path("/w"),
    target_directory=Path("/w/target"),
    crates={
        "core": Crate(
            name="core",
            version="0.1.0",
            manifest=Path("/w/core/Cargo.toml"),
            dependencies=(),
            bins=(),
            has_lib=True,
            build_script=Path("/w/core/build.rs"),
        ),
        "far": Crate(
            name="far",
            version="0.1.0",
            manifest=Path("/far/Cargo.toml"),
            dependencies=(),
            bins=(),
            has_lib=True,
            build_script=None,
            member=False,
        ),
        "server": Crate(
            name="server",
            version="0.1.0",
            manifest=Path("/w/server/Cargo.toml"),
            dependencies=("core", "far"),
            bins=("server",),
            has_lib=False,
            build_script=None,
        ),
    },
    patched=frozenset({"far"}),
)


def metadata() -> dict[str, Any]:
    """What cargo says of that workspace, as far as it is read."""
    core = {
        "name": "core",
        "version": "0.1.0",
        "manifest_path": "/w/core/Cargo.toml",
        "dependencies": [{"name": "server", "kind": "dev", "path": "/w/server"}],
        "targets": [
            {"kind": ["rlib"], "name": "core", "src_path": "/w/core/src/lib.rs"},
            {"kind": ["custom-build"], "name": "build", "src_path": "/w/core/build.rs"},
            {"kind": ["test"], "name": "t", "src_path": "/w/core/tests/t.rs"},
        ],
    }
    server = {
        "name": "server",
        "version": "0.1.0",
        "manifest_path": "/w/server/Cargo.toml",
        "dependencies": [
            {"name": "core", "kind": None, "path": "/w/core"},
            {"name": "far", "kind": "build"},
            {"name": "serde", "kind": None},
        ],
        "targets": [{"kind": ["bin"], "name": "server", "src_path": "/w/server/src/main.rs"}],
    }
    return {"packages": [core, server], "workspace_root": "/w", "target_directory": "/w/target"}


def test_no_difference() -> None:
    """`far` comes from a registry for cargo's manifest, and from a path for `[patch]`."""
    assert differences(GRAPH, metadata()) == ()


def test_a_link_on_the_way_makes_no_difference(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    graph = GRAPH._replace(target_directory=tmp_path / "link")

    assert differences(graph, metadata() | {"target_directory": str(tmp_path / "target")}) == ()


PLANTED: dict[str, tuple[list[Any], Any, str]] = {
    "target directory": (
        ["target_directory"],
        "/t",
        "the workspace: cargo says target directory /t, we say /w/target",
    ),
    "root": (["workspace_root"], "/x", "the workspace: cargo says root /x, we say /w"),
    "member": (
        ["packages", 0, "name"],
        "other",
        "the workspace: cargo sees member other, we don't",
    ),
    "our member": (
        ["packages", 0, "name"],
        "x",
        "the workspace: we see member core, cargo doesn't",
    ),
    "version": (
        ["packages", 0, "version"],
        "2.0.0",
        "crate core: cargo says version 2.0.0, we say 0.1.0",
    ),
    "manifest": (
        ["packages", 0, "manifest_path"],
        "/w/c/Cargo.toml",
        "crate core: cargo says manifest /w/c/Cargo.toml, we say /w/core/Cargo.toml",
    ),
    "binary": (
        ["packages", 1, "targets", 0, "name"],
        "y",
        "crate server: cargo sees binary y, we don't",
    ),
    "our binary": (
        ["packages", 1, "targets"],
        [],
        "crate server: we see binary server, cargo doesn't",
    ),
    "library": (
        ["packages", 0, "targets", 0, "kind"],
        ["test"],
        "crate core: cargo says library no, we say yes",
    ),
    "build script": (
        ["packages", 0, "targets", 1, "src_path"],
        "/w/core/b.rs",
        "crate core: cargo says build script /w/core/b.rs, we say /w/core/build.rs",
    ),
    "our build script": (
        ["packages", 0, "targets", 1, "kind"],
        ["example"],
        "crate core: cargo says build script none, we say /w/core/build.rs",
    ),
    "dependency": (
        ["packages", 0, "dependencies", 0, "kind"],
        "build",
        "crate core: cargo sees path dependency server, we don't",
    ),
    "our dependency": (
        ["packages", 1, "dependencies", 0, "name"],
        "x",
        "crate server: we see path dependency core, cargo doesn't",
    ),
    "path": (
        ["packages", 1, "dependencies", 0, "path"],
        "/w/x",
        "crate server: cargo says path of core /w/x, we say /w/core",
    ),
}


@pytest.mark.parametrize(("place", "value", "line"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_difference_is_found(place: list[Any], value: object, line: str) -> None:
    data = copy.deepcopy(metadata())
    holder: Any = data
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value

    assert line in differences(GRAPH, data)


def test_metadata_of_another_form_is_all_difference() -> None:
    odd: list[dict[str, object]] = [
        {},
        {"packages": 1},
        {"packages": [1, {"name": 2, "targets": [{"kind": 3}], "dependencies": None}]},
    ]
    for data in odd:
        assert "the workspace: we see member core, cargo doesn't" in differences(GRAPH, data)
