"""Calls doit in a fork of this process, which has it imported: ten times as fast as a new one."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import doit.cmd_run
import doit.doit_cmd

import doit_cargo.commands.clean
import doit_cargo.commands.reset_dep
import doit_cargo.doit_ext.run
import doit_cargo.doit_ext.state
import doit_cargo.pipeline  # noqa: F401 - each is there before the fork
from helpers.project import DOIT

HUNG = -1
"""The exit code of what does not end."""


class Done(NamedTuple):
    """How a call has ended."""

    code: int
    out: str
    err: str


def call(words: Sequence[str], root: Path, env: Mapping[str, str], limit: float) -> Done:
    """Call doit in that folder; after `limit` seconds it is killed with all that it started."""
    said = [root.parent / f"{name}.said" for name in ("out", "err")]
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _be_doit(words, root, env, said)
    code = _wait(child, limit)
    return Done(code, *(path.read_bytes().decode(errors="replace") for path in said))


def _wait(child: int, limit: float) -> int:
    end = time.monotonic() + limit
    while time.monotonic() < end:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return HUNG


def _be_doit(words: Sequence[str], root: Path, env: Mapping[str, str], said: list[Path]) -> None:
    code: object = 99
    try:
        os.setsid()
        os.chdir(root)
        for number, path in enumerate([Path(os.devnull), *said]):
            mode = os.O_RDWR | os.O_CREAT | (os.O_TRUNC if number else 0)
            os.dup2(os.open(path, mode, 0o644), number)
        os.environ.clear()
        os.environ.update(env)
        # Else what an action's own process prints comes before what doit printed earlier.
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        sys.argv = [str(DOIT), *words]
        sys.orig_argv[:] = [sys.executable, *sys.argv]
        code = doit.doit_cmd.DoitMain().run(list(words))
    except SystemExit as leave:
        code = leave.code
    except BaseException:  # noqa: BLE001 - as Python itself does at the end
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        stream.flush()  # type: ignore[union-attr]
    if isinstance(code, str):
        os.write(2, f"{code}\n".encode())
    os._exit(code if isinstance(code, int) else int(code is not None))
