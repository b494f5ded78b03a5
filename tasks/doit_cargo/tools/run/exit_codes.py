"""The one place where errors and signals become messages and exit codes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

from doit_cargo.core.errors import PipelineError, explain
from doit_cargo.tools import console


def guarded(work: Callable[[], int], diagnose: Callable[[str], str] = str) -> int:
    """Run it; what the user can fix is printed without a traceback, a signal ends it at once.

    `diagnose` puts what is known of a failure under its message.

    Exit codes: 1 a failed crate or check, 3 configuration or a missing tool, 128 + n a signal.
    """
    for name in ("stdout", "stderr"):  # None where the shell closed it: `doit >&-`
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    signals = (signal.SIGTERM, signal.SIGHUP)
    previous = {number: signal.signal(number, _leave) for number in signals}
    try:
        return _heard(work)
    except PipelineError as error:
        console.warn(f"ERROR: {diagnose(str(error))}")
        return error.exit_code
    except KeyboardInterrupt:
        console.warn("\ninterrupted")
        return 128 + signal.SIGINT
    except OSError as error:
        console.warn(f"ERROR: {diagnose(explain(error))}")
        return 1
    except ImportError as error:
        console.warn(
            f"ERROR: {error}: install doit-cargo again, and see that this process may open "
            "more files (ulimit -n)"
        )
        return 1
    except RuntimeError as error:
        if "new thread" not in str(error):
            raise
        console.warn(f"ERROR: {error}: this machine allows no more")
        return 1
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _heard(work: Callable[[], int]) -> int:
    """Run it until all is written; if nobody reads on, as `head` does not, end as by SIGPIPE.

    A run's own error names the stream: a build whose log has ended has failed.
    """
    try:
        code = work()
        sys.stdout.flush()
    except BrokenPipeError as error:
        if error.filename is not None:
            raise
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # where Python flushes to at its end
        os.close(nowhere)
        return 128 + signal.SIGPIPE
    return code


def _leave(number: int, frame: object) -> None:
    del frame
    sys.exit(128 + number)
