"""The table of contents: the ordered steps, from the toolchain to the registry."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, cast

from doit.exceptions import InvalidDodoFile
from doit.task import Task

from doit_cargo.core import layout
from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import Context, Target
from doit_cargo.core.task import TaskSpec, task_name
from doit_cargo.doit_ext.checker import ContentChecker
from doit_cargo.doit_ext.selection import Selection, selected_context
from doit_cargo.doit_ext.tasks import doit_tasks
from doit_cargo.tools.run.content_index import FileIndex
from doit_cargo.tools.run.session import Session

# A module of steps/ each, in the order of the pipeline. One is imported when a command can ask
# for it: a run of the default tasks knows nothing of what comes after them.
STEPS: Final = (
    "toolchain",  # one digest of what every build depends on: compiler, std, linker, settings
    "build",  # one cargo a target compiles what is stale; a task a crate
    "strip",  # with split_debug: symbols go into a file of their own
    "verify",  # two ELF readers and config/policy.yaml judge every executable
    "package",  # verified bytes, MANIFEST.txt and SHA256SUMS in docker/binaries
    "stage",  # the Docker build context, docker/context
    "image",  # an image a binary and platform, by buildah or Docker
    "verify_image",  # every layer is read back and checked
    "smoke",  # every image is started, probed and stopped
    "index",  # an OCI index a binary over all platforms, docker/images
    "push",  # to the registry: by digest, then the tags
)


class Step(Protocol):
    """A stage of the pipeline: a module with a name, a line about it, and its tasks."""

    NAME: str
    SUMMARY: str

    def specs(self, ctx: Context, session: Session) -> Iterable[TaskSpec]:
        """The step's tasks for every target, each target's in dependency order."""


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
        pipeline = Pipeline(ctx=selected_context(root), session=Session())
    except SetupError as error:
        raise InvalidDodoFile(str(error)) from None
    checker = ContentChecker(FileIndex(layout.content_index(pipeline.ctx.config)))

    def task_cargo() -> Iterator[Task]:
        return doit_tasks(specs(pipeline, wanted_steps(pipeline.ctx)), checker)

    return doit_config(pipeline, checker), task_cargo


def doit_config(pipeline: Pipeline, checker: ContentChecker) -> dict[str, Any]:
    """The settings of doit that no user chooses on the command line."""
    return {
        "backend": "doit-cargo",
        "codec_cls": "json",
        "dep_file": str(layout.state_database(pipeline.ctx.config)),
        "check_file_uptodate": checker,
        "default_tasks": default_tasks(pipeline.ctx),
        "sort": "definition",
        "pipeline": pipeline,
    }


def default_tasks(ctx: Context) -> list[str]:
    """What `doit` alone runs, with all that it depends on: the last one comes last in STEPS."""
    images = ctx.config.images
    return ["stage", *(["image"] if images and images.default else [])]


def wanted_steps(ctx: Context) -> tuple[str, ...]:
    """The steps that a command must know: a run of the default tasks none behind the last."""
    if not Selection.defaults:
        return STEPS
    return STEPS[: STEPS.index(default_tasks(ctx)[-1]) + 1]


def specs(pipeline: Pipeline, steps: Iterable[str]) -> Iterator[TaskSpec]:
    """Every task in order: for each step its group, a group an architecture, and its tasks.

    The tasks of a step that works on all architectures at once are the group's own.
    """
    for name in steps:
        step = cast("Step", import_module(f"doit_cargo.steps.{name}"))
        tasks = tuple(step.specs(pipeline.ctx, pipeline.session))
        if not tasks:  # the configuration does not ask for any
            continue
        if any(task.arch for task in tasks):
            yield from _by_architecture(step, pipeline.ctx.config.targets, tasks)
        else:
            yield _group(step, tasks)
            yield from tasks


def _by_architecture(
    step: Step, targets: Iterable[Target], tasks: tuple[TaskSpec, ...]
) -> Iterator[TaskSpec]:
    """`build`, `build:x86_64` and what is in it; or a single task of that name instead."""
    defaults = tuple(task_name(step.NAME, target.arch) for target in targets if target.default)
    yield TaskSpec(stage=step.NAME, doc=step.SUMMARY, after=defaults)
    for target in targets:
        members = tuple(task for task in tasks if task.arch == target.arch)
        if len(members) != 1 or members[0].name != task_name(step.NAME, target.arch):
            yield _group(step, members, target.arch)
        yield from members


def _group(step: Step, tasks: Iterable[TaskSpec], arch: str = "") -> TaskSpec:
    return TaskSpec(
        stage=step.NAME,
        arch=arch,
        doc=f"{step.SUMMARY} ({arch})" if arch else step.SUMMARY,
        after=tuple(task.name for task in tasks),
        group=step.NAME if arch else None,
    )
