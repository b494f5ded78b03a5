"""What one sees of a run, word for word: results, summary, failures, the status line."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from doit.exceptions import TaskError, TaskFailed, UnmetDependency
from doit.task import Task

from doit_cargo.core.task import Outcome, Sighting, TaskSpec
from doit_cargo.doit_ext.reporter import LineReporter
from doit_cargo.doit_ext.tasks import StepTask, outcome_of

ROOT = Path("/home/me/shop")
NOTHING = Outcome()
DIGEST = "sha256:12ab"


class Told:
    """A reporter of a run that began 7.3 seconds ago, and what it has written."""

    def __init__(self, *, terminal: bool = False, root: Path | None = ROOT) -> None:
        self.out = io.StringIO()
        self._read = 0
        self.explained: list[tuple[str, str]] = []
        options = {"terminal": terminal, "root": root, "since": 100, "explain": self._explain}
        self.reporter = LineReporter(self.out, options)

    def _explain(self, message: str, crate: str) -> str:
        self.explained.append((message, crate))
        return message.rstrip()

    @property
    def text(self) -> str:
        """What was written since the last time."""
        text = self.out.getvalue()[self._read :]
        self._read += len(text)
        return text

    def last_word(self, run: Sequence[Task] = (), same: Sequence[Task] = ()) -> str:
        """What the reporter says when a run with these results has ended."""
        for task in run:
            self.reporter.add_success(task)
        for task in same:
            self.reporter.skip_uptodate(task)
        self._read = len(self.out.getvalue())
        self.reporter.complete_run()
        return self.text


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 107.3)


def spec(stage: str, arch: str = "x86_64", subject: str = "", **more: Any) -> TaskSpec:  # noqa: ANN401
    return TaskSpec(stage, "", arch, subject, action=lambda: None, **more)


def done(of: TaskSpec, outcome: Outcome = NOTHING) -> Task:
    """A task that has run and found that out."""
    task = StepTask(of, targets=[str(path) for path in of.outputs])
    task.actions[0].outcome = outcome
    return task


def known(of: TaskSpec, outcome: Outcome) -> Task:
    """A task that has nothing to do, with what doit saved of the run before."""
    task = done(of)
    task.values = {"outcome": outcome.encode()}
    return task


def build(name: str, *binaries: str) -> TaskSpec:
    return spec("build", subject=name, outputs=(Path(f"{name}.json"), *map(Path, binaries)))


def verify(name: str) -> TaskSpec:
    return spec("verify", subject=name)


STAGE = spec("stage", owns=ROOT / "docker/context/binaries")
LINES = {
    "build": (build("bot_server", "bot", "indexer"), NOTHING, "compiled x86_64 bot_server\n"),
    "verify": (verify("bot"), Outcome(size=702_404), "verified x86_64 bot  685.9 KiB\n"),
    "image": (
        spec("image", subject="bot"), Outcome(names=("acme/bot:1", "acme/bot:2")),
        "imaged   x86_64 bot  acme/bot:1\n",
    ),
    "verify-image": (
        spec("verify-image", subject="bot"), Outcome(files=1),
        "checked  x86_64 image of bot  1 file\n",
    ),
    "verify-image with certificates": (
        spec("verify-image", "aarch64", "bot"), Outcome(files=3),
        "checked  aarch64 image of bot  3 files\n",
    ),
    "smoke": (
        spec("smoke", subject="bot"), Outcome(seen=Sighting("exit 0", "docker", 6.46)),
        "smoked   x86_64 bot  exit 0, in docker, 6.5 s\n",
    ),
    "smoke that lasts": (
        spec("smoke", "aarch64", "bot"), Outcome(seen=Sighting("http 200", "root", 125.0)),
        "smoked   aarch64 bot  http 200, in an empty root folder, 2 min 5 s\n",
    ),
    "smoke in a folder": (
        spec("smoke", subject="bot"), Outcome(seen=Sighting("listening", "folder", 0.1)),
        "smoked   x86_64 bot  listening, in an empty folder, 0.1 s\n",
    ),
    "smoke on the machine's network": (
        spec("smoke", subject="bot"),
        Outcome(seen=Sighting("http 200", "root, shared network", 0.1)),
        ("smoked   x86_64 bot  http 200, in an empty root folder, on this machine's network, "
         "0.1 s\n"),
    ),
    "smoke in a folder on the machine's network": (
        spec("smoke", subject="bot"),
        Outcome(seen=Sighting("http 200", "folder, shared network", 0.1)),
        "smoked   x86_64 bot  http 200, in an empty folder, on this machine's network, 0.1 s\n",
    ),
    "smoke of which nothing was seen": (spec("smoke", subject="bot"), NOTHING, ""),
    "index": (
        spec("index", "", "bot"), Outcome(digest=DIGEST, names=("linux/amd64", "linux/arm64")),
        f"indexed  bot  linux/amd64 linux/arm64  {DIGEST}\n",
    ),
    "push": (
        spec("push", "", "bot"), Outcome(digest=f"host/bot@{DIGEST}", names=("0.1.0", "latest")),
        f"pushed   0.1.0, latest  host/bot@{DIGEST}\n",
    ),
    "push of nothing": (
        spec("push", "", "bot"), Outcome(digest=f"host/bot@{DIGEST}"),
        f"there already  host/bot@{DIGEST}\n",
    ),
    "toolchain": (spec("toolchain"), NOTHING, ""),
    "strip": (spec("strip", subject="bot"), NOTHING, ""),
    "package": (spec("package", subject="bot"), Outcome(size=1, digest="12ab"), ""),
    "manifest": (spec("manifest"), NOTHING, ""),
    "stage": (STAGE, Outcome(size=7), ""),
    "what was removed": (
        spec("manifest"), Outcome(removed=("docker/binaries/x86_64/a", "docker/binaries/x86_64/b")),
        "removed docker/binaries/x86_64/a\nremoved docker/binaries/x86_64/b\n",
    ),
    "the compiler's warnings": (
        build("bot_server"), Outcome(warnings=("warning: unused variable\n --> a.rs\n\n",)),
        "compiled x86_64 bot_server\nwarning: unused variable\n --> a.rs\n",
    ),
    "the policy's warnings": (
        verify("bot"), Outcome(size=1024, warnings=("  warn stripped: found a symbol table",)),
        "verified x86_64 bot  1.0 KiB\n  warn stripped: found a symbol table\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("of", "outcome", "line"), LINES.values(), ids=LINES.keys())
def test_the_line_of_a_task_that_has_done_its_work(
    of: TaskSpec, outcome: Outcome, line: str
) -> None:
    told = Told()
    told.reporter.add_success(done(of, outcome))

    assert told.text == line


def test_groups_and_what_is_up_to_date_need_no_line() -> None:
    told = Told()
    group = StepTask(TaskSpec("verify", ""), has_subtask=True)
    told.reporter.add_success(group)
    told.reporter.skip_uptodate(group)
    told.reporter.skip_uptodate(done(verify("bot")))

    assert told.text == ""
    assert told.last_word() == "up to date: 1 binary, 0 B (7.3 s)\n"


def test_of_the_tasks_of_others_it_tells_as_doits_own_reporter_does() -> None:
    """Which writes nothing of a success, and of a failure its kind, its task and its text."""
    told = Told()
    task = Task("web", ["true"])
    task.verbosity = 1
    told.reporter.execute_task(task)
    told.reporter.add_success(task)
    told.reporter.skip_uptodate(task)
    told.reporter.skip_ignore(task)
    told.reporter.add_failure(task, TaskFailed("no such host"))

    assert told.text == (".  web\n-- web\n!! web\nTaskFailed - taskid:web\nno such host\n\n")
    assert told.last_word() == ""


SIZES = Outcome(size=1024), Outcome(size=2048)
PROGRAMS = (
    done(build("core_lib")), done(build("alpha", "alpha")), done(build("beta", "b1", "b2")),
)  # fmt: skip
SUMMARIES = {
    "everything built": (
        [*PROGRAMS, done(verify("alpha"), SIZES[0]), done(verify("b1"), SIZES[1]), done(STAGE)], [],
        "2 binaries, 3.0 KiB in docker/context/binaries: 3 built, 0 reused, 7.3 s\n",
    ),
    "one built, the other's size as it was saved": (
        [PROGRAMS[1], done(verify("alpha"), SIZES[0])],
        [PROGRAMS[2], known(verify("b1"), SIZES[1]), done(STAGE)],
        "2 binaries, 3.0 KiB in docker/context/binaries: 1 built, 2 reused, 7.3 s\n",
    ),
    "nothing to do": (
        [], [*PROGRAMS, known(verify("alpha"), SIZES[0]), done(STAGE)],
        "up to date: 1 binary, 1.0 KiB in docker/context/binaries (7.3 s)\n",
    ),
    "two architectures": (
        [done(STAGE)],
        [
            known(verify("alpha"), SIZES[0]),
            known(verify("alpha")._replace(arch="aarch64"), SIZES[1]),
            done(STAGE._replace(arch="aarch64", owns=ROOT / "docker/context/aarch64/binaries")),
        ],
        ("2 binaries, 3.0 KiB in docker/context/binaries, docker/context/aarch64/binaries: "
         "0 built, 0 reused, 7.3 s\n"),
    ),
    "nothing staged": (
        [], [known(verify("alpha"), SIZES[0])], "up to date: 1 binary, 1.0 KiB (7.3 s)\n",
    ),
    "nothing verified": ([PROGRAMS[1]], [PROGRAMS[0]], "2 tasks: 1 built, 0 reused, 7.3 s\n"),
    "one task with nothing to do": ([], [PROGRAMS[0]], "up to date: 1 task (7.3 s)\n"),
    "a state of before says no size": (
        [], [done(verify("alpha"))], "up to date: 1 binary, 0 B (7.3 s)\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("run", "same", "line"), SUMMARIES.values(), ids=SUMMARIES.keys())
def test_the_summary(run: list[Task], same: list[Task], line: str) -> None:
    """Binaries are counted where they are built: a crate may have two, or none."""
    for task in run:
        task.values = {"outcome": outcome_of(task).encode()}  # as the runner takes them over

    assert Told().last_word(run, same) == line


def test_a_folder_outside_of_any_root_is_told_whole() -> None:
    told = Told(root=None)

    assert told.last_word([], [known(verify("a"), SIZES[0]), done(STAGE)]) == (
        "up to date: 1 binary, 1.0 KiB in /home/me/shop/docker/context/binaries (7.3 s)\n"
    )


def test_a_failure_is_its_message_and_what_is_known_of_it() -> None:
    """The crate is told to whoever explains, where there is one: the hint may name it."""
    told = Told()
    told.reporter.add_failure(done(build("alpha", "alpha")), TaskFailed("error: no such gadget"))
    told.reporter.add_failure(done(verify("alpha")), TaskFailed("alpha does not pass"))

    assert told.text == (
        "FAILED   build:x86_64:alpha\nerror: no such gadget\n"
        "FAILED   verify:x86_64:alpha\nalpha does not pass\n"
    )
    assert told.explained == [
        ("error: no such gadget\n", "alpha"),
        ("alpha does not pass\n", ""),
    ]


def test_an_error_of_ours_comes_with_its_traceback() -> None:
    told = Told()
    try:
        _ = 1 // 0
    except ZeroDivisionError as error:
        told.reporter.add_failure(done(STAGE), TaskError("internal error in stage:x86_64", error))

    lines = told.text.splitlines()
    assert lines[:3] == [
        "FAILED   stage:x86_64",
        "internal error in stage:x86_64",
        "Traceback (most recent call last):",
    ]
    assert lines[-1] == "ZeroDivisionError: integer division or modulo by zero"


def test_what_cannot_run_names_what_it_needs() -> None:
    told = Told()
    told.reporter.add_failure(done(STAGE), UnmetDependency("verify:x86_64:alpha manifest:x86_64"))

    assert told.text == "skipped  stage:x86_64: needs verify:x86_64:alpha manifest:x86_64\n"
    assert told.explained == []


def test_a_run_that_failed_ends_with_the_names() -> None:
    told = Told()
    for task in (STAGE, build("alpha", "alpha")):
        told.reporter.add_failure(done(task), TaskFailed("no"))
    alone = Told()
    alone.reporter.add_failure(done(STAGE), TaskFailed("no"))

    assert told.last_word([done(build("beta", "beta"))]) == (
        "2 tasks failed or skipped: build:x86_64:alpha, stage:x86_64\n"
    )
    assert alone.last_word() == "1 task failed or skipped: stage:x86_64\n"


def test_a_run_that_was_broken_off_has_no_summary(capsys: pytest.CaptureFixture[str]) -> None:
    """Doit has the reporter say its last word all the same; errors are told."""
    told = Told()
    told.reporter.runtime_error("no such task")
    told.reporter.cleanup_error(TaskFailed("it stays"))
    told.reporter.broken_off = True

    assert told.last_word([done(STAGE)]) == ""
    assert capsys.readouterr().err == "it stays\nERROR: no such task\n"


ERASE = "\r\x1b[K"


def test_the_status_line_is_the_last_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is erased before a result, drawn again under it, and gone in the end."""
    monkeypatch.setenv("COLUMNS", "80")
    told = Told(terminal=True)
    told.reporter.progress(3, 19, "alpha, beta(build)")
    first = told.text
    told.reporter.add_success(done(build("core_lib")))
    result = told.text
    told.reporter.progress(4, 19, "beta")
    second = told.text
    last = told.last_word()

    status = "  cargo 3/19  7.3 s  alpha, beta(build)"
    assert first == f"{ERASE}{status}"
    assert result == f"{ERASE}compiled x86_64 core_lib\n{status}"
    assert second == f"{ERASE}  cargo 4/19  7.3 s  beta"
    assert last == f"{ERASE}1 task: 0 built, 0 reused, 7.3 s\n"


