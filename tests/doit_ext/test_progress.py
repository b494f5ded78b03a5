"""What goes on in a run, in one line."""

from __future__ import annotations

import time

import pytest

from doit_cargo.doit_ext.progress import Progress
from doit_cargo.tools.cargo.progress import Step


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_nothing_goes_on() -> None:
    assert Progress(0).line(80) == ""


def test_the_slowest_crate_comes_first(clock: list[float]) -> None:
    said = Progress(90)
    said.step(Step(1, 20, ("ring", "syn")))
    clock[0] = 105
    said.step(Step(5, 20, ("tokio", "ring")))
    clock[0] = 107

    assert said.line(0) == "compiling: 5 of 20 units  17.0 s  ring 7.0 s, tokio 2.0 s"
    assert said.line(80) == "[=====>              ] 5/20  17.0 s  ring 7.0 s, tokio 2.0 s"


def test_a_full_bar_has_no_head(clock: list[float]) -> None:
    said = Progress(clock[0])
    said.step(Step(20, 20))

    assert said.line(80) == f"[{'=' * 20}] 20/20  0.0 s"


def test_what_cargo_waits_for_is_told_in_its_place(clock: list[float]) -> None:
    said = Progress(clock[0])
    said.step(Step(note="waiting for cargo's lock"))
    clock[0] = 130

    assert said.line(0) == "waiting for cargo's lock  30.0 s"


def test_an_estimate_is_from_an_earlier_run(clock: list[float]) -> None:
    """Of few units an average says nothing."""
    said = Progress(clock[0])
    said.step(Step(20, 220, pace=0.5))
    many = said.line(0)
    said.step(Step(215, 220, pace=0.5))

    assert many == "compiling: 20 of 220 units  0.0 s, about 1 min 40 s left"
    assert said.line(0) == "compiling: 215 of 220 units  0.0 s"


def test_without_a_cargo_it_is_the_tasks_that_run(clock: list[float]) -> None:
    said = Progress(clock[0])
    said.start("image:x86_64:bot")
    clock[0] = 125
    said.start("push:bot")

    assert said.line(0) == "running  25.0 s  image:x86_64:bot 25.0 s, push:bot 0.0 s"
    said.end("image:x86_64:bot")
    said.end("push:bot")
    assert said.line(0) == ""
