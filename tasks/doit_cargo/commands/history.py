"""`doit history [BINARY]`: the runs that did something; of a binary, how its size went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from doit_cargo.commands.base import JSON, ContextCommand
from doit_cargo.core.document import document
from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import Context
from doit_cargo.core.purposes import COMMANDS
from doit_cargo.core.settings.faults import nearest
from doit_cargo.core.text import columns, one_line, seconds, size
from doit_cargo.tools import console

_COUNT = {
    "name": "count", "short": "n", "long": "count", "type": int, "default": 20,
    "help": "how many runs to show [default: %(default)s]",
}  # fmt: skip
_BARS = "▁▂▃▄▅▆▇█"


class History(ContextCommand):
    """Print a row a run, the newest last."""

    doc_purpose = COMMANDS["history"]
    doc_usage = "[BINARY]"
    cmd_options = (_COUNT, JSON)

    def work(self, ctx: Context, options: Any, names: list[str]) -> int:
        """Raises SetupError for a name that is no shipped binary."""
        from doit_cargo.doit_ext import history

        known = tuple(binary.name for binary in ctx.ship)
        for name in names:
            if name not in known:
                raise SetupError(f"no binary {name} is shipped, {nearest(name, known)}")
        found = [*history.runs(ctx.config)][-max(options["count"], 1) :]
        if options["json"]:
            console.say(document(runs=found))
        elif not found:
            console.say("no run on record: it is kept when a run has done something")
        elif names:
            console.say("\n".join(line for name in names for line in _sizes(name, found)))
        else:
            console.say(columns([_HEAD, *map(_row, found)]))
        return 0


_HEAD = ("RUN", "REVISION", "TOOK", "DID", "RESULT")


def _row(run: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        run["run"],
        _revision(run),
        seconds(float(run.get("seconds") or 0)),
        str(len(run["tasks"])),
        "ok" if run.get("result") == "done" else "failed",
    )


def _revision(run: Mapping[str, Any]) -> str:
    revision = one_line(run.get("revision") or "-")[:12]
    return f"{revision}+" if run.get("dirty") else revision


def _sizes(name: str, found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A line of bars a architecture, and under it each size that was another than before."""
    by_arch: dict[str, list[tuple[Mapping[str, Any], int]]] = {}
    for run in found:
        for binary in run.get("binaries") or ():
            if binary.get("binary") == name and isinstance(binary.get("size"), int):
                by_arch.setdefault(str(binary.get("arch")), []).append((run, binary["size"]))
    if not by_arch:
        yield f"{name}: no size on record"
    for arch, sizes in by_arch.items():
        yield f"{name} {arch}  {_bars([count for _, count in sizes])}"
        rows, before = [], None
        for run, count in sizes:
            if count != before:
                change = "" if before is None else f"{count - before:+,} B"
                rows.append((f"  {run['run']}", _revision(run), size(count), change))
            before = count
        yield columns(rows)


def _bars(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    if low == high:
        return _BARS[0] * len(values)
    return "".join(_BARS[(value - low) * (len(_BARS) - 1) // (high - low)] for value in values)
