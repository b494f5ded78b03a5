"""A run's result as a document (`--json FILE`): what was made, what was not, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from doit.task import Task

from doit_cargo.core import document, layout
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.core.record import read, typed
from doit_cargo.core.task import task_name
from doit_cargo.doit_ext.planner import Why
from doit_cargo.doit_ext.reporter import Results
from doit_cargo.doit_ext.tasks import outcome_of, spec_of

_STATES = {"run": "ran", "same": "up-to-date", "failed": "failed", "unmet": "not-run"}
_BUILT = {"ran": "built", "up-to-date": "reused"}


def body(ctx: Context, found: Results, why: Mapping[str, Why], code: int) -> dict[str, Any]:
    """The document: see docs/json.md. Paths are relative to the root, times in seconds."""
    tasks = [
        _task(ctx, task, _STATES[how], found.took, why)
        for how, ended in found.tasks.items()
        for task in ended
    ]
    states = {task["name"]: task["state"] for task in tasks}
    return {
        "result": "failed" if code else "done",
        "exit_code": code,
        "profile": ctx.config.profile,
        "seconds": round(found.seconds, 3),
        "binaries": [*_binaries(ctx, states)],
        "images": [*_images(found)],
        "failures": [{"name": name, "text": text} for name, text in found.causes],
        "tasks": tasks,
    }


def _task(
    ctx: Context, task: Task, state: str, took: Mapping[str, float], why: Mapping[str, Why]
) -> dict[str, Any]:
    spec, reason = task.spec, why.get(task.name, Why())
    seconds = took.get(task.name) if spec.stage != "build" else None  # it waits for cargo
    return {
        "name": task.name,
        **document.task(spec),
        "state": state,
        "seconds": None if seconds is None else round(seconds, 3),
        "changed": [layout.relative([Path(path)], ctx.config.root)[0] for path in reason.changed],
        "below": [*reason.below],
    }


def _binaries(ctx: Context, states: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Those whose crate was asked for, each as it is now."""
    for target in ctx.config.targets:
        for binary in ctx.ship:
            if state := states.get(task_name("build", target.arch, binary.crate)):
                yield _binary(ctx, target, binary, _BUILT.get(state, state))


def _binary(ctx: Context, target: Target, binary: Binary, state: str) -> dict[str, Any]:
    is_made = state in _BUILT.values()
    known = read(layout.verify_record(ctx.config, target, binary)) if is_made else {}
    return {
        **document.binary(ctx.config, target, binary),
        "state": state,
        "size": typed(known, "size", int),
        "previous_size": typed(known, "previous_size", int),
        "sha256": typed(known, "sha256", str),
    }


def _images(found: Results) -> Iterator[dict[str, Any]]:
    """Those that were made in this run."""
    for task in found.tasks["run"]:
        spec, outcome = spec_of(task), outcome_of(task)
        if spec and spec.stage in ("image", "index", "push"):
            yield {
                "stage": spec.stage,
                "binary": spec.subject,
                "arch": spec.arch or None,
                "names": [*outcome.names],
                "digest": outcome.digest or None,
            }
