"""doctor's lines about plugins: what doit.cfg or pyproject.toml lacks, or names as before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from doit_cargo.core.plugin_lines.changes import Change
from doit_cargo.core.plugin_lines.files import read
from doit_cargo.core.plugin_lines.review import home, review
from doit_cargo.core.text import plural
from doit_cargo.tools.machine.finding import Finding

_UPDATE = "doit-cargo init --keep"


def examine(folder: Path) -> tuple[Finding, ...]:
    """Read the files of the folder that doit was started in; changes nothing."""
    files = read(folder)
    changes = review(files)
    if not changes:
        return (Finding(name="plugins", found=True, detail=home(files)),)
    # init asks cargo for the workspace, so it works where that has its root
    summary = _summary(changes) if (folder / "Cargo.toml").is_file() else ()
    return (*summary, *map(_finding, changes))


def _summary(changes: Sequence[Change]) -> Iterator[Finding]:
    """A line a file, with the command that makes its changes."""
    for file in dict.fromkeys(change.file for change in changes):
        count = sum(change.file == file and not change.by_hand for change in changes)
        detail = f"{plural(count, 'line')} to bring up to date"
        if count:
            yield Finding(name=file, found=False, detail=detail, remedy=_UPDATE, optional=True)


def _finding(change: Change) -> Finding:
    return Finding(
        name=change.place,
        found=False,
        detail=change.fault,
        remedy=change.remedy,
        optional=not change.needed,
    )
