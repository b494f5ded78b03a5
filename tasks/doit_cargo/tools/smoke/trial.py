"""Runs one smoke test: starts dependencies, probes, sends SIGTERM, checks the exit code.

Where the programs run is the place's affair: containers, or folders with nothing else in them.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from doit_cargo.core.errors import CheckError
from doit_cargo.core.image_settings import HttpProbe
from doit_cargo.core.images.trial import Program, Trial

# Seconds. Generous, since emulated programs on a busy machine take long: what is late costs only
# the one who waits for a failure.
START_LIMIT = 60.0
RUN_LIMIT = 60.0
_ANSWER_LIMIT = 5.0
_PAUSE = 0.05
_MOST = 1 << 20  # bytes of an answer that are looked at


class Running(Protocol):
    """A program that was started."""

    def address(self) -> str:
        """Where it can be reached from here."""

    def ended(self) -> int | None:
        """Its exit code; None while it runs."""

    def wait(self, seconds: float) -> int | None:
        """Wait for its end; None if that does not come."""

    def terminate(self) -> None:
        """Send SIGTERM."""

    def log(self) -> str:
        """The end of what it has written."""

    def maps(self) -> str:
        """Its memory map, as `/proc/PID/maps` has it; "" where that can't be read."""


class Seen(NamedTuple):
    """The `answer` (`http 200`, `exit 0`, `listening`), and the `maps` of a program that ran then.

    No maps (None) of one that was to end by itself.
    """

    answer: str
    maps: str | None = None


class Place(Protocol):
    """Where the programs of one trial run, apart from all others."""

    def start(self, program: Program, argv: Sequence[str]) -> Running:
        """Start a program with these arguments."""


def run(place: Place, trial: Trial) -> Seen:
    """What was seen.

    Raises CheckError with the reason and the end of the logs.
    """
    started: dict[str, Running] = {}
    try:
        for need in trial.needs:
            started[need.name] = place.start(need, ())
            _await(started[need.name], need)
        argv = trial.run.argv if trial.run else ()
        started[trial.subject.name] = place.start(trial.subject, argv)
        return _observe(started[trial.subject.name], trial)
    except CheckError as error:
        logs = (_log(name, running) for name, running in started.items())
        raise CheckError("\n".join([str(error), *filter(None, logs)])) from None


def _observe(subject: Running, trial: Trial) -> Seen:
    if trial.run:
        return Seen(_to_its_end(subject, trial.subject.name, trial.run.code))
    seen = Seen(_await(subject, trial.subject), subject.maps())
    subject.terminate()
    code = subject.wait(trial.subject.stop)
    if code is None:
        raise CheckError(
            f"{trial.subject.name} did not end within {trial.subject.stop} s of SIGTERM"
        )
    if code != 0:
        raise CheckError(f"{trial.subject.name} ended with {code} after SIGTERM, not with 0")
    return seen


def _to_its_end(subject: Running, name: str, wanted: int) -> str:
    code = subject.wait(RUN_LIMIT)
    if code is None:
        raise CheckError(f"{name} did not end within {RUN_LIMIT:g} s")
    if code != wanted:
        raise CheckError(f"{name} ended with {code}, not with {wanted}")
    return f"exit {code}"


def _await(running: Running, program: Program) -> str:
    """Ask until the answer is the right one. One that has no port is taken as it is."""
    if program.port is None:
        return ""
    deadline = time.monotonic() + START_LIMIT
    while True:
        fault = _ask(running, program.port, program.probe)
        if not fault:
            return f"http {program.probe.status}" if program.probe else "listening"
        if (code := running.ended()) is not None:
            raise CheckError(f"{program.name} ended with {code} before it answered: {fault}")
        if time.monotonic() > deadline:
            raise CheckError(f"{program.name} gave no answer in {START_LIMIT:g} s: {fault}")
        time.sleep(_PAUSE)


def _ask(running: Running, port: int, probe: HttpProbe | None) -> str:
    """What is wrong with the answer; "" if nothing is."""
    try:
        host = running.address()
    except CheckError as error:  # what has ended has none
        return str(error)
    connection = http.client.HTTPConnection(host, port, timeout=_ANSWER_LIMIT)
    try:
        if probe is None:
            connection.connect()
            return ""
        connection.request("GET", probe.path)
        answer = connection.getresponse()
        body = answer.read(_MOST).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    if answer.status != probe.status:
        return f"GET {probe.path}: status {answer.status}, not {probe.status}: {body[:200]}"
    if probe.body is not None and probe.body not in body:
        return f"GET {probe.path}: {probe.body!r} is not in the answer: {body[:200]}"
    return ""


def _log(name: str, running: Running) -> str:
    with suppress(CheckError, OSError):
        if text := running.log().strip():
            return "\n".join([f"{name} wrote:", *(f"  {line}" for line in text.splitlines())])
    return ""
