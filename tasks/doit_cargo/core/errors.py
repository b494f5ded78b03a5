"""The one error hierarchy: what happened, where, and what to do next."""

from __future__ import annotations

import errno
from typing import ClassVar, NamedTuple

from doit_cargo.core.text import one_line

_REMEDIES = {
    errno.EMFILE: "raise the limit: ulimit -n",
    errno.ENFILE: "this machine allows no more",
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room",
}


def explain(error: OSError) -> str:
    """`path: what the kernel says`, and what to do where that is known."""
    where = f"{one_line(error.filename)}: " if error.filename else ""
    remedy = _REMEDIES.get(error.errno or 0)
    return f"{where}{error.strerror or error}" + (f" ({remedy})" if remedy else "")


class PipelineError(Exception):
    """A user-facing failure: its text is printed as it is, without a traceback."""

    exit_code: ClassVar[int] = 1


class CheckError(PipelineError):
    """A crate, a binary or a file on disk failed its check (exit code 1)."""


class Cause(NamedTuple):
    """Why cargo did not make something: the crate that failed ("" if none is named), and how."""

    crate: str
    text: str


class BuildError(CheckError):
    """Cargo did not make a crate: it failed itself, or what it needs did, or cargo stopped before.

    `needs`: the causes are of crates that this one is built upon.
    """

    def __init__(self, causes: tuple[Cause, ...], *, needs: bool = False) -> None:
        super().__init__("\n".join(cause.text for cause in causes))
        self.causes = causes
        self.needs = needs


class SetupError(PipelineError):
    """The configuration is wrong or a tool is missing (exit code 3)."""

    exit_code: ClassVar[int] = 3


class UsageError(PipelineError):
    """The command line is wrong (exit code 2)."""

    exit_code: ClassVar[int] = 2


class ConfigError(SetupError):
    """A configuration file has faults: all of them, one a line, each with its place.

    What a fault cites is the workspace's: no name in it makes a line of its own.
    """

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(map(one_line, faults)))
        self.faults = faults


class StartOver(Exception):  # noqa: N818 - nothing is wrong
    """The workspace has changed since it was read: read it again. The text says what changed."""


class MissingToolError(SetupError):
    """Something the main job needs is not on this machine; the text says how to get it."""
