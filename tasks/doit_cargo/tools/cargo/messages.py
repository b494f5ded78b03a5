"""Cargo's messages, decoded into a few typed values. Only the decoding forgives.

Source: The Cargo Book, "External Tools", "JSON messages".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

# Source: The Cargo Book, "Package ID Specifications": `url#name@version`, or `url/name#version`.
_PACKAGE = re.compile(r"[^#]*?(?P<folder>[^/#?]*)(\?[^#]*)?#(?P<name>[^@]*(?=@))?")
_LOCAL_PACKAGE = re.compile(r"path\+file://([^#?]+)")


class Artifact(NamedTuple):
    """A target that was compiled, or was `fresh`: its package's name and manifest, what it is.

    `kinds` are cargo's (`lib`, `bin`, `custom-build`, …), `files` what was made; `executable` is
    set for what can be run.
    """

    package: str
    manifest: str
    kinds: frozenset[str]
    target: str
    files: tuple[Path, ...]
    executable: Path | None
    fresh: bool


class ScriptRun(NamedTuple):
    """A build script that has run: its package, the folder of a local one's, and its OUT_DIR."""

    package: str
    manifest: str
    out_dir: Path

    @property
    def output(self) -> Path:
        """Where cargo keeps what the script printed."""
        return self.out_dir.with_name("output")


class Diagnostic(NamedTuple):
    """What the compiler said about a package, as a terminal shows it."""

    package: str
    manifest: str
    is_error: bool
    rendered: str


Message = Artifact | ScriptRun | Diagnostic


def decode(line: bytes) -> Message | None:
    """The message on a line; None for one that nobody here needs.

    Raises ValueError if it is none of cargo's: a macro may print while it runs.
    """
    try:
        found = json.loads(line)
        decoder = _DECODERS.get(found["reason"])
        return decoder(found) if decoder else None
    except (TypeError, AttributeError, KeyError, IndexError, RecursionError) as error:
        raise ValueError("no message of cargo's") from error


def package_name(package_id: str) -> str:
    """A package's name from its id."""
    found = _PACKAGE.match(package_id)
    if not found:  # before Cargo 1.77: `name version (url)`
        return package_id.partition(" ")[0]
    return found["name"] or found["folder"]


def _artifact(found: dict[str, Any]) -> Artifact:
    return Artifact(
        package=package_name(found.get("package_id", "")),
        manifest=str(found.get("manifest_path", "")),
        kinds=frozenset(map(str, found["target"]["kind"])),
        target=str(found["target"]["name"]),
        files=tuple(map(Path, found["filenames"])),
        executable=Path(found["executable"]) if found.get("executable") else None,
        fresh=bool(found["fresh"]),
    )


def _script_run(found: dict[str, Any]) -> ScriptRun:
    local = _LOCAL_PACKAGE.match(found["package_id"])
    return ScriptRun(
        package=package_name(found["package_id"]),
        manifest=f"{unquote(local[1])}/Cargo.toml" if local else "",
        out_dir=Path(found["out_dir"]),
    )


def _diagnostic(found: dict[str, Any]) -> Diagnostic:
    return Diagnostic(
        package=package_name(found.get("package_id", "")),
        manifest=str(found.get("manifest_path", "")),
        is_error=str(found["message"].get("level", "")).startswith("error"),
        rendered=str(found["message"]["rendered"]),
    )


_DECODERS: Mapping[str, Callable[[dict[str, Any]], Message]] = {
    "compiler-artifact": _artifact,
    "build-script-executed": _script_run,
    "compiler-message": _diagnostic,
}
