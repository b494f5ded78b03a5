"""Which error becomes which message and which exit code; the rest is raised."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable

import pytest

from doit_cargo.core.errors import (
    CheckError,
    ConfigError,
    MissingToolError,
    PipelineError,
    SetupError,
)
from doit_cargo.tools.run.exit_codes import guarded


def raising(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


ERRORS: dict[str, tuple[BaseException, int, str]] = {
    "a failed command": (PipelineError("cargo ended with 101"), 1, "ERROR: cargo ended with 101\n"),
    "a failed check": (CheckError("it does not pass"), 1, "ERROR: it does not pass\n"),
    "a wrong setup": (SetupError("no target x"), 3, "ERROR: no target x\n"),
    "a missing tool": (MissingToolError("no cargo: run it"), 3, "ERROR: no cargo: run it\n"),
    "all faults of a file": (ConfigError(("a:1: no", "a:2: no")), 3, "ERROR: a:1: no\na:2: no\n"),
    "the keyboard": (KeyboardInterrupt(), 130, "\ninterrupted\n"),
    "no space": (
        OSError(errno.ENOSPC, "No space left on device", "/x"), 1,
        "ERROR: /x: No space left on device (make room)\n",
    ),
    "too many files": (
        OSError(errno.EMFILE, "Too many open files"), 1,
        "ERROR: Too many open files (raise the limit: ulimit -n)\n",
    ),
    "a reader that is gone": (
        BrokenPipeError(errno.EPIPE, "Broken pipe", "standard output"), 1,
        "ERROR: standard output: Broken pipe\n",
    ),
    "a module that cannot be read": (
        ImportError("No module named 'lief'"), 1,
        ("ERROR: No module named 'lief': install doit-cargo again, and see that this process may "
         "open more files (ulimit -n)\n"),
    ),
    "no more threads": (
        RuntimeError("can't start new thread"), 1,
        "ERROR: can't start new thread: this machine allows no more\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("error", "code", "text"), ERRORS.values(), ids=ERRORS.keys())
def test_an_error_is_one_message_without_a_traceback(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, text: str
) -> None:
    found = guarded(raising(error))

    assert (found, capsys.readouterr()) == (code, ("", text))


def test_what_went_well_has_its_own_code_and_no_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert (guarded(lambda: 0), guarded(lambda: 1)) == (0, 1)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("error", [RuntimeError("other"), ValueError("ours"), SystemExit(7)])
def test_what_nobody_can_fix_is_raised(error: BaseException) -> None:
    """A fault of ours is to be seen with its traceback."""
    with pytest.raises(type(error)) as caught:
        guarded(raising(error))

    assert caught.value is error


@pytest.mark.parametrize("error", [CheckError("no"), OSError(errno.ENOSPC, "full", "/x")])
def test_what_is_known_of_an_error_is_said_with_it(
    capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    guarded(raising(error), lambda message: f"{message}\nhint: known")

    assert capsys.readouterr().err.endswith("\nhint: known\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_its_number(number: signal.Signals) -> None:
    """By an exception, so that everything that is to be ended is ended."""
    cleaned = []

    def work() -> int:
        try:
            os.kill(os.getpid(), number)
            return 0
        finally:
            cleaned.append(True)

    with pytest.raises(SystemExit) as caught:
        guarded(work)

    assert (caught.value.code, cleaned) == (128 + number, [True])


def test_handlers_of_before_are_back_afterwards() -> None:
    """Also after an error, and after a work that had its own."""

    def mine(number: int, frame: object) -> None:
        del number, frame

    before = signal.signal(signal.SIGTERM, mine)
    try:
        was_mine = guarded(lambda: int(signal.getsignal(signal.SIGTERM) is mine))
        guarded(raising(CheckError("no")))

        assert not was_mine
        assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_an_output_that_the_shell_closed_takes_nothing_and_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """`doit >&-`: Python has None in its place."""
    monkeypatch.setattr(sys, name, None)

    def work() -> int:
        return getattr(sys, name).write("x") - 1  # type: ignore[no-any-return]

    assert guarded(work) == 0
    assert getattr(sys, name).name == os.devnull
    getattr(sys, name).close()
