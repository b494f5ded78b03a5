"""Build scripts: what they watch is an input whatever it is, and what runs write never is."""

from __future__ import annotations

import subprocess  # noqa: TID251

import pytest

from helpers.project import DODO, SOURCES, Project
from helpers.workspaces import write

pytestmark = pytest.mark.integration

FOUND = """\
use std::io::Write;
fn main() {
    std::io::stdout().write_all(WATCH).unwrap();
    let said = std::fs::read_to_string("FILE").unwrap_or_default();
    println!("\\ncargo:rustc-env=SAID={}", said.trim());
}
"""
SAYS = 'pub fn greet() -> &\'static str { concat!("hello ", env!("SAID")) }\n'


def says(project: Project) -> str:
    """What the staged program prints."""
    done = subprocess.run([project.staged("beta")], capture_output=True, text=True, check=True)
    return done.stdout.strip().removeprefix("beta hello").strip()


def watching(project: Project, watch: str, file: str) -> None:
    """Give the library a script that prints `watch` (a Rust literal's inside) and reads `file`."""
    script = FOUND.replace("WATCH", f'b"{watch}"').replace("FILE", file)
    write(project.root, {"core/build.rs": script, "core/src/lib.rs": SAYS})


WATCHED = {
    "its package": ("cargo:rerun-if-changed=.", "said.txt"),
    "its package, by an empty path": ("cargo::rerun-if-changed=", "said.txt"),
    "the workspace": ("cargo:rerun-if-changed=..", "../said.txt"),
    "a folder that holds outputs too": ("cargo:rerun-if-changed=../docker", "../docker/said.txt"),
    "what editors leave": ("cargo:rerun-if-changed=../notes", "../notes/said.txt~"),
    "with blanks around": (" \\tcargo::rerun-if-changed=../said.txt \\r", "../said.txt"),
    "beside an odd line": ("\\xff\\ncargo:rerun-if-changed=../said.txt", "../said.txt"),
    "through a link": ("cargo:rerun-if-changed=../link", "../far/said.txt"),
    "behind a link": ("cargo:rerun-if-changed=../link/../said.txt", "../link/../said.txt"),
    "nothing": ("", "said.txt"),
}  # fmt: skip


@pytest.mark.parametrize(("watch", "file"), WATCHED.values(), ids=WATCHED)
def test_what_a_script_watches_is_an_input(project: Project, watch: str, file: str) -> None:
    """And nothing that a run makes, so that it comes to rest."""
    write(project.root, {"far/deep/x": "", "notes/x": ""})
    project.path("link").symlink_to("far" if watch.endswith("link") else "far/deep")
    watching(project, watch, file)
    place = project.path("core") / file
    place.parent.mkdir(parents=True, exist_ok=True)
    for said in ("one", "two"):
        place.write_text(said)
        assert project.build().splitlines()[-1].startswith("2 binaries")
        assert says(project) == said
        assert project.build().startswith("up to date")


def test_a_single_crate_that_watches_its_root(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Its outputs lie in the folder that it watches."""
    manifest = SOURCES["alpha/Cargo.toml"].partition("[dependencies]")[0]
    script = 'fn main() { println!("cargo:rerun-if-changed=."); }\n'
    main = 'fn main() { println!("V1"); }\n'
    files = {"Cargo.toml": manifest, "src/main.rs": main, "build.rs": script}
    project = Project(tmp_path_factory.mktemp("single") / "project", files)
    assert "1 built" in project.build()
    for _ in range(2):
        assert project.build().startswith("up to date")
    project.path("src/main.rs").write_text(main.replace("V1", "V2"))

    assert "1 built" in project.build()
    done = subprocess.run([project.staged("alpha")], capture_output=True, text=True, check=True)
    assert done.stdout == "V2\n"
    assert project.build().startswith("up to date")


DEPLOY = (
    DODO
    + """

def task_deploy():
    made = "docker/context/binaries/beta/beta"
    return {"file_dep": [made], "targets": ["sums"], "actions": [f"sha256sum {made} > sums"]}


DOIT_CONFIG["default_tasks"] = ["stage", "deploy"]
"""
)


def test_what_somebody_makes_of_our_output_is_no_input(project: Project) -> None:
    """Though it lies in a folder that a script watches: a circle, or never at rest."""
    project.path("dodo.py").write_text(DEPLOY)
    watching(project, "cargo:rerun-if-changed=..", "../said.txt")
    for said in ("one", "two"):
        project.path("said.txt").write_text(said)
        assert project.build().splitlines()[-1].startswith("2 binaries")
        assert says(project) == said
        for _ in range(2):
            assert project.build().splitlines()[-1].startswith("up to date")
