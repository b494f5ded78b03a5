"""`cargo metadata`: what cargo says of a workspace, and how it makes the lock file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from doit_cargo.core.errors import SetupError
from doit_cargo.tools import process


def metadata(cargo: Path, workspace: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """What `cargo metadata --no-deps` says of the workspace.

    Raises SetupError with cargo's words when it can't read the workspace.
    """
    argv = [str(cargo), "metadata", "--no-deps", "--format-version", "1", "--offline"]
    try:
        loaded: dict[str, Any] = json.loads(process.run(argv, env=env, cwd=workspace))
    except ValueError as error:
        raise SetupError(f"cargo metadata gave no JSON: {error}") from error
    return loaded


def resolve(cargo: Path, workspace: Path, env: Mapping[str, str], *, offline: bool) -> None:
    """Let cargo make the lock file, or bring it up to date, as a build would.

    Raises PipelineError with its words.
    """
    argv = [str(cargo), "metadata", "--format-version", "1", *["--offline"] * offline]
    process.run(argv, env=env, cwd=workspace)
