"""A crate that cargo has no use for, a macro for two architectures, a folder of any name."""

from __future__ import annotations

import subprocess  # noqa: TID251
from pathlib import Path

import pytest

from helpers.project import Project

pytestmark = pytest.mark.integration

MACRO = """\
use proc_macro::TokenStream;
#[proc_macro]
pub fn word(_: TokenStream) -> TokenStream { "\\"first\\"".parse().unwrap() }
"""


def test_a_crate_that_cargo_has_no_use_for_is_no_failure(project: Project) -> None:
    """Dependencies of another platform, and optional ones: in the graph, but not compiled."""
    manifest = project.path("beta/Cargo.toml")
    manifest.write_text(
        manifest.read_text().replace(
            "[dependencies]", '[dependencies]\nspare = { path = "../spare", optional = true }'
        )
        + '[target."cfg(windows)".dependencies]\nother = { path = "../other" }\n'
    )
    for name in ("spare", "other"):
        folder = project.path(name)
        (folder / "src").mkdir(parents=True)
        (folder / "src/lib.rs").write_text("compile_error!();\n")
        (folder / "Cargo.toml").write_text(f'[package]\nname = "{name}"\nversion = "0.1.0"\n')
    project.path("Cargo.lock").unlink()

    assert "2 built" in project.build()
    assert project.build().startswith("up to date")


@pytest.mark.parametrize("name", ["{x} [y]*", "'a\"b\\", "$HOME;\n#ü", "-{"])
def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    """What cargo, doit, a shell or a Makefile would read as something else."""
    project = Project(tmp_path / name)

    assert "2 built" in project.build()
    assert project.build().startswith("up to date")
    assert "2 binaries" in project.build("audit")


def test_a_macro_crate_serves_both_architectures(project: Project) -> None:
    """It is compiled for the host, once, by the first of two cargos."""
    config = project.path("config/pipeline.yaml")
    config.write_text(
        "workspace: .\ntargets:\n  x86_64: x86_64-unknown-linux-musl\n"
        "  aarch64: aarch64-unknown-linux-musl\n"
    )
    folder = project.path("macros")
    (folder / "src").mkdir(parents=True)
    (folder / "Cargo.toml").write_text(
        '[package]\nname = "macros"\nversion = "0.1.0"\nedition = "2021"\n'
        "[lib]\nproc-macro = true\n"
    )
    (folder / "src/lib.rs").write_text(MACRO)
    manifest = project.path("alpha/Cargo.toml")
    manifest.write_text(manifest.read_text() + 'macros = { path = "../macros" }\n')
    project.path("alpha/src/main.rs").write_text('fn main() { println!("{}", macros::word!()); }\n')
    project.path("Cargo.lock").unlink()
    project.build()

    (folder / "src/lib.rs").write_text(MACRO.replace("first", "second"))
    project.build()

    said = subprocess.run([project.staged("alpha")], capture_output=True, text=True, check=True)
    assert said.stdout == "second\n"
    arm = project.path("docker/context/aarch64/binaries/alpha/alpha")
    said = subprocess.run(["qemu-aarch64-static", arm], capture_output=True, text=True, check=True)
    assert said.stdout == "second\n"
