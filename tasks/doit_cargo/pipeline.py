"""The table of contents: the ordered steps, from the toolchain to the registry."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol, cast

from doit.exceptions import InvalidDodoFile
from doit.task import Task

from doit_cargo.core import layout, purposes, short_names
from doit_cargo.core.errors import SetupError, StartOver
from doit_cargo.core.model import Context, Target
from doit_cargo.core.task import TaskSpec, task_name
from doit_cargo.core.text import plain
from doit_cargo.core.workspace.crates import is_same, load_graph
from doit_cargo.doit_ext.checker import ContentChecker
from doit_cargo.doit_ext.selection import Selection, selected_context
from doit_cargo.doit_ext.tasks import doit_tasks, renew
from doit_cargo.tools.key import seal
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
    """A stage of the pipeline: a module with its name (see `core/purposes.py`) and its tasks."""

    NAME: str

    def specs(self, ctx: Context, session: Session) -> Iterable[TaskSpec]:
        """The step's tasks for every target, each target's in dependency order."""


_PURPOSES = {**purposes.STAGES, **purposes.INTERNAL_STAGES}
_PREFIX = "[A-Za-z0-9_][A-Za-z0-9_-]*"
_NO_PLUGINS = (
    "doit-cargo's plugins are not loaded: doit reads them from the pyproject.toml or doit.cfg of "
    "the folder it is started in. Start it there, without -f and -k; `doit-cargo init` writes one"
)


class Pipeline:
    """One dodo.py's tasks, and what the run command needs beside them.

    `prefix` stands before the names of all of them: `rust` makes `rust-build:x86_64`.
    """

    def __init__(self, ctx: Context, prefix: str = "") -> None:
        self.ctx = ctx
        self.session = Session()
        index = FileIndex(layout.content_index(ctx.config), seal(ctx.config.outputs.state))
        self.checker = ContentChecker(index)
        self._prefix = f"{prefix}-" if prefix else ""

    def tasks(self) -> Iterator[Task]:
        """Those that the command can ask for, as far as this pipeline's own tasks tell."""
        return self._tasks(wanted_steps(self.ctx))

    def rest(self) -> list[Task]:
        """The others: a task of the user's own may depend on any of them."""
        return list(self._tasks(STEPS[len(wanted_steps(self.ctx)) :]))

    def refresh(self, builds: Iterable[Task]) -> None:
        """Read the sources again, which another's task may have written.

        Raises StartOver if it has changed what there is to build.
        """
        config = self.ctx.config
        graph = load_graph(config.workspace, self.ctx.env, made=config.filled.values())
        if not is_same(graph, self.ctx.graph):
            raise StartOver("a task has changed the workspace's manifests or cargo's configuration")
        found = {spec.name: spec for spec in specs(self.ctx, self.session, ("toolchain", "build"))}
        for task in builds:
            renew(task, found)

    def meant(self, name: str) -> tuple[str, ...]:
        """The tasks that a short name, or one without the prefix, stands for."""
        tasks = short_names.tasks_of(self.ctx, name) or ((name,) if self._prefix else ())
        return tuple(f"{self._prefix}{task}" for task in tasks)

    def names(self) -> tuple[str, ...]:
        """What a short name may be."""
        return short_names.known(self.ctx)

    def config(self) -> dict[str, Any]:
        """The settings of doit that no user chooses on the command line."""
        return {
            "backend": "doit-cargo",
            "codec_cls": "json",
            "dep_file": str(layout.state_database(self.ctx.config)),
            "check_file_uptodate": self.checker,
            "default_tasks": [f"{self._prefix}{name}" for name in default_tasks(self.ctx)],
            "sort": "definition",
            "pipeline": self,
        }

    def _tasks(self, steps: Iterable[str]) -> Iterator[Task]:
        found, profile = specs(self.ctx, self.session, steps), self.ctx.config.profile
        return doit_tasks(found, self.checker, self._prefix, profile)


def load(
    dodo_file: str, *, prefix: str = ""
) -> tuple[dict[str, Any], Callable[[], Iterator[Task]]]:
    """DOIT_CONFIG and the task creator, for a dodo.py of three lines.

    `prefix` goes before the tasks' names, where they would be those of other tasks there.
    Starts no process and writes nothing. Raises InvalidDodoFile with every fault at once.
    """
    if "doit_cargo.doit_ext.state" not in sys.modules:
        raise InvalidDodoFile(_NO_PLUGINS)
    if prefix and not re.fullmatch(_PREFIX, prefix):
        raise InvalidDodoFile(f"load(prefix={prefix!r}): use only letters, digits, - and _")
    try:
        pipeline = Pipeline(selected_context(Path(dodo_file).resolve().parent), prefix)
    except SetupError as error:
        raise InvalidDodoFile(plain(str(error))) from None  # doit prints it as it is

    def task_cargo() -> Iterator[Task]:
        return pipeline.tasks()

    return pipeline.config(), task_cargo


def default_tasks(ctx: Context) -> list[str]:
    """What `doit` alone runs, with all that it depends on: the last one comes last in STEPS."""
    images = ctx.config.images
    return ["stage", *(["image"] if images and images.default else [])]


def wanted_steps(ctx: Context) -> tuple[str, ...]:
    """The steps that a command must know: a run of the default tasks none behind the last."""
    if not Selection.defaults:
        return STEPS
    return STEPS[: STEPS.index(default_tasks(ctx)[-1]) + 1]


def specs(ctx: Context, session: Session, steps: Iterable[str]) -> Iterator[TaskSpec]:
    """Every task in order: for each step its group, a group an architecture, and its tasks.

    The tasks of a step that works on all architectures at once are the group's own.
    """
    for name in steps:
        step = cast("Step", import_module(f"doit_cargo.steps.{name}"))
        tasks = tuple(step.specs(ctx, session))
        if not tasks:  # the configuration does not ask for any
            continue
        if any(task.arch for task in tasks):
            yield from _by_architecture(step, ctx.config.targets, tasks)
        else:
            yield _group(step, tasks)
            yield from tasks


def _by_architecture(
    step: Step, targets: Iterable[Target], tasks: tuple[TaskSpec, ...]
) -> Iterator[TaskSpec]:
    """`build`, `build:x86_64` and what is in it; or a single task of that name instead."""
    defaults = tuple(task_name(step.NAME, target.arch) for target in targets if target.default)
    yield TaskSpec(stage=step.NAME, doc=_PURPOSES[step.NAME], after=defaults)
    for target in targets:
        members = tuple(task for task in tasks if task.arch == target.arch)
        if len(members) != 1 or members[0].name != task_name(step.NAME, target.arch):
            yield _group(step, members, target.arch)
        yield from members


def _group(step: Step, tasks: Iterable[TaskSpec], arch: str = "") -> TaskSpec:
    purpose = _PURPOSES[step.NAME]
    return TaskSpec(
        stage=step.NAME,
        arch=arch,
        doc=f"{purpose} ({arch})" if arch else purpose,
        after=tuple(task.name for task in tasks),
        group=step.NAME if arch else None,
    )
