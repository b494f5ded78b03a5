"""What was found, as a table in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from corpus.attempt import Program

Found = Mapping[str, Mapping[str, Mapping[str, Any]]]

REBUILT = "built once more by the next `doit`, for its build script changed its sources"


def markdown(programs: Iterable[Program], found: Found, arches: Sequence[str]) -> str:
    """A line for each program that was tried; below, why a failed one failed.

    The processor time is that of the first architecture.
    """
    tried = [(program, found[program.key]) for program in programs if program.key in found]
    first, *others = arches
    head = ["program", "crates", "C, C++, assembly", first, "CPU", "size"]
    head += [cell for arch in others for cell in (arch, "size")]
    lines = [_row(head), "|" + "---|" * len(head) + "\n"]
    lines += [_line(program, results, arches) for program, results in tried]
    notes = [
        f"- {program.name} {program.version}, {arch}: {note}\n"
        for program, results in tried
        for arch in arches
        if (note := _note(results.get(arch, {})))
    ]
    return "".join(lines) + "".join(["\n", *notes] if notes else [])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _note(result: Mapping[str, Any]) -> str:
    """Why it failed, or what is odd about it."""
    return str(result.get("reason", "")) or REBUILT * bool(result.get("more"))


def _line(program: Program, results: Mapping[str, Mapping[str, Any]], arches: Sequence[str]) -> str:
    good = next((result for result in results.values() if not result["reason"]), {})
    name = f"{program.name} {program.version}" + "".join(f" +{f}" for f in program.features)
    first, *others = (results.get(arch, {}) for arch in arches)
    cells = [name, str(good.get("crates", "")), ", ".join(good.get("c", ())) or "—"]
    cells += [_verdict(first), f"{first['cpu']} s" if "cpu" in first else "", _size(first)]
    cells += [cell for result in others for cell in (_verdict(result), _size(result))]
    return _row(cells)


def _verdict(result: Mapping[str, Any]) -> str:
    """The kind of a binary that passed ours, readelf and a run of it."""
    if not result:
        return "not tried"
    if result["reason"]:
        return "**failed**"
    kinds = {"DYN": "static-pie", "EXEC": "static"}
    return f"{kinds.get(result['readelf'], result['readelf'])}, ran"


def _size(result: Mapping[str, Any]) -> str:
    return f"{result['size'] / 2**20:.1f} MiB" if result.get("size") else ""
