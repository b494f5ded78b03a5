"""What the configuration names: further inputs of a crate, variables of the shell."""

from __future__ import annotations

import subprocess  # noqa: TID251

import pytest

from helpers.project import CONFIG, SOURCES, Project
from helpers.workspaces import package

pytestmark = pytest.mark.integration

# A macro of one's own embeds what lies in folders, of which it tells the compiler nothing.
MACRO = """\
#[proc_macro]
pub fn embed(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let mut texts = vec![];
    for folder in ["pages", "shared"] {
        for entry in std::fs::read_dir(folder).unwrap() {
            texts.push(std::fs::read_to_string(entry.unwrap().path()).unwrap());
        }
    }
    texts.sort();
    format!("{:?}", texts.join(",")).parse().unwrap()
}
"""
PROGRAM = """\
fn main() { println!("{} {}", macros::embed!(), env!("GIT_SHA")); }
"""
FILES = {
    "Cargo.toml": SOURCES["Cargo.toml"].replace('"core", "alpha", "beta"', '"macros", "alpha"'),
    "macros/Cargo.toml": package("macros", "[lib]\nproc-macro = true"),
    "macros/src/lib.rs": MACRO,
    "alpha/Cargo.toml": package("alpha", '[dependencies]\nmacros = { path = "../macros" }'),
    "alpha/src/main.rs": PROGRAM,
    "pages/a": "a1",
    "shared/x": "x1",
    "config/pipeline.yaml": f"{CONFIG}inputs: {{alpha: [../pages, ../shared/x]}}\n"
    "env: {GIT_SHA: {from: GITHUB_SHA, default: unknown}}\n",
}


def says(project: Project) -> str:
    done = subprocess.run([project.staged("alpha")], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_what_lies_there_counts(shared: Project) -> None:
    assert says(shared) == "a1,x1 unknown"

    shared.path("shared/x").write_text("x2")
    shared.build()
    assert says(shared) == "a1,x2 unknown"

    shared.path("pages/deep").mkdir()  # an empty folder is listed too
    shared.path("pages/b").write_text("b1")
    shared.path("pages/deep").rmdir()
    shared.build()
    assert says(shared) == "a1,b1,x2 unknown"

    shared.path("pages/b").unlink()
    shared.build()
    assert says(shared) == "a1,x2 unknown"
    assert shared.build().startswith("up to date")


def test_a_variable_of_the_shell(shared: Project) -> None:
    shared.build()
    for value in ("abc", ""):
        shared.build(env={"GITHUB_SHA": value})
        assert says(shared) == f"a1,x2 {value}".strip()
        assert shared.build(env={"GITHUB_SHA": value}).startswith("up to date")
    shared.build()
    assert says(shared) == "a1,x2 unknown"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("inputs: {alpa: [x]}", "inputs.alpa: the workspace has no crate 'alpa', did you mean"),
        ("inputs: {alpha: [pages]}", "inputs.alpha[0]: there is no file or folder 'alpha/pages'"),
        ("inputs: {alpha: [../pages, ../../x]}", "inputs.alpha[1]: '../../x' is outside the root"),
        (
            "inputs: {alpha: [../docker/binaries]}",
            "inputs.alpha[0]: '../docker/binaries' is made by",
        ),
        ("env: {A: {from: NO_SUCH}}", "env.A: the shell has no variable 'NO_SUCH', and no default"),
    ],
)
def test_what_cannot_be_is_told_with_its_line(project: Project, text: str, said: str) -> None:
    project.path("docker/binaries").mkdir(parents=True)
    project.path("config/pipeline.yaml").write_text(f"{CONFIG}{text}\n")
    done = project.doit()

    assert done.returncode == 3
    assert f"config/pipeline.yaml:3: {said}" in done.stderr
