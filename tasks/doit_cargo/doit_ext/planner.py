"""Decides before the first task runs what cargo has to compile, and what it must forget.

doit asks each task for its status when its turn comes; cargo must know all of it at the start.
So the status of every selected build is asked here, in dependency order, and staleness is passed
along the edges: an upstream's record will have changed by the time its dependents are asked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from doit.task import Task

from doit_cargo.core import layout
from doit_cargo.core.cargo import command
from doit_cargo.core.model import Context
from doit_cargo.core.record import digest, read
from doit_cargo.core.task import TaskSpec
from doit_cargo.core.workspace import vendored
from doit_cargo.doit_ext.checker import ContentChecker
from doit_cargo.doit_ext.tasks import spec_of
from doit_cargo.tools.run.plan import Plan

# What all crates depend on but for cargo's configuration, which may set variables.
_NO_ENV = ("Cargo.toml", "Cargo.lock", "rust-toolchain", "rust-toolchain.toml", vendored.LIST)

Status = Callable[[Task], Any]
_STAGES = frozenset({"toolchain", "build"})


class Why(NamedTuple):
    """Why a task is rebuilt: files that changed, tasks below it that are rebuilt."""

    changed: tuple[str, ...] = ()
    below: tuple[str, ...] = ()


def is_planned(spec: TaskSpec) -> bool:
    """Whether a plan decides if the task runs: cargo must know of it at the start."""
    return spec.stage in _STAGES and spec.action is not None


class Planner:
    """Makes the plans of a run from the selected tasks, given in dependency order."""

    def __init__(self, ctx: Context, checker: ContentChecker, status: Status) -> None:
        self._ctx = ctx
        self._checker = checker
        self._status = status
        self._found: dict[str, Any] = {}  # spec → the status that it was found to have
        self._stale: dict[str, str] = {}  # doit's name of a task → the digest of its inputs
        self._asked: set[tuple[str, str]] = set()  # crates whose build scripts were asked
        self._changed: set[tuple[str, str]] = set()  # those that say something else
        self.digests: dict[str, str] = {}  # the same by the spec's name
        self.why: dict[str, Why] = {}  # by doit's name

    def plans(self, tasks: Iterable[Task], *, always: bool, ask: bool = True) -> tuple[Plan, ...]:
        """A plan for each target that has something to compile.

        Without `ask` no build script is started: those that a run would ask count as unchanged.
        """
        plans = {target.arch: Plan(target) for target in self._ctx.config.targets}
        found = [
            (task, spec)
            for task in tasks
            if (spec := spec_of(task)) and is_planned(spec) and not self.knows(spec)
        ]
        for task, spec in found:
            self._found[spec.name] = self._status(task)
        if ask and not always and any(spec.asks for _, spec in found):
            self._ask(found)
        for task, spec in found:
            self._add(task, spec, plans[spec.arch], always=always)
        return tuple(plan for plan in plans.values() if plan.crates)

    def _ask(self, found: Iterable[tuple[Task, TaskSpec]]) -> None:
        """Have the build scripts say it again that want to, of crates with nothing else to do."""
        from doit_cargo.tools.run.rerun import Question, changed

        targets = {target.arch: target for target in self._ctx.config.targets}
        stale: set[str] = set()
        questions: list[Question] = []
        for task, spec in found:
            upstream = not stale.isdisjoint(task.task_dep)
            if upstream or self._found[spec.name].status != "up-to-date":
                stale.add(task.name)
            elif spec.asks:
                questions.append(Question(targets[spec.arch], spec.subject))
        if questions:
            self._asked |= {(question.target.arch, question.crate) for question in questions}
            self._changed |= changed(self._ctx, questions)

    def knows(self, spec: TaskSpec) -> bool:
        """Whether the task has been planned."""
        return spec.name in self._found

    def is_current(self, task: Task) -> bool:
        """Whether a planned task has nothing to do."""
        spec = spec_of(task)
        return spec is not None and self.knows(spec) and task.name not in self._stale

    def answer(self, task: Task) -> Any:
        """The status of a task of ours: what was planned stays so for the whole run."""
        spec = spec_of(task)
        return (self._found.get(spec.name) if spec else None) or self._status(task)

    def _add(self, task: Task, spec: TaskSpec, plan: Plan, *, always: bool) -> None:
        status = self._found[spec.name]
        who = (spec.arch, spec.subject)
        changed = who in self._changed
        upstream = not self._stale.keys().isdisjoint(task.task_dep)
        if not (always or changed or upstream or status.status != "up-to-date"):
            plan.asked.update([spec.subject] * (who in self._asked))
            return
        below = (name for name in task.task_dep if name in self._stale)
        self.why[task.name] = Why(tuple(sorted(self._files(status.reasons))), tuple(below))
        status.status = "run"  # cargo makes it anew, even if its inputs are what they were
        self._stale[task.name] = self.digests[spec.name] = self._digest(task, spec)
        if spec.stage == "toolchain":
            self._judge_toolchain(task, status.reasons, plan)
        else:
            plan.crates.append(spec.subject)
            plan.dropped.update([spec.subject] * (changed or spec.asks))  # it runs in any case
            self._judge_crate(spec.subject, status.reasons, plan)

    def _digest(self, task: Task, spec: TaskSpec) -> str:
        """Over the inputs' bytes; an input that is a stale upstream's record counts by digest."""
        records = [self._stale.get(name, "") for name in task.task_dep]
        pinned = {path: self._checker.pin(path) for path in task.file_dep if os.path.exists(path)}
        return digest([records, pinned, spec.fingerprint])

    def _judge_toolchain(self, task: Task, reasons: Mapping[str, Any], plan: Plan) -> None:
        """Settings are cargo's to notice; a changed compiler or std, and our own ignorance not."""
        known = read(layout.toolchain_record(self._ctx.config, plan.target))
        identity = {str(path) for path in self._ctx.toolchains[plan.target.arch].identity}
        plan.drop_all = not known or bool(identity.intersection(task.dep_changed or ()))
        env = digest(command.readable(self._ctx, plan.target))
        plan.rerun_scripts = known.get("env") != env or bool(_settings(_changed(reasons), identity))
        plan.host = self._host(_settings(task.file_dep, identity))
        lists = _changed(reasons).intersection(map(str, self._ctx.graph.vendored))
        plan.dropped.update(map(vendored.package_of, lists))
        moved = known.get("target") != str(self._ctx.graph.target_directory)
        if moved or plan.rerun_scripts:  # a macro may have read a variable
            plan.dropped.update(self._ctx.graph.crates)

    def _host(self, settings: Iterable[str]) -> str:
        """Over what is the same for all targets, whose host units are the same ones."""
        pinned = {path: self._checker.pin(path) for path in settings if os.path.exists(path)}
        folder = str(self._ctx.graph.target_directory)
        return digest([command.readable_by_host(self._ctx), pinned, folder])

    def _judge_crate(self, crate: str, reasons: Mapping[str, Any], plan: Plan) -> None:
        """Cargo forgets a crate whose own files or outputs changed, not one whose upstream did."""
        if self._files(reasons) or reasons.get("missing_target") or reasons.get("uptodate_false"):
            plan.dropped.add(crate)

    def _files(self, reasons: Mapping[str, Any]) -> set[str]:
        """What changed but for records of ours."""
        records = f"{self._ctx.config.outputs.state}/"
        return {path for path in _changed(reasons) if not path.startswith(records)}


def _settings(paths: Iterable[str], identity: set[str]) -> set[str]:
    """Those of a toolchain's inputs that may set variables."""
    return {p for p in paths if p not in identity and os.path.basename(p) not in _NO_ENV}


def _changed(reasons: Mapping[str, Any]) -> set[str]:
    listed = ("added_file_dep", "removed_file_dep", "changed_file_dep")
    return {path for reason in listed for path in reasons.get(reason) or ()}
