"""The documents of `--json` are as docs/json.md describes them."""

from __future__ import annotations

import json
import re
import subprocess  # noqa: TID251 - the tests drive real processes
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from helpers.project import DOIT, Project
from helpers.repositories import git

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[2] / "docs/json.md"
BLOCK = re.compile(r"^## (\w+)$.*?^```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCHEMAS = {name: json.loads(text) for name, text in BLOCK.findall(PAGE.read_text())}
TASK = "build:x86_64:alpha"
COMMANDS = {
    "list": (["list", "--json"], 0),
    "info": (["info", TASK, "--json"], 1),
    "why": (["why", "alpha", "--json"], 0),
    "plan": (["plan", "--json"], 0),
    "history": (["history", "--json"], 0),
    "show": (["show", "--json"], 0),
    "size": (["size", "--json"], 0),
    "audit": (["audit", "--json"], 1),
    "doctor": (["doctor", "--json"], 0),
    "env": (["env", "--json"], 0),
}


def checked(name: str, text: str) -> Any:  # noqa: ANN401
    document = json.loads(text)
    jsonschema.validate(document, SCHEMAS[name], cls=jsonschema.Draft202012Validator)
    return document


def door(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DOIT.with_name("doit-cargo"), *words], cwd=project.root, env=project.environment(None),
        text=True, capture_output=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("built"))
    project.build()
    return project


def test_every_document_is_described() -> None:
    assert SCHEMAS.keys() == {*COMMANDS, "affected", "run"}


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_not_built_is_described(tmp_path: Path, name: str) -> None:
    words, code = COMMANDS[name]
    done = door(Project(tmp_path), *words)

    assert done.returncode == code, done.stderr
    checked(name, done.stdout)


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_built_is_described(built: Project, name: str) -> None:
    done = door(built, *COMMANDS[name][0])

    assert done.returncode == 0, done.stderr
    checked(name, done.stdout)


def test_what_a_branch_touches_is_described(tmp_path: Path) -> None:
    project = Project(tmp_path)
    for words in (("init", "-q"), ("add", "core"), ("commit", "-qm", "first")):
        git(tmp_path, *words)

    found = checked("affected", door(project, "affected", "--json").stdout)

    assert (found["binaries"], found["all_for_lack_of_state"]) == (["alpha", "beta"], False)


def test_doit_prints_the_same(built: Project) -> None:
    for words, _ in COMMANDS.values():
        by_doit = built.build(words[0], "--json", *words[1:-1])
        assert door(built, *words).stdout.replace("doit-cargo setup", "doit setup") == by_doit


def test_a_run_says_what_it_built_and_why(tmp_path: Path) -> None:
    project = Project(tmp_path)
    file = tmp_path / "result.json"
    project.build("--json", str(file))
    first = checked("run", file.read_text())
    project.path("alpha/src/main.rs").write_text("fn main() { }\n")
    project.build("--json", str(file))
    second = checked("run", file.read_text())

    states = {b["binary"]: b["state"] for b in second["binaries"]}
    (why,) = (task["changed"] for task in second["tasks"] if task["name"] == TASK)
    assert {binary["state"] for binary in first["binaries"]} == {"built"}
    assert first["exit_code"] == 0
    assert states == {"alpha": "built", "beta": "reused"}
    assert why == ["alpha/src/main.rs"]
    assert all(len(b["sha256"]) == 64 and b["size"] for b in second["binaries"])
    (verified,) = (t for t in second["tasks"] if t["name"] == "verify:x86_64:alpha")
    assert verified["state"] == "ran"
    assert verified["seconds"] > 0


def test_a_run_that_failed_says_what_failed(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.path("core/src/lib.rs").write_text("pub fn f() -> u8 { 300 }\n")

    done = project.doit("--json", "result.json")
    found = checked("run", project.path("result.json").read_text())

    assert (done.returncode, found["exit_code"], found["result"]) == (1, 1, "failed")
    assert [failure["name"] for failure in found["failures"]] == ["build:x86_64:core_lib"]
    assert "literal out of range" in found["failures"][0]["text"]


def test_another_reporter_knows_no_result(tmp_path: Path) -> None:
    done = Project(tmp_path).doit("--json", "x.json", "-r", "console")

    assert done.returncode == 2
    assert done.stderr == ("ERROR: --json works only with the reporter `lines`\n")
