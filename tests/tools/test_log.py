"""The event log: what a line says of its task, and what a run without events leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from doit_cargo.core.task import Outcome, Sighting, TaskSpec
from doit_cargo.tools.log import LARGEST, EventLog

BUILD = TaskSpec(stage="build", arch="x86_64", subject="core", doc="")
VERIFY = TaskSpec(stage="verify", arch="x86_64", subject="bot", doc="")
STAGE = TaskSpec(stage="stage", arch="aarch64", doc="")
PUSH = TaskSpec(stage="push", subject="bot", doc="")
NOTHING = Outcome()


def logged(folder: Path, spec: TaskSpec, outcome: Outcome = NOTHING) -> dict[str, Any]:
    """The line of a task that went well, but for when it was and how long it took."""
    log = EventLog()
    log.configure(folder / "log.jsonl", run="r1", verbose=False)
    with log.task(spec) as event:
        event.update(outcome.encode())
    (line,) = (folder / "log.jsonl").read_text().splitlines()
    found: dict[str, Any] = json.loads(line)
    del found["timestamp"]
    assert found.pop("run") == "r1"
    found.pop("duration", None)  # nothing took less than half a millisecond
    return found


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (BUILD, {"task": "build:x86_64:core", "arch": "x86_64", "crate": "core"}),
        (VERIFY, {"task": "verify:x86_64:bot", "arch": "x86_64", "binary": "bot"}),
        (STAGE, {"task": "stage:aarch64", "arch": "aarch64"}),
        (PUSH, {"task": "push:bot", "binary": "bot"}),
    ],
    ids=lambda value: value.name if isinstance(value, TaskSpec) else "",
)
def test_a_binary_is_called_a_binary_and_only_an_architecture_one(
    tmp_path: Path, spec: TaskSpec, said: dict[str, str]
) -> None:
    assert logged(tmp_path, spec) == {"event": "done", "stage": spec.stage, **said}


def test_what_an_action_found_out_is_in_its_line(tmp_path: Path) -> None:
    """But for its inputs, which are the state's own affair."""
    outcome = Outcome(
        size=7, digest="abc", names=("a", "b"), warnings=("w",), discovered=("/x",),
        no_longer=("/y",), seen=Sighting("exit 0", "docker", 1.5, "unseen"),
    )  # fmt: skip
    found = logged(tmp_path, VERIFY, outcome)

    assert found == {
        "event": "done", "task": "verify:x86_64:bot", "stage": "verify", "arch": "x86_64",
        "binary": "bot", "size": 7, "digest": "abc", "names": ["a", "b"], "warnings": ["w"],
        "seen": {"answer": "exit 0", "isolation": "docker", "seconds": 1.5, "relro": "unseen"},
    }  # fmt: skip


def test_a_task_that_fails_is_logged_as_failed(tmp_path: Path) -> None:
    log = EventLog()
    log.configure(tmp_path / "log.jsonl", run="r1", verbose=False)
    with pytest.raises(ValueError, match="no"), log.task(VERIFY):
        raise ValueError("no")

    assert json.loads((tmp_path / "log.jsonl").read_text())["event"] == "failed"


def test_a_run_without_events_leaves_no_file(tmp_path: Path) -> None:
    EventLog().configure(tmp_path / "state" / "log.jsonl", run="r1", verbose=True)

    assert list(tmp_path.iterdir()) == []


def test_verbose_tells_people_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = EventLog()
    log.configure(tmp_path / "log.jsonl", run="r1", verbose=True)
    log.event("resting", arch="x86_64", crate="")

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.split()[1:] == ["resting", "arch=x86_64", "run=r1"]


def test_a_log_that_cannot_be_kept_fails_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log.jsonl"
    path.mkdir()
    log = EventLog()
    log.configure(path, run="r1", verbose=False)
    for _ in range(2):
        log.event("done")

    assert capsys.readouterr().err == f"no more events in {path}: Is a directory\n"


def test_whatever_an_event_says_is_one_line(tmp_path: Path) -> None:
    log = EventLog()
    log.configure(tmp_path / "log.jsonl", run="r1", verbose=False)
    for number in "12":
        log.event("done", text=f"two\nlines\u2028{number}")

    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"][-1] for line in lines] == ["1", "2"]


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "log.jsonl").symlink_to(elsewhere)
    log = EventLog()
    log.configure(tmp_path / "log.jsonl", run="r1", verbose=False)
    log.event("done")

    assert not elsewhere.exists()


def test_a_log_that_has_grown_large_is_begun_anew(tmp_path: Path) -> None:
    """The one before is kept, and no more than that."""
    path = tmp_path / "log.jsonl"
    for number in range(3):
        path.write_text(f"{number}" * (LARGEST + 1))
        log = EventLog()
        log.configure(path, run="r1", verbose=False)
        log.event("done")

    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["log.jsonl", "log.jsonl.1"]
    assert (tmp_path / "log.jsonl.1").read_text() == "2" * (LARGEST + 1)
    assert json.loads(path.read_text())["event"] == "done"
