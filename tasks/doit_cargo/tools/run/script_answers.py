"""The answer of a build script: the lines that cargo takes from it, and its OUT_DIR's content.

A script that wants to run in every build is asked alone before anything is compiled; an answer
that is the last one's means that there is nothing to do. In both, the path of OUT_DIR is the same
word.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from doit_cargo.core import bounded, layout
from doit_cargo.core.model import Context, Crate, Target
from doit_cargo.core.record import digest, encode, read, typed
from doit_cargo.core.seal import Seal
from doit_cargo.core.workspace import script_output
from doit_cargo.tools import files
from doit_cargo.tools.cargo.order import Script
from doit_cargo.tools.key import seal

_OUT_DIR = b"\0OUT_DIR\0"
_KIND = "script"
_MODE = 0o600  # what cargo sets may be a secret


class Run(NamedTuple):
    """How cargo ran a script for an OUT_DIR: the program, its SHA-256, the variables it set."""

    out_dir: Path
    program: str
    sha256: str
    env: Mapping[str, str]


class Known(NamedTuple):
    """What is known of a crate's script. `unfit` says why it can't be asked alone, if it can't."""

    runs: tuple[Run, ...] = ()
    unfit: str = ""


def answer(output: bytes, out_dir: Path) -> str:
    """A digest of what a script printed and wrote."""
    path = os.fsencode(out_dir)
    lines = script_output.parse(output.replace(path, _OUT_DIR)).lines
    return digest([lines, [*_tree(str(out_dir), path)]])


def given(scripts: Iterable[Script]) -> str:
    """The answer that lies in cargo's folders, of all runs of a crate's script."""
    found = sorted(scripts, key=lambda script: script.out_dir)
    return digest([answer(bounded.read(s.output), s.out_dir) for s in found])


def changed_below(ctx: Context, target: Target, crate: str) -> Iterator[str]:
    """The crates below of whose scripts no longer lies in cargo's folders what their records say.

    One of which no run is known is stale in the next run anyhow.
    """
    asked = {path.stem for path in files.listing(layout.script_folder(ctx.config, target))}
    asked.discard(crate)
    for name in ctx.graph.closure(crate) if asked else ():
        if name in asked and (runs := known(ctx, target, name).runs):
            before = read(layout.build_record(ctx.config, target, name)).get("answer")
            if before and before != given(Script(run.out_dir) for run in runs):
                yield name


def _tree(folder: str, out_dir: bytes) -> Iterator[tuple[str, ...]]:
    """Every entry below: its name, what it is, and its content."""
    for below, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted([*folders, *names]):
            path = os.path.join(below, name)
            yield (path[len(folder) :], *_entry(path, out_dir))


def _entry(path: str, out_dir: bytes) -> tuple[str, ...]:
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        content = os.fsencode(os.readlink(path))
    elif stat.S_ISREG(mode):
        content = bounded.read(path)
    else:
        return (str(stat.S_IFMT(mode)),)
    sha = hashlib.sha256(content.replace(out_dir, _OUT_DIR)).hexdigest()
    return str(stat.S_IFMT(mode)), str(mode & stat.S_IXUSR), sha


def note(ctx: Context, target: Target, crate: Crate, scripts: Sequence[Script]) -> str:
    """Remember how cargo ran a crate's script, and its answer, which is returned.

    A run that this cargo did not make is known from before, or not at all.
    """
    before = known(ctx, target, crate.name)
    runs = tuple(run for script in scripts if (run := _run(script, before.runs)))
    whole = len(runs) == len(scripts)
    programs = [run.sha256 for run in runs]
    same = programs == [run.sha256 for run in before.runs]
    _write(ctx, target, crate.name, Known(runs if whole else (), before.unfit if same else ""))
    return given(scripts)


def forget(ctx: Context, target: Target, crate: str) -> None:
    """Its script comes to rest by itself."""
    files.remove(ctx.config.root, layout.script_commands(ctx.config, target, crate))


def call_unfit(ctx: Context, target: Target, crate: str, why: str) -> None:
    """Leave a crate's script to cargo, until it is another program."""
    found = known(ctx, target, crate)
    if found.unfit != why:
        _write(ctx, target, crate, found._replace(unfit=why))


def known(ctx: Context, target: Target, crate: str) -> Known:
    """What is known of a crate's script; a record that was damaged says nothing."""
    found = read(layout.script_commands(ctx.config, target, crate))
    runs = found.get("runs")
    what = [target.arch, crate, runs, found.get("unfit")]
    if not _seal(ctx).holds_of(_KIND, what, found.get("seal")) or not isinstance(runs, list):
        return Known()
    made = tuple(run for value in runs if (run := _decode(value)))
    return Known(made if len(made) == len(runs) else (), typed(found, "unfit", str) or "")


def _run(script: Script, before: Iterable[Run]) -> Run | None:
    if script.command is None:
        return next((run for run in before if run.out_dir == script.out_dir), None)
    program, env = script.command
    return Run(script.out_dir, program, sha256(program), env)


def sha256(path: str) -> str:
    """The SHA-256 (hex) of a program; empty if there is none."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _write(ctx: Context, target: Target, crate: str, what: Known) -> None:
    runs = [
        {**run._asdict(), "out_dir": str(run.out_dir), "env": dict(run.env)} for run in what.runs
    ]
    made = _seal(ctx).mac_of(_KIND, [target.arch, crate, runs, what.unfit])
    content = {"runs": runs, "unfit": what.unfit, "seal": made}
    path = layout.script_commands(ctx.config, target, crate)
    files.write(ctx.config.root, path, encode(content), _MODE, durable=False)


def _seal(ctx: Context) -> Seal:
    return seal(ctx.config.outputs.state)


def _decode(value: dict[str, Any]) -> Run | None:
    try:
        env = {str(name): str(text) for name, text in value["env"].items()}
        return Run(Path(value["out_dir"]), str(value["program"]), str(value["sha256"]), env)
    except (TypeError, KeyError, AttributeError):
        return None
