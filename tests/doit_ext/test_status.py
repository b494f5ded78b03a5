"""The status of our tasks is what doit's own `get_status` finds with its log on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from doit.dependency import Dependency, DependencyStatus, JSONCodec
from doit.task import Stream

from doit_cargo.core.task import TaskSpec
from doit_cargo.doit_ext.checker import ContentChecker
from doit_cargo.doit_ext.state import TaskStore
from doit_cargo.doit_ext.status import status_of
from doit_cargo.doit_ext.tasks import StepTask, doit_tasks
from doit_cargo.tools.run.content_index import FileIndex
from helpers.seals import SEAL


class Place(NamedTuple):
    """A folder, and the spec of a task that has run there once."""

    root: Path
    spec: TaskSpec

    def file(self, name: str) -> Path:
        return self.root / name


def nothing(place: Place) -> TaskSpec:
    return place.spec


def edited(place: Place) -> TaskSpec:
    place.file("a").write_text("edited")
    return place.spec


def gone(place: Place) -> TaskSpec:
    place.file("a").unlink()
    return place.spec


def below_a_file(place: Place) -> TaskSpec:
    return place.spec._replace(inputs=(place.file("a") / "below",))


def added_and_removed(place: Place) -> TaskSpec:
    place.file("c").write_text("c")
    return place.spec._replace(inputs=(place.file("a"), place.file("c")))


def no_output(place: Place) -> TaskSpec:
    place.file("made").unlink()
    return place.spec


def altered_output(place: Place) -> TaskSpec:
    place.file("made").write_text("altered")
    return place.spec


def other_settings(place: Place) -> TaskSpec:
    return place.spec._replace(fingerprint="2")


def never_run(place: Place) -> TaskSpec:
    return place.spec._replace(subject="b")


def everything(place: Place) -> TaskSpec:
    edited(place)
    no_output(place)
    return added_and_removed(place)._replace(fingerprint="2")


def a_group(place: Place) -> TaskSpec:
    return TaskSpec("verify", "", after=(place.spec.name,))


class OtherChecker(ContentChecker):
    """A checker of another name."""


SITUATIONS: dict[str, tuple[Callable[[Place], TaskSpec], str]] = {
    "nothing changed": (nothing, "up-to-date"),
    "an input edited": (edited, "run"),
    "an input gone": (gone, "run"),
    "inputs added and removed": (added_and_removed, "run"),
    "an output gone": (no_output, "run"),
    "an output altered": (altered_output, "run"),
    "other settings": (other_settings, "run"),
    "never run": (never_run, "run"),
    "everything": (everything, "run"),
    "a group": (a_group, "run"),
}


def write(path: Path) -> None:
    path.write_text("made")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    for name in "ab":
        (tmp_path / name).write_text(name)
    made = tmp_path / "made"
    spec = TaskSpec(
        "verify",
        "",
        subject="a",
        action=lambda: write(made),
        inputs=(tmp_path / "a", tmp_path / "b"),
        outputs=(made,),
        fingerprint="1",
    )
    checker = ContentChecker(FileIndex(tmp_path / "index", SEAL))
    (task,) = tasks(spec, checker)
    manager = managed(tmp_path, checker)
    manager.backend.open_for_results()
    with checker.pinning():
        status_of(task, manager)
        assert task.execute(Stream(0)) is None
        task.save_extra_values()
        manager.save_success(task)
    manager.close()
    return Place(tmp_path, spec)


def tasks(spec: TaskSpec, checker: ContentChecker) -> list[StepTask]:
    return [task for task in doit_tasks([spec], checker) if isinstance(task, StepTask)]


def managed(root: Path, checker: ContentChecker) -> Dependency:
    return Dependency(TaskStore, str(root / "state"), checker_cls=checker, codec_cls=JSONCodec)


def asked(
    place: Place,
    spec: TaskSpec,
    ask: Callable[[StepTask, Dependency], DependencyStatus],
    kind: type[ContentChecker] = ContentChecker,
) -> tuple[str, dict[str, Any], list[str]]:
    """The answer, in a form that can be compared."""
    checker = kind(FileIndex(place.file("index"), SEAL))
    (task,) = tasks(spec, checker)
    manager = managed(place.root, checker)
    with checker.pinning():
        found = ask(task, manager)
    manager.close()
    reasons = {key: compared(key, value) for key, value in found.reasons.items()}
    return found.status, reasons, sorted(task.dep_changed)


def compared(reason: str, value: list[str] | bool) -> object:
    if reason == "uptodate_false":
        return bool(value)
    return value if isinstance(value, bool) else sorted(value)


def by_doit(task: StepTask, manager: Dependency) -> DependencyStatus:
    return manager.get_status(task, {}, get_log=True)


@pytest.mark.parametrize(("act", "status"), SITUATIONS.values(), ids=SITUATIONS.keys())
def test_as_doit_says(place: Place, act: Callable[[Place], TaskSpec], status: str) -> None:
    spec = act(place)
    ours = asked(place, spec, status_of)

    assert ours[0] == status
    assert ours == asked(place, spec, by_doit)


def test_a_state_of_another_checker_is_forgotten(place: Place) -> None:
    ours = asked(place, place.spec, status_of, OtherChecker)

    assert ours[0] == "run"
    assert ours[1]["checker_changed"] == ["ContentChecker", "OtherChecker"]


def test_an_input_that_cannot_be_looked_at_is_the_tasks_to_tell(place: Place) -> None:
    """Doit would end with an error of its own."""
    ours = asked(place, below_a_file(place), status_of)

    assert ours[0] == "run"
    assert ours[2] == [str(place.file("a") / "below")]
