"""What the corpus command calls a success, and how it says that something failed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from corpus.attempt import Failure, Program, attempt, readelf, reason
from corpus.run import Results
from corpus.table import REBUILT, Found, markdown
from helpers.project import Project

PROGRAM = Program("alpha", "0.1.0")
SAYS = 'fn main() { println!("{} 0.1.0", env!("CARGO_BIN_NAME")); }\n'


@pytest.mark.integration
def test_a_program_that_comes_through(tmp_path: Path) -> None:
    project = Project(tmp_path / "alpha")
    for name in ("alpha", "beta"):
        project.path(f"{name}/src/main.rs").write_text(SAYS)

    result = attempt(PROGRAM, project.root, "x86_64")

    assert result["reason"] == ""
    assert result["says"] == ["alpha 0.1.0", "beta 0.1.0"]
    assert (result["crates"], result["c"], result["more"]) == (3, [], 0)
    assert result["readelf"] == "DYN"
    assert result["audit"] == "2 binaries and all copies are valid"


@pytest.mark.integration
def test_a_program_that_does_not_tell_its_version_failed(tmp_path: Path) -> None:
    project = Project(tmp_path / "alpha")

    result = attempt(PROGRAM, project.root, "x86_64")

    assert result["reason"] == "alpha --version does not say 0.1.0"


@pytest.mark.integration
def test_a_program_that_does_not_compile_failed(tmp_path: Path) -> None:
    project = Project(tmp_path / "alpha")
    project.path("core/src/lib.rs").write_text("compile_error!();\n")

    result = attempt(PROGRAM, project.root, "x86_64")

    assert result["reason"] == "doit: error: compile_error! takes 1 argument"
    assert "compile_error!()" in (tmp_path / "alpha-x86_64.log").read_text()


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("compiled a\nerror: linker not found\nfailed: b\n", "error: linker not found"),
        ("build:x86_64:a is stale: b; run doit\n1 fault\n", "build:x86_64:a is stale: b; run doit"),
        ("\n", "failed without a word"),
    ],
)
def test_one_line_says_why(output: str, expected: str) -> None:
    assert reason(output) == expected


def test_readelf_finds_an_interpreter() -> None:
    """The host's own programs have one."""
    true = shutil.which("true")
    assert true

    with pytest.raises(Failure, match="has an interpreter"):
        readelf(Path(true))


def test_only_a_success_of_the_same_version_and_features_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "work/results.json"
    Results(path).add(PROGRAM, "x86_64", {"reason": ""})
    Results(path).add(PROGRAM, "aarch64", {"reason": "doit: error"})

    kept = Results(path)

    assert kept.has(PROGRAM, "x86_64")
    assert not kept.has(PROGRAM, "aarch64")
    assert not kept.has(Program("alpha", "0.2.0"), "x86_64")
    assert not kept.has(Program("alpha", "0.1.0", ("tls",)), "x86_64")


def test_the_table_says_why_a_program_failed() -> None:
    good = {
        "reason": "", "crates": 3, "c": ["ring"], "cpu": 7, "size": 3 * 2**19, "readelf": "DYN",
        "more": 1,
    }  # fmt: skip
    found: Found = {PROGRAM.key: {"x86_64": good, "aarch64": {"reason": "doit: error: no"}}}

    lines = markdown([PROGRAM, Program("beta", "1")], found).splitlines()

    assert lines[2:] == [
        "| alpha 0.1.0 | 3 | ring | static-pie, ran | 7 s | 1.5 MiB | **failed** |  |",
        "",
        f"- alpha 0.1.0, x86_64: {REBUILT}",
        "- alpha 0.1.0, aarch64: doit: error: no",
    ]
