"""What the corpus command calls a success, and how it says that something failed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from string import Template

import pytest
import yaml

from corpus import attempt as attempts
from corpus import run
from corpus.attempt import ARCHES, Failure, Program, adapt, attempt, prepare, readelf, reason
from corpus.run import Results
from corpus.table import REBUILT, Found, markdown
from doit_cargo.core.architectures import ARCHITECTURES
from helpers.project import REPOSITORY, SOURCES, Project
from helpers.workspaces import write

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

    both = ["x86_64", "aarch64"]
    lines = markdown([PROGRAM, Program("beta", "1")], found, both).splitlines()
    others = markdown([PROGRAM], found, ["riscv64", "aarch64", "armv7"]).splitlines()

    assert lines == [
        "| program | crates | C, C++, assembly | x86_64 | CPU | size | aarch64 | size |",
        "|---|---|---|---|---|---|---|---|",
        "| alpha 0.1.0 | 3 | ring | static-pie, ran | 7 s | 1.5 MiB | **failed** |  |",
        "",
        f"- alpha 0.1.0, x86_64: {REBUILT}",
        "- alpha 0.1.0, aarch64: doit: error: no",
    ]
    assert others[2] == (
        "| alpha 0.1.0 | 3 | ring | not tried |  |  | **failed** |  | not tried |  |"
    )


def test_the_table_is_printed_if_a_program_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One can't be fetched, the other is not built for the architecture of the first column."""

    def prepared(program: Program, *_: object) -> None:
        if program.name == "tokei":
            raise Failure("cargo: error: no such version")

    monkeypatch.setattr(run, "prepare", prepared)
    monkeypatch.setattr(run, "attempt", lambda *_: {"reason": "doit: error: no linker"})
    monkeypatch.setattr(sys, "argv", ["run.py", "sd", "tokei", "--work", str(tmp_path)])

    assert run.main() == 1

    assert (
        capsys.readouterr().out
        == """\
| program | crates | C, C++, assembly | x86_64 | CPU | size | aarch64 | size |
|---|---|---|---|---|---|---|---|
| sd 1.0.0 |  | — | **failed** |  |  | **failed** |  |
| tokei 15.0.0 |  | — | **failed** |  |  | **failed** |  |

- sd 1.0.0, x86_64: doit: error: no linker
- sd 1.0.0, aarch64: doit: error: no linker
- tokei 15.0.0, x86_64: cargo: error: no such version
- tokei 15.0.0, aarch64: cargo: error: no such version

"""
    )


def test_a_program_without_a_lockfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cargo makes one first: all else is asked to keep to it."""
    root, called = tmp_path / "alpha", list[str]()

    def unpacked(*_: object) -> None:
        write(root, {name: text for name, text in SOURCES.items() if name != "Cargo.lock"})

    def ran(*argv: str | Path, cwd: Path) -> str:
        assert cwd == root
        called.append(" ".join([Path(argv[0]).name, *map(str, argv[1:])]))
        if argv[-1] == "init":
            (root / "config").mkdir()
            (root / "config/pipeline.yaml").write_text("targets:\n  a: b\n")
        return ""

    monkeypatch.setattr(attempts, "unpack", unpacked)
    monkeypatch.setattr(attempts, "_run", ran)

    prepare(PROGRAM, root, ["armv7"])

    assert called == [
        "cargo generate-lockfile --quiet", "doit-cargo init", "cargo fetch --quiet --locked",
        "doit setup armv7",
    ]  # fmt: skip


def test_the_targets_of_what_init_writes_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    template = REPOSITORY / "tasks/doit_cargo/templates/pipeline.yaml"
    given = {"targets": "  x86_64: x86_64-unknown-linux-musl", "ship": "  a: [a]"}
    text = Template(template.read_text())
    path.write_text(text.substitute(given, workspace=".", profile="release", features=""))

    adapt(path, Program("alpha", "0.1.0", ("tls",)), ["riscv64", "armv7"])

    found = yaml.safe_load(path.read_text())
    assert found["targets"] == {
        "x86_64": {"triple": "x86_64-unknown-linux-musl", "default": True},
        "riscv64": {"triple": "riscv64gc-unknown-linux-musl", "default": False},
        "armv7": {"triple": "armv7-unknown-linux-musleabihf", "default": False},
    }
    assert (found["ship"], found["features"]) == ({"a": ["a"]}, {"names": ["tls"]})
    assert {triple.partition("-")[0] for triple in ARCHES.values()} <= set(ARCHITECTURES)
