"""Contexts of paper: a workspace and a machine from literals, read as a run reads them.

And a session in which nothing lives: no cargo, no child of LIEF's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from doit_cargo.core.context import read_context
from doit_cargo.core.elf.reader import as_dict, read
from doit_cargo.core.model import Context
from doit_cargo.core.task import TaskSpec
from doit_cargo.tools.elf.second_opinion import SecondOpinion
from doit_cargo.tools.run.session import Session
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


class Echo(SecondOpinion):
    """Sees what our own reader sees: a step's test is not about the other."""

    def ask(self, data: bytes) -> dict[str, Any]:
        """The same facts."""
        return as_dict(read(data))


def session(**digests: str) -> Session:
    """Of a run in which these tasks (`_` for `:`) were planned."""
    made = Session()
    made.opinion = Echo()
    made.note({name.replace("__", ":"): digest for name, digest in digests.items()})
    return made


def shown(spec: TaskSpec, root: Path) -> dict[str, Any]:
    """A spec as it is compared: what it says, its files as they lie below the root."""

    def short(path: Path | str | None) -> str | None:
        return str(path).removeprefix(f"{root}/") if path else None

    return {
        "name": spec.name,
        "doc": spec.doc,
        "inputs": [short(path) for path in spec.inputs],
        "outputs": [short(path) for path in spec.outputs],
        "group": spec.group,
        "owns": short(spec.owns),
        "always": spec.always,
        "programs": spec.programs,
    }
