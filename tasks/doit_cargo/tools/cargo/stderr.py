"""Cargo's standard error, sorted by the crate that each error is about."""

from __future__ import annotations

import re
from collections.abc import Iterator

from doit_cargo.core.terminal import uncoloured

_STATUS = re.compile(r" *[A-Z][a-z]+ ")
_STATUS_WIDTH = 12  # cargo's shell aligns `   Compiling` and the like to that column
_FAILED = re.compile(
    r"error: (?:could not compile|failed to run custom build command for) `([\w-]{1,200})"
)
_ORDER = re.compile(r"  cargo::?rerun-if-")  # of a script that failed, they would bury its words
_REPEATS = " due to "  # "… due to 2 previous errors", which were told as messages
_WAITING = "warning: build failed, waiting for other jobs to finish..."


class Stderr:
    """Errors with all that belongs to them, for each crate that is named, and what names none."""

    def __init__(self) -> None:
        self._of: dict[str, list[str]] = {}
        self._unattributed: list[str] = []  # said before the error that it belongs to
        self._block: list[str] | None = None
        self._failing = ""

    def of(self, crate: str) -> str:
        """What was said of this crate ("": of none)."""
        return "".join(self._of.get(crate, ()))

    def crates(self) -> Iterator[str]:
        """Those of which something was said."""
        return filter(None, self._of)

    def rest(self) -> str:
        """All that was said of no crate."""
        return "".join((*self._of.get("", ()), *self._unattributed))

    def add(self, line: str) -> Iterator[str]:
        """Take a line (without its end); the crates whose failure has now been told."""
        plain, text = plain_text(line), f"{line}\n"
        if self._block is not None and _continues(plain):
            if not _ORDER.match(plain):
                self._block.append(text)
            return
        if self._failing:
            yield self._failing
        self._failing, self._block = "", None
        if plain.startswith("error"):
            yield from self._begin(plain, text)
        elif not _is_status(plain) and plain != _WAITING:
            self._unattributed.append(text)

    def add_unattributed(self, line: str) -> None:
        """Take a line that is no message of cargo's: a macro or the compiler printed it."""
        self._unattributed.append(line + "\n")

    def add_diagnostic(self, crate: str, rendered: str) -> None:
        """Take what the compiler said of a crate that nobody waits for."""
        self._of.setdefault(crate, []).append(rendered)

    def _begin(self, plain: str, text: str) -> Iterator[str]:
        """An error: what was printed before it and under it goes with it."""
        found = _FAILED.match(plain)
        crate = found[1] if found else ""
        self._block = self._of.setdefault(crate, [])
        self._block += self._unattributed
        self._unattributed = []
        if crate and _REPEATS in plain:
            self._block = []  # of causes a verbose cargo tells the compiler's command
            yield crate
        else:
            self._block.append(text)
            self._failing = crate


def plain_text(line: str) -> str:
    """The line without colours and trailing blanks."""
    return uncoloured(line).rstrip()


def _continues(plain: str) -> bool:
    """Under an error of cargo's stand its causes, indented."""
    return plain == "Caused by:" or (plain.startswith("  ") and not _is_status(plain))


def _is_status(plain: str) -> bool:
    return _STATUS.fullmatch(plain[: _STATUS_WIDTH + 1]) is not None
