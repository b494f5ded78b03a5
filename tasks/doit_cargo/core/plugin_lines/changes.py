"""A change of a line as a value, and a text with changes made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Change(NamedTuple):
    """A line to change, or one to add below line `number` (from 1; 0: at the end of the file).

    `text` is what stands there now ("": the line is missing), `new` what has to ("": nothing), and
    `section` the header that it belongs under. `by_hand`: `updated` leaves it to the user.
    `needed`: the main job cannot run without it.
    """

    file: str
    number: int
    text: str
    new: str
    why: str
    section: str = ""
    by_hand: bool = False
    needed: bool = False

    @property
    def place(self) -> str:
        """The file, and the line where it is known."""
        return f"{self.file}:{self.number}" if self.number else self.file

    @property
    def fault(self) -> str:
        """What is wrong there."""
        return f"{self.text.strip()} {self.why}".lstrip()

    @property
    def remedy(self) -> str:
        """What the user would write; "" if that is not known."""
        if self.text:
            return f"write {self.new.strip()}" if self.new else "remove the line"
        if not self.new:
            return ""
        where = f"below this line, in {self.section}" if self.number else f"to {self.section}"
        return f"add {self.new.strip()} {where}"

    @property
    def message(self) -> str:
        """All of it, on a line."""
        return ": ".join(filter(None, (self.place, self.fault, self.remedy)))


def updated(text: str, changes: Iterable[Change]) -> str:
    """A file's text with these changes made; every other byte is as it was."""
    lines = split(text)
    newline = end(lines[0]) if lines and end(lines[0]) else "\n"
    below: dict[int, list[str]] = {}
    for change in changes:
        if change.by_hand:
            continue
        if change.text:
            lines[change.number - 1] = change.new + end(lines[change.number - 1])
            continue
        block = below.setdefault(change.number or len(lines), [])
        if not change.number and change.section not in block:
            block += ["", change.section] if lines or block else [change.section]
        block.append(change.new)
    for number in sorted(below, reverse=True):
        _insert(lines, number, below[number], newline)
    return "".join(lines)


def _insert(lines: list[str], number: int, block: Sequence[str], newline: str) -> None:
    """Put new lines below that one; where the file has no newline at its end, it gets none."""
    last = end(lines[number - 1]) if number else newline
    if number and not last:
        lines[number - 1] += newline
    lines[number:number] = [*(line + newline for line in block[:-1]), block[-1] + last]


def split(text: str) -> list[str]:
    """The lines, each with its end. What else Python takes for the end of a line is none here."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def end(line: str) -> str:
    """How a line ends: LF, CRLF, or not at all."""
    return "\r\n" if line.endswith("\r\n") else "\n" if line.endswith("\n") else ""