def test_the_status_line_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that wrapped could not be erased by going back to its beginning."""
    monkeypatch.setenv("COLUMNS", "20")
    told = Told(terminal=True)
    told.reporter.progress(3, 19, "fechatter_core")

    assert told.text == f"{ERASE}  cargo 3/19  7.3 s"


def test_without_a_terminal_there_is_no_status_line() -> None:
    told = Told()
    told.reporter.progress(3, 19, "alpha")
    told.reporter.add_success(done(build("core_lib")))

    assert told.text == "compiled x86_64 core_lib\n"


def _slowly(write: Callable[[str], int], text: str) -> int:
    """As a pipe takes it that is nearly full."""
    for character in text:
        write(character)
        os.sched_yield()
    return len(text)


def test_results_of_many_threads_are_whole_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    told = Told(terminal=True)
    told.out.write = partial(_slowly, told.out.write)  # type: ignore[method-assign]
    tasks = [done(build(f"crate{number}")) for number in range(50)]
    with ThreadPoolExecutor(8) as pool:
        for number, task in enumerate(tasks):
            pool.submit(told.reporter.add_success, task)
            pool.submit(told.reporter.progress, number, 200, "x")

    lines = told.text.replace(ERASE, "\n").split("\n")
    assert sorted(line for line in lines if line.startswith("compiled")) == sorted(
        f"compiled x86_64 {task.name.split(':')[2]}" for task in tasks
    )
    assert {line[:8] for line in lines} <= {"", "compiled", "  cargo "}


def test_an_output_that_is_gone_is_named() -> None:
    """`doit | head`: the error would name no file."""

    class Closed(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError(32, "Broken pipe")

    options: dict[str, Any] = {"explain": str}
    with pytest.raises(BrokenPipeError) as caught:
        LineReporter(Closed(), options).add_success(done(build("core_lib")))

    assert caught.value.filename == "standard output"
