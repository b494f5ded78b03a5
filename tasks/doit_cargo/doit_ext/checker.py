"""doit's view of files: content decides, taken once a run and before anything is executed."""

from __future__ import annotations

import inspect
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from doit.dependency import FileChangedChecker

from doit_cargo.core.record import digest
from doit_cargo.core.task import TaskSpec
from doit_cargo.tools.run import input_state
from doit_cargo.tools.run.content_index import NO_FILE, TICKS_NS, FileIndex, Signature, signature
from doit_cargo.tools.run.ownership import foreign


class ContentChecker(FileChangedChecker):
    """Compares files by SHA-256.

    A dependency's identity is pinned when it is first looked at, which is before its task (and
    cargo) starts; that same identity is saved when the task has ended. So an edit that is made
    in between is seen by the next run. What a task has written is unpinned (`forget`).
    """

    def __init__(self, index: FileIndex) -> None:
        self.index = index
        self._pinning = False
        self._pinned: dict[str, str] = {}
        self._seen: dict[str, Signature | None] = {}
        self._made: set[str] = set()  # what tasks of this run have written

    def __call__(self) -> ContentChecker:
        """Doit makes its checker by calling a class: it gets this one."""
        return self

    @contextmanager
    def pinning(self) -> Iterator[None]:
        """For the pipeline's own tasks: what is asked here is asked of pinned identities.

        The tasks of others see each file as it is when they are asked, as in stock doit.
        """
        self._pinning = True
        try:
            yield
        finally:
            self._pinning = False

    def info(self, file_path: str) -> Any:
        """The file's stat; of one of ours None where its content is known, or it is gone.

        A task of ours whose input is gone runs and says so itself: others wait for its word.
        """
        if not self._pinning:
            return os.stat(file_path)
        if file_path in self._pinned:
            return None
        try:
            return os.stat(file_path)
        except FileNotFoundError:
            return None

    def check_modified(self, file_path: str, file_stat: Any, state: Any) -> bool:
        """True unless the content is that of the last successful run."""
        if not self._pinning:
            return bool(self.index.sha256(file_path, file_stat) != input_state.content(state))
        try:
            return bool(self.pin(file_path, file_stat) != input_state.content(state))
        except FileNotFoundError:
            return True

    def get_state(self, dep: str, current_state: Any) -> str | None:
        """The identity to be saved for a dependency (None: as it was)."""
        if not self._pinning:
            sha = self.index.sha256(dep)
            return None if sha == current_state else sha
        new = sha = self.pin(dep)
        before = str(current_state)
        if self._seen.get(dep) != _signature(dep):
            again = before == input_state.UNSURE or input_state.is_self_written(before)
            known = again and sha != input_state.UNSURE
            new = input_state.self_written(sha) if known else input_state.UNSURE
        elif before == input_state.self_written(sha):
            new = before
        return None if new == current_state else new

    def pin(self, path: str, found: os.stat_result | None = None) -> str:
        """The file's SHA-256, from now on the same in this run."""
        if path not in self._pinned:
            found = found or os.stat(path)
            self._pinned[path] = self.index.sha256(path, found, settle=path not in self._made)
            self._seen[path] = signature(found)
        return self._pinned[path]

    def look(self, paths: Iterable[str]) -> None:
        """Pin these for a task that is going to run; what can't be read is for it to say."""
        for path in paths if self._pinning else ():
            if path not in self._pinned:
                with suppress(OSError):
                    self.pin(path)

    def discover(self, paths: Iterable[str], since: int) -> None:
        """These were found to be inputs after they were read.

        One that was changed since (nanoseconds of the epoch) may have been read before that:
        whatever it holds now, the next run takes it for changed.
        """
        for path in paths:
            if path not in self._pinned and _changed_after(path, since - TICKS_NS):
                self._pinned[path] = input_state.UNSURE

    def forget(self, paths: Iterable[str]) -> None:
        """These files were just written."""
        for path in paths:
            self._pinned.pop(path, None)
            self._made.add(path)

    def output_state(self, path: str) -> list[Any] | None:
        """[mode, SHA-256] of an output now; None if it isn't a plain file of its own."""
        try:
            found = os.lstat(path)
            regular = _regular(found)
            sha = self.index.sha256(path, found, settle=False) if regular else NO_FILE
        except OSError:
            return None
        return None if sha == NO_FILE else [found.st_mode, sha]


class Intact:
    """doit's `uptodate` of a task: its outputs and all that is no file are as it left them."""

    # doit asks for the signature at each check, which takes longer than the check
    __signature__ = inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
            for name in ("task", "values")
        ]
    )

    def __init__(self, spec: TaskSpec, checker: ContentChecker) -> None:
        self.spec = spec
        self.checker = checker

    def __repr__(self) -> str:
        """What `doit info` says where it is not so."""
        return "its settings, and what it wrote last"

    def __call__(self, task: Any, values: dict[str, Any]) -> bool:
        """False if the fingerprint changed, an output was touched or a foreign file appeared.

        Doit asks this first: of an input that it knows nothing of it asks no more than that.
        """
        self.checker.look(task.file_dep)
        task.value_savers[:] = [partial(self._save, task)]
        known = {key: values.get(key) for key in ("fingerprint", "outputs")}
        if self.spec.always or known != self.state() or foreign(self.spec):
            return False
        return self.spec.present is None or self.spec.present()

    def _save(self, task: Any) -> dict[str, Any]:
        """What is saved beside the dependencies; doit's `result_dep` compares the outputs."""
        state = self.state()
        task.result = digest(state["outputs"])
        if self.spec.settings is None:
            return state
        from doit_cargo.core import why

        return {**state, "settings": dict(why.settings(self.spec.settings()))}

    def state(self) -> dict[str, Any]:
        """What is saved beside the dependencies."""
        states = {
            str(path): self.checker.output_state(str(path))
            for path in (*self.spec.outputs, *self.spec.made())
        }
        return {"fingerprint": self.spec.fingerprint, "outputs": states}


def _changed_after(path: str, moment: int) -> bool:
    """An absent file has just been removed."""
    try:
        return os.stat(path).st_ctime_ns >= moment
    except FileNotFoundError:
        return True


def _signature(path: str) -> Signature | None:
    try:
        return signature(os.stat(path))
    except OSError:
        return None


def _regular(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode)
