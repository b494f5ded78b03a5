"""doit's view of files: content, pinned before it is used; outputs as they were left."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from doit.dependency import Dependency, JSONCodec
from doit.task import Stream, Task

from doit_cargo.core.record import digest
from doit_cargo.core.task import TaskSpec
from doit_cargo.doit_ext.checker import ContentChecker, Intact
from doit_cargo.doit_ext.state import TaskStore
from doit_cargo.doit_ext.tasks import doit_tasks
from doit_cargo.tools.run.content_index import NO_FILE, FileIndex
from doit_cargo.tools.run.input_state import UNSURE, self_written
from helpers.seals import SEAL

OLD, NEW = b"old", b"new"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Reading(FileIndex):
    """Reads every time, and waits for no tick of the kernel's clock."""

    def __init__(self) -> None:
        super().__init__(Path("/nonexistent"), SEAL)

    def sha256(self, path: str, found: os.stat_result | None = None, *, settle: bool = True) -> str:
        del found, settle
        return sha(Path(path).read_bytes()) if Path(path).is_file() else NO_FILE


@pytest.fixture
def checker() -> Iterator[ContentChecker]:
    """As it is while a task of ours is asked for its status, or saved."""
    made = ContentChecker(Reading())
    with made.pinning():
        yield made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(OLD)
    return path


def is_modified(path: Path, state: object) -> bool:
    """What the next run finds."""
    checker = ContentChecker(Reading())
    with checker.pinning():
        return checker.check_modified(str(path), checker.info(str(path)), state)


def test_doit_makes_a_checker_by_a_call_and_gets_the_one_there_is(checker: ContentChecker) -> None:
    assert checker() is checker


@pytest.mark.parametrize(
    ("state", "modified"),
    [
        (sha(OLD), False),
        (sha(NEW), True),
        (self_written(sha(OLD)), False),
        (self_written(sha(NEW)), True),
        (UNSURE, True),
        (None, True),
        ([1, 2, "md5 of another checker's"], True),
    ],
)
def test_content_decides(
    checker: ContentChecker, source: Path, state: object, *, modified: bool
) -> None:
    path = str(source)

    assert checker.check_modified(path, checker.info(path), state) is modified


def test_a_file_that_is_gone_is_modified_and_its_task_says_so(
    checker: ContentChecker, tmp_path: Path
) -> None:
    path = str(tmp_path / "{gone}")

    assert checker.info(path) is None
    assert checker.check_modified(path, None, sha(OLD))


def test_a_look_ahead_finds_what_it_can(checker: ContentChecker, source: Path) -> None:
    """What is gone is for the task to say."""
    checker.look([f"{source} gone", str(source / "below"), str(source)])
    source.write_bytes(NEW)

    assert checker.pin(str(source)) == sha(OLD)


def test_what_cannot_be_looked_at_is_an_error(checker: ContentChecker, source: Path) -> None:
    with pytest.raises(NotADirectoryError):
        checker.info(str(source / "below"))


def test_an_identity_is_pinned_until_its_task_has_written_it(
    checker: ContentChecker, source: Path
) -> None:
    path = str(source)
    first = checker.pin(path)
    source.write_bytes(NEW)
    pinned = checker.pin(path), checker.info(path), checker.check_modified(path, None, sha(OLD))
    checker.forget([path, "/never/pinned"])

    assert (first, pinned) == (sha(OLD), (sha(OLD), None, False))
    assert checker.pin(path) == sha(NEW)


def untouched(path: Path) -> None:
    del path


def edited(path: Path) -> None:
    """Also back to the same bytes: the inode, or the time of the change, is another."""
    path.unlink()
    path.write_bytes(OLD)


STATES: dict[str, tuple[object, Callable[[Path], None], object]] = {
    "never seen": (None, untouched, sha(OLD)),
    "as it was: nothing is to be saved": (sha(OLD), untouched, None),
    "new content": (sha(NEW), untouched, sha(OLD)),
    "it had been unsure": (UNSURE, untouched, sha(OLD)),
    "the build had written it, and it stays": (self_written(sha(OLD)), untouched, None),
    "the build had written it, and somebody else since": (
        self_written(sha(NEW)), untouched, sha(OLD),
    ),
    "changed meanwhile": (sha(OLD), edited, UNSURE),
    "changed meanwhile, never seen": (None, edited, UNSURE),
    "removed meanwhile": (sha(OLD), Path.unlink, UNSURE),
    "changed meanwhile twice in a row: the build does it": (UNSURE, edited, self_written(sha(OLD))),
    "and again": (self_written(sha(OLD)), edited, None),
    "and again, with other content": (self_written(sha(NEW)), edited, self_written(sha(OLD))),
}  # fmt: skip


