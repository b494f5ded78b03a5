"""Parses the output of `cargo build -vv`: the commands of build scripts, and the noise around.

Cargo prints each program that it runs with all the variables that it sets for it, as a shell would
take them (the crate `shell-escape`), but for the program's own path, which stands as it is:

         Running `CARGO=/x/cargo OUT_DIR=/t/out … /t/build/a-0123456789abcdef/build-script-build`

What it would have said without `-vv` goes on; what only `-vv` says is left out.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_COLOR = r"(?:\x1b\[[0-9;?]*[A-Za-z])*"
_RUNNING = re.compile(rf"(?:[^\n]*?\r)?{_COLOR} *{_COLOR}Running{_COLOR} `")
_FAILED = re.compile(r"  process didn't exit successfully: `")
_VARIABLE = re.compile(r"([^\s=`'/][^\s=`]*)=((?:'[^']*'|\\.|[^\s'\\`])*) ")
_UNFINISHED = re.compile(r"[^\s=`'/][^\s=`]*=|$")
_END = re.compile(r"`(?: \([^()`]*\))?\Z")
# What begins another thing that cargo says: a command that goes on till there is not understood.
_NEXT = re.compile(
    rf"{_COLOR} *{_COLOR}(?:(?:Compiling|Finished|Fresh|Dirty){_COLOR} |error|warning: )"
)
_ECHO = re.compile(
    rf"{_COLOR}\[[\w-]+ \d[^\]\s]*\] ?"
)  # `[package 1.2.3] `, before what its script says
_COUNTED = re.compile(rf"{_COLOR}warning{_COLOR}: `[^`]+` \([^)]*\) generated \d+ warnings?")
_LOST = "\ufffd"  # cargo shows what is not UTF-8 as this


class Command(NamedTuple):
    """A build script's program and the variables that cargo set for it, beside its own."""

    program: str
    env: Mapping[str, str]


class Verbose:
    """Reads standard error line by line, cut at line feeds alone. `commands` are by OUT_DIR."""

    def __init__(self) -> None:
        self.commands: dict[str, Command] = {}
        self._text = ""  # a command that goes on in the next line: a value may have several
        self._before: str | None = None  # what stood before a command that has failed

    def feed(self, line: str) -> Iterator[str]:
        """Take a line without its end; the lines that are left of it."""
        if self._text:
            if not (_RUNNING.match(line) or _NEXT.match(line)):
                yield from self._go_on(f"{self._text}\n{line}")
                return
            self._text = ""
        if found := _RUNNING.match(line):
            self._before = None
            yield from _parts(line[: found.end()].rpartition("\r")[0])  # cargo's bar
            yield from self._go_on(line[found.end() :])
        elif found := _FAILED.match(line):
            self._before = found[0]
            yield from self._go_on(line[found.end() :])
        else:
            yield from _parts(line)

    def _go_on(self, text: str) -> Iterator[str]:
        self._text = ""
        env, command = _split(text)
        end = _END.search(command)
        if not end or _UNFINISHED.match(command):
            self._text = text
        elif self._before is not None:
            yield f"{self._before}{command}"
        else:
            self._keep(command[: end.start()], env)

    def _keep(self, program: str, env: dict[str, str]) -> None:
        whole = not any(_LOST in text for text in (program, *env, *env.values()))
        if whole and "OUT_DIR" in env and os.path.basename(program).startswith("build-script-"):
            self.commands[env["OUT_DIR"]] = Command(program, env)


def _parts(line: str) -> Iterator[str]:
    """What cargo wrote over one another, without what only `-vv` says."""
    parts = filter(None, line.split("\r"))
    return (part for part in parts if not (_COUNTED.match(part) or is_echo(part)))


def is_echo(line: str) -> bool:
    """Whether it is what a build script has said, which cargo repeats with `-vv`."""
    return _ECHO.match(line) is not None


def _split(text: str) -> tuple[dict[str, str], str]:
    """The variables, and the command after them."""
    env: dict[str, str] = {}
    at = 0
    while found := _VARIABLE.match(text, at):
        env[found[1]] = "".join(shlex.split(found[2]))
        at = found.end()
    return env, text[at:]
