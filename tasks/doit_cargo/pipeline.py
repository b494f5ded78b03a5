"""The table of contents: the ordered steps, from sources to a staged Docker context."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from doit.exceptions import InvalidDodoFile
from doit.task import Task

from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import Context, Target, TaskSpec
from doit_cargo.doit_ext.checker import ContentChecker
from doit_cargo.doit_ext.chosen import Selection, chosen_context
from doit_cargo.doit_ext.tasks import doit_tasks
from doit_cargo.steps import build, package, stage, strip, verify
from doit_cargo.steps import toolchain as toolchain_step
from doit_cargo.tools.run.content_index import FileIndex
from doit_cargo.tools.run.session import Session


class Step(Protocol):
    """A stage of the pipeline: a module with a name, a line about it, and its tasks."""

    NAME: str
    SUMMARY: str

    def specs(self, ctx: Context, session: Session) -> Iterable[TaskSpec]:
        """The step's tasks for every target, each target's in dependency order."""


STEPS: tuple[Step, ...] = (toolchain_step, build, strip, verify, package, stage)
_OVER_ALL = ("index", "push")  # the steps whose tasks are for all architectures at once


def image_steps() -> tuple[Step, ...]:
    """What follows on the build context; imported where a command can ask for it."""
    from doit_cargo.steps import image, index, push, smoke, verify_image  # noqa: PLC0415

    return (image, verify_image, smoke, index, push)


_NO_PLUGINS = (
    "doit-cargo's plugins are not loaded: doit reads them from the pyproject.toml or doit.cfg of "
    "the folder it is started in. Start it there, without -f and -k; `doit-cargo init` writes one"
)


class Pipeline(NamedTuple):
    """What the run command needs beside the tasks."""

    ctx: Context
    session: Session


def load(dodo_file: str) -> tuple[dict[str, Any], Callable[[], Iterator[Task]]]:
    """DOIT_CONFIG and the task creator, for a dodo.py of three lines.

    Starts no process and writes nothing. Raises InvalidDodoFile with every fault at once.
    """
    if "doit_cargo.doit_ext.state" not in sys.modules:
        raise InvalidDodoFile(_NO_PLUGINS)
    root = Path(dodo_file).resolve().parent
    try:
        pipeline = Pipeline(ctx=chosen_context(root), session=Session())
    except SetupError as error:
        raise InvalidDodoFile(str(error)) from None
    checker = ContentChecker(FileIndex(pipeline.ctx.config.state / "index.json"))

    def task_cargo() -> Iterator[Task]:
        return doit_tasks(specs(pipeline, wanted_steps(pipeline.ctx)), checker)

    return doit_config(pipeline, checker), task_cargo


def doit_config(pipeline: Pipeline, checker: ContentChecker) -> dict[str, Any]:
    """The settings of doit that no user chooses on the command line."""
    return {
        "backend": "doit-cargo",
        "codec_cls": "json",
        "dep_file": str(pipeline.ctx.config.state / "state.sqlite3"),
        "check_file_uptodate": checker,
        "default_tasks": default_tasks(pipeline.ctx),
        "sort": "definition",
        "pipeline": pipeline,
    }


def default_tasks(ctx: Context) -> list[str]:
    """What `doit` alone runs, with all that it depends on: the last one comes last in STEPS."""
    images = ctx.config.images
    return ["stage", *(["image"] if images and images.default else [])]


def wanted_steps(ctx: Context) -> tuple[Step, ...]:
    """The steps that a command must know: a run of the default tasks none behind the last."""
    if not Selection.defaults:
        return (*STEPS, *image_steps())
    last = default_tasks(ctx)[-1]
    steps = STEPS if last == "stage" else (*STEPS, *image_steps())
    return steps[: [step.NAME for step in steps].index(last) + 1]


def specs(pipeline: Pipeline, steps: Iterable[Step]) -> Iterator[TaskSpec]:
    """Every task in order: for each step its group, a group an architecture, and its tasks.

    The tasks of a step that works on all architectures at once are the group's own.
    """
    targets = pipeline.ctx.config.targets
    for step in steps:
        tasks = tuple(step.specs(pipeline.ctx, pipeline.session))
        if not tasks:  # the configuration does not ask for any
            continue
        if step.NAME in _OVER_ALL:
            yield TaskSpec(name=step.NAME, doc=step.SUMMARY, after=tuple(t.name for t in tasks))
            yield from tasks
            continue
        chosen = tuple(f"{step.NAME}:{target.arch}" for target in targets if target.default)
        yield TaskSpec(name=step.NAME, doc=step.SUMMARY, after=chosen)
        for target in targets:
            yield from _architecture(step, target, tasks)


def _architecture(step: Step, target: Target, tasks: tuple[TaskSpec, ...]) -> Iterator[TaskSpec]:
    """`build:x86_64` and what is in it; a step may have a single task of that name instead."""
    name = f"{step.NAME}:{target.arch}"
    members = tuple(spec for spec in tasks if spec.group == name)
    if members:
        after = tuple(spec.name for spec in members)
        yield TaskSpec(
            name=name, doc=f"{step.SUMMARY} ({target.arch})", after=after, group=step.NAME
        )
    yield from members or (spec for spec in tasks if spec.name == name)
