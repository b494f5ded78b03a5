"""In a job of GitHub Actions: annotations, a group, a summary; and nobody else commands it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from doit_cargo.doit_ext.github import Github
from helpers.project import Project

ERROR = "error[E0308]: mismatched types, 100%\n  --> a/src/lib.rs:3:5\n  |\n"


def test_an_error_of_the_compiler_is_an_annotation() -> None:
    github = Github(Path("/home/me/shop/rust"), {"GITHUB_WORKSPACE": "/home/me/shop"})
    coloured = ERROR.replace("error[E0308]", "\x1b[1m\x1b[91merror[E0308]\x1b[0m")

    at = "::error file=rust/a/src/lib.rs,line=3,col=5,title=rustc E0308::"
    for text in (ERROR, coloured):
        said = f"warning: x\n --> b.rs:1:1\n{text}error: no place\n"
        assert [*github.annotations(said)] == [f"{at}mismatched types, 100%25"]


def test_what_others_wrote_commands_nothing() -> None:
    found = Github.quiet("a\n::set-output name=x::y")
    token = re.fullmatch(
        r"::stop-commands::(\w{32})\na\n::set-output name=x::y\n::(\w{32})::", found
    )

    assert token
    assert token[1] == token[2]
    assert Github.quiet("no command") == "no command"


@pytest.mark.integration
def test_a_job_gets_a_group_an_annotation_and_a_summary(tmp_path: Path) -> None:
    project, page = Project(tmp_path / "ws"), tmp_path / "summary.md"
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(page)}
    good = project.doit(env=env)
    project.path("alpha/src/main.rs").write_text("fn main() { let _: u8 = 300; }\n")
    bad = project.doit(env=env)

    lines = good.stdout.splitlines()
    assert lines[0] == "::group::doit-cargo: compiled and verified"
    assert lines[-2] == "::endgroup::"
    assert "::error file=alpha/src/main.rs,line=1,col=25,title=rustc::literal out" in bad.stdout
    written = page.read_text()
    row = re.compile(r"^\| alpha \| x86_64 \| built \| .* KiB \|  \| `\w{12}` \|$", re.MULTILINE)
    assert row.search(written)
    assert "- failed: `build:x86_64:alpha`" in written


@pytest.mark.integration
def test_elsewhere_there_is_none_of_it(tmp_path: Path) -> None:
    done = Project(tmp_path).doit(env={"GITHUB_ACTIONS": ""})

    assert "::" not in done.stdout
