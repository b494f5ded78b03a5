"""What is an input of a build: files elsewhere, and content whatever the times say."""

from __future__ import annotations

import os
import subprocess  # noqa: TID251

import pytest

from helpers.project import Project
from helpers.workspaces import lib, write

pytestmark = pytest.mark.integration


def test_what_a_build_reads_elsewhere_is_an_input(project: Project) -> None:
    """Files outside every crate: of the compiler, and of a build script; then one that appears."""
    project.path("words").mkdir()
    project.path("words/one").write_text("one")
    project.path("shared.txt").write_text("shared")
    project.path("alpha/build.rs").write_text(
        'fn main() { println!("cargo:rerun-if-changed=../words");\n'
        ' let n = std::fs::read_dir("../words").unwrap().count();\n'
        ' println!("cargo:rustc-env=WORDS={n}"); }\n'
    )
    project.path("alpha/src/main.rs").write_text(
        'fn main() { println!("{} {}", include_str!("../../shared.txt"), env!("WORDS")); }\n'
    )

    def says() -> str:
        staged = project.staged("alpha")
        return subprocess.run([staged], capture_output=True, text=True, check=True).stdout

    project.build()
    assert project.build().startswith("up to date")
    assert says() == "shared 1\n"
    project.path("shared.txt").write_text("SHARED")
    assert "1 built, 1 reused" in project.build()
    assert says() == "SHARED 1\n"
    project.path("words/two").write_text("two")
    assert "1 built, 1 reused" in project.build()
    assert says() == "SHARED 2\n"
    assert project.build().startswith("up to date")


def test_an_edit_that_keeps_size_and_time_is_seen(project: Project) -> None:
    """Cargo would call it fresh."""
    project.build()
    source = project.path("core/src/lib.rs")
    before = source.stat()
    source.write_text(source.read_text().replace("hello", "HELLO"))
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert "2 built" in project.build()
    said = subprocess.run([project.staged("beta")], capture_output=True, text=True, check=True)
    assert said.stdout == "beta HELLO\n"


def test_a_workspace_elsewhere_that_a_package_inherits_from(project: Project) -> None:
    """Its manifest lies in no folder above the package's: only `package.workspace` leads there."""
    outside = project.root.parent
    root = '[workspace]\nmembers = ["../../far"]\n[workspace.package]\ndescription = "one"\n'
    more = "workspace = '../other/root'\ndescription.workspace = true"
    write(outside, {**lib("far", more), "other/root/Cargo.toml": root})
    far = 'pub fn said() -> &\'static str { env!("CARGO_PKG_DESCRIPTION") }\n'
    write(outside, {"far/src/lib.rs": far})
    with project.path("alpha/Cargo.toml").open("a") as file:
        file.write('far = { path = "../../far" }\n')
    main = 'fn main() { println!("{}", far::said()); }\n'
    write(project.root, {"alpha/src/main.rs": main})
    project.path("Cargo.lock").unlink()

    for said in ("one", "two"):
        write(outside, {"other/root/Cargo.toml": root.replace("one", said)})
        project.build()
        done = subprocess.run([project.staged("alpha")], capture_output=True, text=True, check=True)
        assert done.stdout == f"{said}\n"
