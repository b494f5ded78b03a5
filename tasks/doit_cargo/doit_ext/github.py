"""What a run tells GitHub Actions: compiler errors at their lines, groups, a summary of the step.

Source: GitHub Docs, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from doit_cargo.core.terminal import uncoloured
from doit_cargo.core.text import seconds, size

_ERROR = re.compile(
    r"^error(?:\[(?P<code>E\d{4})\])?: (?P<text>.+)\n"
    r"\s*--> (?P<file>[^:\n]+):(?P<line>\d+):(?P<col>\d+)",
    re.MULTILINE,
)
_HEAD = "| Binary | Architecture | | Size | Change | SHA-256 |", "|---|---|---|--:|--:|---|"
_MOST = 10  # GitHub shows as many of a kind for a step


class Github:
    """What is printed for the runner. The compiler speaks of files as they are from `root`."""

    def __init__(self, root: Path, env: Mapping[str, str]) -> None:
        self._root = root
        self._checkout = env.get("GITHUB_WORKSPACE") or str(root)
        self._summary = env.get("GITHUB_STEP_SUMMARY", "")
        self._in_group: bool | None = None

    def begin_group(self) -> str:
        """Before the first result: all results can be folded; "" later."""
        if self._in_group is not None:
            return ""
        self._in_group = True
        return "::group::doit-cargo: compiled and verified"

    def end_group(self) -> str:
        """Before what everybody is to see; "" if no group is open."""
        was, self._in_group = self._in_group, False
        return "::endgroup::" if was else ""

    def annotations(self, text: str) -> Iterator[str]:
        """A command for each error of the compiler."""
        for found in [*_ERROR.finditer(uncoloured(text))][:_MOST]:
            file = os.path.relpath(self._root / found["file"], self._checkout)
            title = f"rustc {found['code']}" if found["code"] else "rustc"
            yield (
                f"::error file={_property(file)},line={found['line']},col={found['col']},"
                f"title={title}::{_data(found['text'])}"
            )

    @staticmethod
    def quiet(text: str) -> str:
        """What others wrote, with no power to command the runner."""
        if "::" not in text and "##[" not in text:
            return text
        token = secrets.token_hex(16)
        return f"::stop-commands::{token}\n{text}\n::{token}::"

    def write_summary(self, document: Mapping[str, Any]) -> None:
        """Add to the page of the step."""
        if self._summary:
            with Path(self._summary).open("a", encoding="utf-8") as page:
                page.write(summary(document))


def summary(document: Mapping[str, Any]) -> str:
    """The page of the step, in Markdown: binaries with sizes and changes, or what failed."""
    took = seconds(document["seconds"])
    lines = [f"### doit-cargo: {document['result']} in {took}", ""]
    if document["failures"]:
        lines += [f"- failed: `{_cell(failure['name'])}`" for failure in document["failures"]]
        lines.append("")
    if document["binaries"]:
        lines += [*_HEAD, *map(_row, document["binaries"])]
    return "\n".join((*lines, ""))


def _row(binary: Mapping[str, Any]) -> str:
    now, before = binary["size"], binary["previous_size"]
    change = "" if now is None or before is None or now == before else f"{now - before:+,} B"
    cells = (
        binary["binary"], binary["arch"], binary["state"], "" if now is None else size(now), change,
        f"`{binary['sha256'][:12]}`" if binary["sha256"] else "",
    )  # fmt: skip
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
