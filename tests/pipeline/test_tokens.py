"""Credentials go to what fetches, and a build script sees none of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from helpers.project import SOURCES, Project

pytestmark = pytest.mark.integration

DUMP = """\
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let seen: Vec<String> = std::env::vars().map(|(k, v)| format!("{k}={v}")).collect();
    let out = std::env::var("OUT_DIR").unwrap() + "/seen";
    std::fs::write(out, seen.join("\\n")).unwrap();
}
"""
MANIFEST = SOURCES["alpha/Cargo.toml"]
FILES = {**SOURCES, "alpha/build.rs": DUMP}
REMOTE = {
    **{name: text for name, text in FILES.items() if name != "Cargo.lock"},
    "alpha/Cargo.toml": f'{MANIFEST}itoa = "1"\n',
}
SECRETS = {
    "CARGO_REGISTRIES_MINE_TOKEN": "very-secret",
    "CARGO_REGISTRY_TOKEN": "very-secret",
    "SSH_AUTH_SOCK": "/nowhere/very-secret",
}


def seen(project: Project) -> str:
    release = project.path("target/x86_64-unknown-linux-musl/release")
    (found,) = release.glob("build/alpha-*/out/seen")
    return found.read_text()


@pytest.mark.parametrize("files", [FILES, REMOTE], ids=["no dependency", "a dependency"])
def test_a_build_script_sees_no_token(tmp_path: Path, files: dict[str, str]) -> None:
    """Nor a no-op any reason to build, where the shell has none the next time."""
    project = Project(tmp_path, files)
    project.build(env=SECRETS)

    assert "OUT_DIR=" in seen(project)
    assert "very-secret" not in seen(project)
    assert project.build().startswith("up to date")


def test_what_is_fetched_first_is_built_offline(tmp_path: Path) -> None:
    """In a home of cargo's that holds nothing yet: it is fetched with the token's cargo."""
    project = Project(tmp_path / "project", REMOTE)
    home = tmp_path / "cargo"
    home.mkdir()
    said = project.build(env={**SECRETS, "CARGO_HOME": str(home)})

    assert "2 built" in said
    assert list(home.glob("registry/cache/*/itoa-1.*.crate"))


def test_a_fetch_that_fails_is_told_with_cargos_words(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", REMOTE)
    project.build()
    project.path("alpha/src/main.rs").write_text("fn main() {}\n")
    nowhere = {"https_proxy": "http://127.0.0.1:1", "CARGO_NET_RETRY": "0"}
    env = {**SECRETS, **nowhere, "CARGO_HOME": str(tmp_path / "empty")}
    done = project.doit(env=env)

    assert done.returncode == 1
    assert "cargo fetch" in done.stderr
    assert "very-secret" not in done.stdout + done.stderr
    assert "registry" in done.stderr.lower()


def test_a_build_that_needs_one_says_so(tmp_path: Path) -> None:
    config = (
        "workspace: .\ntargets: {x86_64: x86_64-unknown-linux-musl}\n"
        "env: {CARGO_REGISTRY_TOKEN: {from: CARGO_REGISTRY_TOKEN, default: none}}\n"
    )
    project = Project(tmp_path, {**FILES, "config/pipeline.yaml": config})
    project.build(env=SECRETS)

    assert "CARGO_REGISTRY_TOKEN=very-secret" in seen(project)
    assert os.environ.get("CARGO_REGISTRY_TOKEN") is None
