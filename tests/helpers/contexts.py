"""Contexts of paper: a workspace and a machine from literals, read as a run reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from doit_cargo.core.context import read_context
from doit_cargo.core.model import Context
from helpers.machines import LINUX, TRIPLE, add_std, usual
from helpers.project import CONFIG, SOURCES, adopt
from helpers.workspaces import write

ARM = "aarch64-unknown-linux-musl"
BOTH = f"workspace: .\ntargets: {{x86_64: {TRIPLE}, aarch64: {ARM}}}\n"


def context(
    root: Path,
    files: Mapping[str, str] = SOURCES,
    config: str = CONFIG,
    env: Mapping[str, str] = {},
) -> Context:
    """Of the usual two programs on one library, on a machine with Rust and both targets' std."""
    machine = usual(root)
    for triple in (TRIPLE, ARM):
        add_std(machine.home / ".rustup" / "toolchains" / f"stable-{LINUX}", triple)
    adopt(machine.workspace, config)
    write(machine.workspace, files)
    return read_context(machine.workspace, {**machine.env, **env}, host=LINUX)
