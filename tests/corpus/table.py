"""What was found, as a table in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from corpus.attempt import Program

Found = Mapping[str, Mapping[str, Mapping[str, Any]]]

REBUILT = "built once more by the next `doit`, for its build script changed its sources"
HEAD = """\
| program | crates | C, C++, assembly | x86_64 | CPU | size | aarch64 | size |
|---|---|---|---|---|---|---|---|
"""


def markdown(programs: Iterable[Program], found: Found) -> str:
    """A line for each program that was tried; below, why a failed one failed."""
    tried = [(program, found[program.key]) for program in programs if program.key in found]
    lines = [_line(program, results) for program, results in tried]
    notes = [
        f"- {program.name} {program.version}, {arch}: {note}\n"
        for program, results in tried
        for arch, result in results.items()
        if (note := _note(result))
    ]
    return HEAD + "".join(lines) + "".join(["\n", *notes] if notes else [])


def _note(result: Mapping[str, Any]) -> str:
    """Why it failed, or what is odd about it."""
    return str(result["reason"]) or REBUILT * bool(result["more"])


def _line(program: Program, results: Mapping[str, Mapping[str, Any]]) -> str:
    good = next((result for result in results.values() if not result["reason"]), {})
    name = f"{program.name} {program.version}" + "".join(f" +{f}" for f in program.features)
    first, second = (results.get(arch, {}) for arch in ("x86_64", "aarch64"))
    cpu = f"{first['cpu']} s" if first else ""
    cells = (
        name, str(good.get("crates", "")), ", ".join(good.get("c", ())) or "—",
        _verdict(first), cpu, _size(first), _verdict(second), _size(second),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


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
