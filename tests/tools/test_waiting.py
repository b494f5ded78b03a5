"""What takes its time says so, on a terminal and in a log."""

from __future__ import annotations

import sys
import time

import pytest

from doit_cargo.tools import console, waiting


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "TICK", 0.02)
    monkeypatch.setattr(waiting, "QUIET", 0.1)
    monkeypatch.setattr(console.Door, "screen", None)
    for name in ("CI", "TERM"):
        monkeypatch.delenv(name, raising=False)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_a_log_gets_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    with waiting.told("compiling musl"):
        time.sleep(0.5)

    said = lines(capsys)
    assert 2 <= len(said) <= 5
    assert {line.rpartition(",")[0] for line in said} == {"still compiling musl"}


def test_what_is_short_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with waiting.told("compiling musl"):
        pass

    assert lines(capsys) == []


def test_on_a_terminal_a_clock_moves(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with waiting.told("compiling musl"):
        time.sleep(0.3)

    said = capsys.readouterr().err
    assert said.startswith(f"{waiting.ERASE}compiling musl  0.")
    assert said.endswith(waiting.ERASE)


def test_a_run_has_a_screen_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    monkeypatch.setattr(console.Door, "screen", lambda _: None)
    monkeypatch.setattr(console.Door, "note", notes.append)
    with waiting.told("compiling musl"):
        time.sleep(0.3)

    assert lines(capsys) == []
    assert notes == ["compiling musl"]
