"""What of its own makes a task of the pipeline run, in words; nothing is started or written."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from doit_cargo.core import layout, why
from doit_cargo.core.model import Context, Toolchain
from doit_cargo.core.task import TaskSpec
from doit_cargo.doit_ext.checker import Intact
from doit_cargo.doit_ext.tasks import StepTask
from doit_cargo.tools.run import input_state
from doit_cargo.tools.run.ownership import foreign

_NOT_HERE = "no successful run is on record"
_WORDS = {  # doit's reasons
    "added_file_dep": "is new",
    "removed_file_dep": "is no input any more",
    "changed_file_dep": "changed",
}


def causes(
    ctx: Context,
    task: StepTask,
    reasons: Mapping[str, Any],
    saved: Mapping[str, Any],
    *,
    makers: Mapping[str, str],
    remade: Collection[str],
) -> tuple[str, ...]:
    """A line for each cause; none if it is due only for what runs before it.

    `reasons` are doit's, `saved` is what the state holds of the task. `makers` are the tasks of
    ours that make a file. The files in `remade` are made anew before its turn: what they are now is
    no cause.
    """
    values = saved.get("_values_:")
    if not isinstance(values, dict):
        return (_NOT_HERE,)
    intact = task.uptodate[0][0]
    paths = {reason: set(reasons.get(reason) or ()).difference(remade) for reason in _WORDS}
    found = [*_inputs(ctx, task, paths, saved, makers), *_settings(task.spec, values)]
    return tuple(dict.fromkeys([*found, *_outputs(ctx, intact, values, remade)]))


def _inputs(
    ctx: Context,
    task: StepTask,
    reasons: Mapping[str, set[str]],
    saved: Mapping[str, Any],
    makers: Mapping[str, str],
) -> Iterator[str]:
    told: set[str] = set()
    for reason, words in _WORDS.items():
        for path in sorted(reasons[reason] - told):
            told.add(path)
            word = words if os.path.exists(path) else "is gone"
            if saved.get(path) == input_state.UNSURE:
                word = "was edited while it was read"
            elif path in makers:
                yield f"{makers[path]} has run since"
                continue
            yield f"{_named(ctx, task.spec, path)} {word}"


def _named(ctx: Context, spec: TaskSpec, path: str) -> str:
    """The file as a person knows it, with what it is to the build."""
    shown = layout.relative([Path(path)], ctx.config.root)[0]
    chain = ctx.toolchains.get(spec.arch)
    role = _role(chain, path) if chain and spec.stage == "toolchain" else ""
    return f"{role} ({shown})" if role else shown


def _role(chain: Toolchain, path: str) -> str:
    if Path(path) not in chain.identity:
        return ""
    places = {
        "protoc": chain.protoc,
        "the compiler": chain.rustc,
        "cargo": chain.cargo,
        "the linker's wrappers": chain.wrappers,
        "what zig links": chain.zig_cache,
    }
    for role, place in places.items():
        if place and (path == str(place) or path.startswith(f"{place}/")):
            return role
    if f"/rustlib/{chain.target.triple}/" in path:
        return "std"
    if chain.sysroot and path.startswith(f"{chain.sysroot}/"):
        return "the compiler"
    return "a tool"


def _settings(spec: TaskSpec, values: Mapping[str, Any]) -> Iterator[str]:
    """The settings that are no files, old and new where both are known."""
    if values.get("fingerprint") == spec.fingerprint:
        return
    before = values.get("settings")
    known = before if isinstance(before, dict) else {}
    old = {name: text for name, text in known.items() if isinstance(text, str)}
    now = dict(why.settings(spec.settings() if spec.settings else {}))
    yield from [*why.changes(old, now)] if old and now else ["its settings changed"]


def _outputs(
    ctx: Context, intact: Intact, values: Mapping[str, Any], remade: Collection[str]
) -> Iterator[str]:
    """What it has made, and is not there as it was left."""
    spec = intact.spec
    saved = values.get("outputs")
    known = saved if isinstance(saved, dict) else {}
    made = dict.fromkeys(map(str, (*spec.outputs, *spec.made())))
    for path in made:
        state = intact.checker.output_state(path)
        if state is None or state != known.get(path):
            shown = layout.relative([Path(path)], ctx.config.root)[0]
            yield f"{shown} {'was altered' if state else 'is gone'}"
    for other in sorted(foreign(spec)):
        if any(path.startswith(f"{other}/") for path in (*remade, *made)):
            continue  # an empty folder
        yield f"{layout.relative([other], ctx.config.root)[0]} does not belong there"
    if spec.always:
        yield "it runs in every run"
    elif spec.present and not spec.present():
        yield "what it made is gone"
