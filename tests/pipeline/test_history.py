"""`history`: the runs that did something, as they were."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

from doit_cargo.doit_ext.history import KEPT
from helpers.project import Project
from helpers.repositories import git

pytestmark = pytest.mark.integration

LARGER = "#[used] static WEIGHT: [u8; 50000] = [3; 50000];\n"


def runs(project: Project) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(project.build("history", "--json"))["runs"]
    return found


def test_each_run_that_did_something_is_kept(project: Project) -> None:
    """Not one with nothing to do; one that failed is."""
    assert project.build("history").startswith("no run on record: ")
    git(project.root, "init", "-q")
    git(project.root, "add", "-A")
    git(project.root, "commit", "-qm", "first")
    project.build()
    project.build()
    main = project.path("alpha/src/main.rs")
    main.write_text(f"{main.read_text()}{LARGER}")
    project.build()
    main.write_text("broken")
    assert project.doit().returncode == 1

    first, second, third = runs(project)
    assert [run["dirty"] for run in (first, second, third)] == [False, True, True]
    assert {run["revision"] for run in (first, second, third)} == {
        git(project.root, "rev-parse", "HEAD")
    }
    assert [run["result"] for run in (first, second, third)] == ["done", "done", "failed"]
    assert [t["name"] for t in second["tasks"]][:2] == ["build:x86_64:alpha", "verify:x86_64:alpha"]
    assert [(t["name"], t["state"]) for t in third["tasks"]] == [("build:x86_64:alpha", "failed")]
    logged = [json.loads(x) for x in project.path(".doit-cargo/log.jsonl").read_text().splitlines()]
    assert [*dict.fromkeys(x["run"] for x in logged)] == [first["run"], second["run"], third["run"]]

    shown = project.build("history").splitlines()
    assert [line.split()[-1] for line in shown] == ["RESULT", "ok", "ok", "failed"]
    head, *sizes = project.build("history", "alpha").splitlines()
    assert head == "alpha x86_64  ▁█"
    assert [line.split()[0] for line in sizes] == [first["run"], second["run"]]
    assert sizes[1].endswith(" B")
    assert len(project.build("history", "-n", "1").splitlines()) == 2

    project.build("clean")
    assert runs(project) == [first, second, third]


def test_a_bounded_number_is_kept_and_a_damaged_one_left_out(finished: Project) -> None:
    (known,) = runs(finished)
    path = finished.path(".doit-cargo/history.sqlite3")
    with sqlite3.connect(path) as database:
        rows = [(f"2000{number:04}", "{}", "") for number in range(KEPT + 5)]
        database.executemany("insert into tasks values (?, ?, ?)", rows)
    database.close()
    finished.path("alpha/src/main.rs").write_text("fn main() { }\n")
    finished.build()

    first, _ = runs(finished)
    assert first == known
    with sqlite3.connect(path) as database:
        assert database.execute("select count(*) from tasks").fetchone() == (KEPT,)
    database.close()


def test_a_history_that_cannot_be_kept_fails_nothing(project: Project) -> None:
    project.path(".doit-cargo/history.sqlite3").mkdir(parents=True)

    done = project.doit()

    assert done.returncode == 0, done.stderr
    assert len(runs(project)) == 1  # what lay there is set aside


def test_a_binary_that_nobody_ships(finished: Project) -> None:
    done = finished.doit("history", "alpah")

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "ERROR: no binary alpah is shipped, did you mean 'alpha'?\n"
