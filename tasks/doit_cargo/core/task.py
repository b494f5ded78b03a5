"""A task as a value, and what its action found out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from doit_cargo.core import record
from doit_cargo.core.model import RELEASE


class Sighting(NamedTuple):
    """What a smoke test saw: the `answer` (`http 200`, `exit 0`, `listening`, or nothing).

    `relro` is what `elf.mapped` says of the running program, "" of one that was not looked at.
    `isolation` says where the program ran: a word of `smoke.namespaces`, or `docker`. `seconds` is
    how long all of it took.
    """

    answer: str
    isolation: str
    seconds: float
    relro: str = ""


class Outcome(NamedTuple):
    """What an action found out. The reporter, the event log and the records put it into words.

    `size` (bytes), `files` (their number) and `digest` are of what was made or checked; `names`
    are what it is called: references, tags, platforms. `discovered` are paths that turned out to
    be inputs, `no_longer` those that are none any more. `warnings` and `removed` (paths) hold an
    item a thing. `seen` is a smoke test's.
    """

    size: int = 0
    files: int = 0
    digest: str = ""
    names: tuple[str, ...] = ()
    discovered: tuple[str, ...] = ()
    no_longer: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    seen: Sighting | None = None

    def encode(self) -> dict[str, Any]:
        """As JSON has it, without what is empty; inputs are the state's own affair."""
        kept = self._replace(discovered=(), no_longer=())
        seen = {"seen": self.seen._asdict()} if self.seen else {}
        return {key: value for key, value in kept._asdict().items() if value} | seen


def saved_size(encoded: object) -> int:
    """The size in an encoded outcome that comes from the state, which may hold anything."""
    return record.typed(encoded, "size", int) or 0 if isinstance(encoded, dict) else 0


_PROFILE = " profile="


class OwnName(str):
    """The name of a task of the pipeline, as doit hands it on: only a run may say it is done.

    `row` is its name in the state, where each cargo profile has a row of its own.
    """

    __slots__ = ("row",)
    row: str

    def __new__(cls, name: str, profile: str = RELEASE) -> Self:
        """Name the task as one of that profile."""
        self = super().__new__(cls, name)
        self.row = name if profile == RELEASE else f"{name}{_PROFILE}{profile}"
        return self


def plain(row: str) -> str:
    """Give the name of the task of a row."""
    return row.partition(_PROFILE)[0]


def task_name(stage: str, arch: str = "", subject: str = "") -> str:
    """The name of a task: `build:x86_64:bot_server`, `stage:x86_64`, `push:bot`, `build`."""
    return ":".join(filter(None, (stage, arch, subject)))


class TaskSpec(NamedTuple):
    """A task as a value: what doit is told about it.

    `stage` is the step, `arch` the target's short name (empty: of all targets) and `subject` what
    the task is about: a crate of `build`, else a binary (empty: all of the target's).
    `inputs` are the file dependencies and `outputs` the targets (paths); `fingerprint` stands for
    all that is no file (argv, environment, policy) and makes the task run when it changes;
    `settings` names what it was taken of, so that a change can be told.
    `action` does the work and raises PipelineError when it fails. `group` is the task that this
    one is listed under. `owns` is a folder in which only inputs, outputs and what was `made` may
    lie. `present` tells whether what is no file (an image) is still there; it is asked last.
    `asks`: a build script must be asked before the task is up to date. `always`: it never is.
    `programs` must be on PATH before anything runs. `ships`: what it makes is for other machines.
    A task without an action is a group.
    """

    stage: str
    doc: str
    arch: str = ""
    subject: str = ""
    action: Callable[[], Outcome | None] | None = None
    inputs: tuple[Path | str, ...] = ()
    outputs: tuple[Path, ...] = ()
    after: tuple[str, ...] = ()
    fingerprint: str = ""
    settings: Callable[[], Mapping[str, object]] | None = None
    group: str | None = None
    owns: Path | None = None
    made: Callable[[], Iterable[str]] = tuple
    present: Callable[[], bool] | None = None
    asks: bool = False
    always: bool = False
    programs: tuple[str, ...] = ()
    ships: bool = False

    @property
    def name(self) -> str:
        """The task's name."""
        return task_name(self.stage, self.arch, self.subject)
