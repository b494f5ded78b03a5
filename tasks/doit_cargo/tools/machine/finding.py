"""A finding of doctor's about one thing, and how a list of them is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A thing, whether it is there, its version and path, and the command that fixes it."""

    name: str
    found: bool
    detail: str
    remedy: str = ""
    optional: bool = False


def healthy(findings: Sequence[Finding]) -> bool:
    """Tell whether the main job can run."""
    return all(finding.found or finding.optional for finding in findings)


def render(findings: Sequence[Finding]) -> str:
    """Aligned columns: verdict, thing, what was found or what to do."""
    rows = [(_verdict(f), f.name, _text(f)) for f in findings]
    name = max((len(row[1]) for row in rows), default=0)
    return "\n".join(f"{verdict:<8}  {thing:<{name}}  {text}" for verdict, thing, text in rows)


def _verdict(finding: Finding) -> str:
    if finding.found:
        return "ok"
    return "optional" if finding.optional else "MISSING"


def _text(finding: Finding) -> str:
    if finding.found or not finding.remedy:
        return finding.detail
    return f"{finding.detail}: {finding.remedy}"