@pytest.mark.parametrize(("before", "change", "saved"), STATES.values(), ids=STATES.keys())
def test_what_is_saved_of_an_input(
    checker: ContentChecker, source: Path, before: object, change: Callable[[Path], None],
    saved: object,
) -> None:  # fmt: skip
    """What the task was given, which is what was pinned; None keeps what was saved before."""
    checker.pin(str(source))
    change(source)

    assert checker.get_state(str(source), before) == saved


def test_a_state_of_a_file_that_never_was_is_doits_to_complain_about(
    checker: ContentChecker, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        checker.get_state(str(tmp_path / "never"), None)


FUTURE = 1 << 62


@pytest.mark.parametrize(
    ("since", "state"),
    [(FUTURE, sha(OLD)), (0, UNSURE)],
    ids=["read after its last change", "changed since the run began"],
)
def test_an_input_that_is_discovered(
    checker: ContentChecker, source: Path, since: int, state: str
) -> None:
    """Whoever edited it may have done so before or after it was read."""
    checker.discover([str(source)], since)
    saved = checker.get_state(str(source), None)

    assert saved == state
    assert is_modified(source, saved) is (state == UNSURE)


def test_an_edit_within_two_ticks_of_the_beginning_counts_as_later(
    checker: ContentChecker, source: Path
) -> None:
    began = source.stat().st_ctime_ns + 10_000_000
    checker.discover([str(source)], began)

    assert checker.get_state(str(source), None) == UNSURE


def test_a_discovered_input_that_is_gone_was_removed_meanwhile(
    checker: ContentChecker, tmp_path: Path
) -> None:
    path = str(tmp_path / "gone")
    checker.discover([path], time.time_ns())

    assert checker.get_state(path, None) == UNSURE


def test_what_was_pinned_needs_no_discovery(checker: ContentChecker, source: Path) -> None:
    checker.pin(str(source))
    checker.discover([str(source)], 0)

    assert checker.get_state(str(source), None) == sha(OLD)


def test_a_discovered_input_never_counts_as_self_written_by_that_alone(
    checker: ContentChecker, source: Path
) -> None:
    """Its content is not known: the same word twice is no content."""
    checker.discover([str(source)], 0)
    edited(source)

    assert checker.get_state(str(source), UNSURE) is None


def test_a_file_that_the_build_writes_comes_to_rest_in_the_third_run(source: Path) -> None:
    """Changed in two runs in a row, and each time the same: from then on its content counts."""
    state: object = None
    ran = []
    for _ in range(4):
        checker, path = ContentChecker(Reading()), str(source)
        with checker.pinning():
            checker.look([path])
            stale = state is None or checker.check_modified(path, checker.info(path), state)
            if stale:
                edited(source)
                state = checker.get_state(path, state) or state
        ran.append(stale)
    source.write_bytes(NEW)

    assert ran == [True, True, False, False]
    assert is_modified(source, state)


class Run:
    """One run of one task, by doit's own dependency manager and our state."""

    def __init__(self, root: Path, spec: TaskSpec) -> None:
        self._checker = ContentChecker(Reading())
        (self._task,) = doit_tasks([spec], self._checker)
        self._manager = Dependency(
            TaskStore, str(root / "state"), checker_cls=self._checker, codec_cls=JSONCodec
        )
        self._manager.backend.open_for_results()

    def go(self) -> str:
        """Run the task if it is stale; the status that it had."""
        with self._checker.pinning():
            status = self._manager.get_status(self._task, {}, get_log=True).status
            if status == "run":
                assert self._task.execute(Stream(0)) is None
                self._checker.forget(self._task.targets)
                self._task.save_extra_values()
                self._manager.save_success(self._task)
        self._manager.close()
        return str(status)


@pytest.mark.parametrize("again", [False, True], ids=["its first run", "with other settings"])
def test_an_edit_while_a_task_runs_is_seen_by_the_next_run(
    tmp_path: Path, source: Path, *, again: bool
) -> None:
    """As of a Dockerfile while its image is made: doit looks at no input without a state."""
    made = tmp_path / "made"
    edits = iter([OLD, NEW] if again else [NEW])

    def action() -> None:
        made.write_bytes(source.read_bytes())
        source.write_bytes(next(edits, source.read_bytes()))

    spec = TaskSpec("image", "", action=action, inputs=(source,), outputs=(made,))
    if again:
        assert Run(tmp_path, spec._replace(fingerprint="1")).go() == "run"
    statuses = [Run(tmp_path, spec).go() for _ in range(3)]

    assert statuses == ["run", "run", "up-to-date"]
    assert made.read_bytes() == NEW


OTHERS: dict[str, tuple[object, bool, object]] = {
    "as it was": (sha(OLD), False, None),
    "changed": (sha(NEW), True, sha(OLD)),
    "never seen": (None, True, sha(OLD)),
    "what a task of ours left": (self_written(sha(OLD)), False, sha(OLD)),
}


@pytest.mark.parametrize(("state", "modified", "saved"), OTHERS.values(), ids=OTHERS.keys())
def test_tasks_of_others_see_a_file_as_it_is(
    source: Path, state: object, *, modified: bool, saved: object
) -> None:
    checker, path = ContentChecker(Reading()), str(source)

    assert checker.check_modified(path, checker.info(path), state) is modified
    assert checker.get_state(path, state) == saved


def test_for_tasks_of_others_nothing_is_pinned(tmp_path: Path, source: Path) -> None:
    """As in stock doit: an edit is seen at once, and a file that is gone is an error."""
    checker, path = ContentChecker(Reading()), str(source)
    checker.look([path])
    first = checker.get_state(path, None)
    source.write_bytes(NEW)
    with checker.pinning():
        pinned = checker.pin(path)

    assert (first, checker.get_state(path, None), pinned) == (sha(OLD), sha(NEW), sha(NEW))
    with pytest.raises(FileNotFoundError):
        checker.info(str(tmp_path / "gone"))


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link(path: Path) -> None:
    target = path.rename(path.with_name("elsewhere"))
    path.symlink_to(target)


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("make", [Path.unlink, folder, link, pipe], ids=lambda f: f.__name__)
def test_what_is_no_plain_file_of_its_own_is_no_output(
    checker: ContentChecker, source: Path, make: Callable[[Path], None]
) -> None:
    make(source)

    assert checker.output_state(str(source)) is None


def test_an_output_is_its_mode_and_its_bytes(checker: ContentChecker, source: Path) -> None:
    source.chmod(0o751)

    assert checker.output_state(str(source)) == [0o100751, sha(OLD)]


class Kept:
    """A task that has run once: its spec may change, and its folder."""

    def __init__(self, root: Path) -> None:
        self.output, self.made = root / "out/bin", root / "cache/lib.rlib"
        for path in (self.output, self.made):
            path.parent.mkdir()
            path.write_bytes(OLD)
        self.asked = 0
        self.there = True
        self.spec = TaskSpec(
            "stage", "", action=lambda: None, outputs=(self.output,), fingerprint="argv",
            owns=root / "out", made=lambda: [str(self.made)], present=self._present,
        )  # fmt: skip
        self.values = self.intact().state()

    def _present(self) -> bool:
        self.asked += 1
        return self.there

    def intact(self) -> Intact:
        return Intact(self.spec, ContentChecker(Reading()))

    def is_uptodate(self) -> bool:
        return self.intact()(Task("stage", None), self.values)

    def lose(self) -> None:
        self.there = False

    def have(self, **changes: Any) -> None:  # noqa: ANN401 - any field
        self.spec = self.spec._replace(**changes)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_a_task_is_up_to_date_while_nobody_touched_its_outputs(kept: Kept) -> None:
    """A touch is none, and what is no file is asked for once."""
    os.utime(kept.output)

    assert kept.is_uptodate()
    assert kept.asked == 1


TOUCHES: dict[str, tuple[Callable[[Kept], object], int]] = {
    "other bytes": (lambda k: k.output.write_bytes(NEW), 0),
    "another mode": (lambda k: k.output.chmod(0o700), 0),
    "gone": (lambda k: k.output.unlink(), 0),
    "a link to the same bytes": (lambda k: link(k.output), 0),
    "other bytes of what was made beside": (lambda k: k.made.write_bytes(NEW), 0),
    "a foreign file in its folder": (lambda k: (k.output.parent / "x").touch(), 0),
    "other settings": (lambda k: k.have(fingerprint="other argv"), 0),
    "another output": (lambda k: k.have(outputs=(k.output, k.output.with_name("other"))), 0),
    "never up to date": (lambda k: k.have(always=True), 0),
    "never run": (lambda k: k.values.clear(), 0),
    "the image is gone": (Kept.lose, 1),
}


@pytest.mark.parametrize(("touch", "asked"), TOUCHES.values(), ids=TOUCHES.keys())
def test_a_touched_output_is_noticed(
    kept: Kept, touch: Callable[[Kept], object], asked: int
) -> None:
    """What is no file (an image in a store) is asked for last: that costs most."""
    touch(kept)

    assert not kept.is_uptodate()
    assert kept.asked == asked


def test_what_is_saved_is_what_the_task_left(kept: Kept) -> None:
    """Doit asks its savers after the action: new outputs, new paths among what was made."""
    task, intact = Task("stage", None), kept.intact()
    intact(task, {})
    intact(task, {})
    kept.output.write_bytes(NEW)
    (saver,) = task.value_savers
    saved = saver()

    assert task.result == digest(saved["outputs"])
    assert saved == {
        "fingerprint": "argv",
        "outputs": {
            str(kept.output): [0o100644, sha(NEW)],
            str(kept.made): [0o100644, sha(OLD)],
        },
    }
