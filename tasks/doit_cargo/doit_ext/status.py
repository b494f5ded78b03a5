"""Whether a task of ours is up to date, and every reason why not.

As doit's `Dependency.get_status` with its log on finds it (a test compares the two). doit asks its
backend and its checker for each file; here the state is asked once a task: for ten thousand crates
that is a third of a run with nothing to do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from doit.dependency import Dependency, DependencyStatus

from doit_cargo.doit_ext.checker import ContentChecker
from doit_cargo.doit_ext.tasks import StepTask
from doit_cargo.tools.run import input_state

Reasons = Iterator[tuple[str, Any]]


def status_of(task: StepTask, manager: Dependency) -> DependencyStatus:
    """Look at the task's settings, outputs and inputs; sets `task.dep_changed`.

    To be called while the manager's checker is pinning. A group is never up to date.
    """
    found, checker = DependencyStatus(get_log=True), manager.checker
    saved = manager.backend.saved(task.name)
    task.dep_changed = []
    if not task.uptodate:
        found.set_reason("has_no_dependencies", arg=True)
    for check, *arguments in task.uptodate:
        if not check(task, saved.get("_values_:") or {}):
            found.add_reason("uptodate_false", (check, *arguments))
    for path in task.targets:
        if not os.path.exists(path):
            found.add_reason("missing_target", path)
    if saved.get("checker:") not in {None, type(checker).__name__}:
        found.set_reason("checker_changed", (saved["checker:"], type(checker).__name__))
        manager.remove(task.name)
        saved = {}
    for reason, paths in _inputs(task, saved, checker):
        found.set_reason(reason, paths)
    return found


def _inputs(task: StepTask, saved: Mapping[str, Any], checker: ContentChecker) -> Reasons:
    known = set(saved.get("deps:") or ())
    if known and known != task.file_dep:
        yield "added_file_dep", sorted(task.file_dep - known)
        yield "removed_file_dep", sorted(known - task.file_dep)
    task.dep_changed = [path for path in task.file_dep if _is_changed(path, saved, checker)]
    if task.dep_changed:
        yield "changed_file_dep", task.dep_changed


def _is_changed(path: str, saved: Mapping[str, Any], checker: ContentChecker) -> bool:
    """An input that can't be read is for the task to tell."""
    try:
        return checker.pin(path) != input_state.content(saved.get(path))
    except OSError:
        return True
