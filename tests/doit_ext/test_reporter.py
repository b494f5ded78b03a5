"""What one sees of a run, word for word: results, summary, failures, the status line."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from doit.exceptions import TaskError, TaskFailed, UnmetDependency
from doit.task import Task

from doit_cargo.core.errors import BuildError, Cause
from doit_cargo.core.task import Outcome, Sighting, TaskSpec
from doit_cargo.doit_ext.reporter import LineReporter
from doit_cargo.doit_ext.screen import Looks
from doit_cargo.doit_ext.tasks import BuildFailed, StepTask, outcome_of
from doit_cargo.tools import console
from doit_cargo.tools.cargo.progress import Step

ROOT = Path("/home/me/shop")
NOTHING = Outcome()
DIGEST = "sha256:12ab"


class Told:
    """A reporter of a run that began 7.3 seconds ago, and what it has written."""

    def __init__(
        self,
        *,
        terminal: bool = False,
        root: Path | None = ROOT,
        **options: Any,  # noqa: ANN401
    ) -> None:
        self.out = io.StringIO()
        self._read = 0
        self.explained: list[tuple[str, str]] = []
        self.hints: dict[str, list[str]] = {}
        known = {
            "looks": Looks(status=terminal), "root": root, "since": 100, "explain": self._explain
        }  # fmt: skip
        self.reporter = LineReporter(self.out, {**known, **options})

    def _explain(self, message: str, crate: str) -> list[str]:
        self.explained.append((message, crate))
        return self.hints.get(crate, [])

    def selected(self, *tasks: Task) -> None:
        """A run of these tasks begins."""
        names = [task.name for task in tasks]
        self.reporter.initialize(dict(zip(names, tasks, strict=True)), names)

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
    monkeypatch.setattr(console.Door, "screen", None)


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


def above(of: TaskSpec, *below: str) -> Task:
    """A task that waits for others."""
    task = done(of)
    task.task_dep = list(below)
    return task


def because(*causes: Cause, needs: bool = False) -> BuildFailed:
    return BuildFailed(BuildError(causes, needs=needs))


CORE = Cause("core_lib", "error: no such gadget")
SERVICES = [above(build(f"s{n}", f"s{n}"), "build:x86_64:core_lib") for n in range(30)]


def test_a_cause_is_shown_once_with_what_waits_for_it() -> None:
    """Whoever tells of it first: the crate itself, or one that is built upon it."""
    told = Told()
    told.hints = {"core_lib": ["hint: get a gadget"]}
    core = done(build("core_lib"))
    told.selected(core, *SERVICES)
    told.reporter.add_failure(SERVICES[0], because(CORE, needs=True))
    told.reporter.add_failure(core, because(CORE))
    told.reporter.add_failure(SERVICES[1], because(CORE, needs=True))

    assert told.text == "FAILED   build:x86_64:core_lib\nerror: no such gadget\n"
    assert told.last_word() == (
        "hint: get a gadget\n"
        "failed: build:x86_64:core_lib; 30 crates and 30 binaries wait for it, 7.3 s\n"
        "again: doit build:x86_64:core_lib\n"
    )


def test_a_third_party_crate_fails_as_itself() -> None:
    """Of it there is no task: what can be run again is one that waits for it."""
    told = Told(again="doit profile=dev")
    told.selected(*SERVICES[:2])
    for service in SERVICES[:2]:
        told.reporter.add_failure(service, because(Cause("z-sys", "no z"), needs=True))

    assert told.text == "FAILED   z-sys for x86_64\nno z\n"
    assert told.last_word() == (
        "failed: z-sys for x86_64; 2 crates and 2 binaries wait for it, 7.3 s\n"
        "again: doit profile=dev build:x86_64:s0\n"
    )


def test_the_same_error_for_two_architectures_is_shown_once() -> None:
    told = Told()
    both = [done(build("core_lib")._replace(arch=arch)) for arch in ("x86_64", "aarch64")]
    told.selected(*both)
    for task in both:
        told.reporter.add_failure(task, because(CORE))

    assert told.text == "FAILED   build:x86_64:core_lib\nerror: no such gadget\n"
    assert told.last_word() == (
        "failed: build:x86_64:core_lib, build:aarch64:core_lib, 7.3 s\n"
        "again: doit build:x86_64:core_lib build:aarch64:core_lib\n"
    )


def test_what_cargo_says_of_no_crate_is_cargos() -> None:
    told = Told()
    told.selected(*SERVICES)
    for service in SERVICES:
        told.reporter.add_failure(service, because(Cause("", "error: no network")))

    assert told.text == "FAILED   cargo for x86_64\nerror: no network\n"
    assert told.last_word().startswith("failed: cargo for x86_64; 30 crates not tried")


def test_several_failures_end_with_a_hint_for_each_and_what_was_not_tried() -> None:
    told = Told()
    alpha, beta, gamma, delta = (done(build(name, name)) for name in ("a", "b", "c", "d"))
    told.hints = {"a": ["hint: one"], "b": ["hint: two"]}
    told.selected(alpha, beta, gamma, delta)
    told.reporter.add_failure(alpha, because(Cause("a", "no a")))
    told.reporter.add_failure(beta, because(Cause("b", "no b")))

    assert told.last_word([gamma]) == (
        "hint for build:x86_64:a: one\n"
        "hint for build:x86_64:b: two\n"
        "failed: build:x86_64:a, build:x86_64:b; 2 binaries wait for them; "
        "1 crate not tried (see --continue), 7.3 s\n"
        "again: doit build:x86_64:a build:x86_64:b\n"
    )


def test_a_failed_check_names_its_task_and_no_other() -> None:
    told = Told()
    verified, staged = done(verify("alpha")), above(STAGE, "verify:x86_64:alpha")
    told.selected(verified, staged)
    told.reporter.add_failure(verified, TaskFailed("alpha does not pass"))
    told.reporter.add_failure(staged, UnmetDependency("verify:x86_64:alpha"))

    assert told.text == "FAILED   verify:x86_64:alpha\nalpha does not pass\n"
    assert told.last_word() == (
        "failed: verify:x86_64:alpha, 7.3 s\nagain: doit verify:x86_64:alpha\n"
    )


def test_many_failures_are_named_in_one_line() -> None:
    told = Told()
    for number in range(9):
        told.reporter.add_failure(done(verify(f"b{number}")), TaskFailed("no"))

    _ = told.text
    assert told.last_word() == (
        "failed: verify:x86_64:b0, verify:x86_64:b1, verify:x86_64:b2, verify:x86_64:b3, "
        "verify:x86_64:b4, and 4 more, 7.3 s\nagain: doit run\n"
    )


def test_what_waits_for_a_failed_task_of_others_is_counted() -> None:
    """Which doit has told of."""
    told = Told()
    told.reporter.add_failure(done(verify("alpha")), UnmetDependency("codegen"))
    told.reporter.add_failure(done(STAGE), UnmetDependency("verify:x86_64:alpha publish"))

    assert told.text == ""
    assert told.last_word() == "not run: 2 tasks, which need codegen, publish, 7.3 s\n"


WARNING = "warning: unused variable\n --> a.rs:1:2\n\n", "warning: 1 warning emitted\n\n"


@pytest.mark.parametrize(
    ("shown", "line"),
    [
        (False, "warnings: 1 of alpha, 2 of beta (-v 1 shows them)"),
        (True, "\n".join(text.rstrip() for text in (*WARNING, "warning: a", "warning: b"))),
    ],
)
def test_warnings_come_back_on_the_next_run(*, shown: bool, line: str) -> None:
    told = Told(warnings=shown)
    tasks = [
        known(build("alpha", "alpha"), Outcome(warnings=WARNING)),
        known(build("beta", "beta"), Outcome(warnings=("warning: a", "warning: b"))),
        known(verify("alpha"), SIZES[0]),
    ]

    assert told.last_word(same=tasks) == f"{line}\nup to date: 1 binary, 1.0 KiB (7.3 s)\n"


def test_paths_of_the_compiler_are_seen_from_where_the_user_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = Told(workspace=ROOT / "rust")
    monkeypatch.setattr(console.Door, "folder", str(ROOT / "docs"))
    colours = "\x1b[1m\x1b[94m"
    text = f"  {colours}--> \x1b[0ma/src/lib.rs:3:5\n  ::: /abs/b.rs:1:1\nsee a/src/lib.rs:3:5"
    told.reporter.add_failure(done(STAGE), TaskFailed(text))

    assert told.text == (
        "FAILED   stage:x86_64\n  --> ../rust/a/src/lib.rs:3:5\n"
        "  ::: ../../../../abs/b.rs:1:1\nsee a/src/lib.rs:3:5\n"
    )


def test_what_went_wrong_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    options: dict[str, Any] = {"explain": lambda *_: [], "since": 100}
    reporter = LineReporter(sys.stdout, options)
    reporter.add_success(done(build("core_lib")))
    reporter.add_failure(done(STAGE), TaskFailed("no"))
    reporter.complete_run()

    said = capsys.readouterr()
    assert said.out == "compiled x86_64 core_lib\n"
    assert said.err.startswith("FAILED   stage:x86_64\nno\nfailed: ")


def test_colours_where_they_are_wanted() -> None:
    told = Told(looks=Looks(colours=True))
    told.reporter.add_success(done(build("a"), Outcome(warnings=("\x1b[33mwarning\x1b[0m: x",))))

    assert told.text == "\x1b[1;32mcompiled\x1b[0m x86_64 a\n\x1b[33mwarning\x1b[0m: x\n"


def test_no_colours_where_they_are_not() -> None:
    """A warning was kept with those of the run before."""
    told = Told()
    told.reporter.add_success(done(build("a"), Outcome(warnings=("\x1b[33mwarning\x1b[0m: x",))))

    assert told.text == "compiled x86_64 a\nwarning: x\n"


def test_a_run_that_was_broken_off_has_no_summary(capsys: pytest.CaptureFixture[str]) -> None:
    """Doit has the reporter say its last word all the same; errors are told."""
    told = Told()
    told.reporter.runtime_error("no such task")
    told.reporter.cleanup_error(TaskFailed("it stays"))
    told.reporter.broken_off = True

    assert told.last_word([done(STAGE)]) == ""
    assert capsys.readouterr().err == "it stays\nERROR: no such task\n"


ERASE = "\r\x1b[K"
BAR = "[===>                ]"


def test_the_status_line_is_the_last_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is erased before a result, drawn again under it, and gone in the end."""
    monkeypatch.setenv("COLUMNS", "80")
    told = Told(terminal=True)
    told.reporter.progress(Step(3, 19, ("alpha", "beta(build)")))
    first = told.text
    told.reporter.add_success(done(build("core_lib")))
    result = told.text
    told.reporter.progress(Step(4, 19, ("beta",)))
    second = told.text
    last = told.last_word()

    status = f"{BAR} 3/19  7.3 s  alpha 0.0 s, beta(build) 0.0 s"
    assert first == f"{ERASE}{status}"
    assert result == f"{ERASE}compiled x86_64 core_lib\n{ERASE}{status}"
    assert second == f"{ERASE}[====>               ] 4/19  7.3 s  beta 0.0 s"
    assert last == f"{ERASE}1 task: 0 built, 0 reused, 7.3 s\n"


def test_the_status_line_keeps_away_from_a_task_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Which may write to the terminal itself, or ask something."""
    monkeypatch.setenv("COLUMNS", "80")
    told, task = Told(terminal=True), Task("web", ["true"])
    told.reporter.progress(Step(3, 19, ("alpha",)))
    _ = told.text
    told.reporter.execute_task(task)
    told.reporter.progress(Step(4, 19, ("alpha",)))
    during = told.text
    told.reporter.add_success(task)
    told.reporter.progress(Step(5, 19, ("alpha",)))

    assert during == f"{ERASE}.  web\n"
    assert "5/19" in told.text


def test_the_status_line_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that wrapped could not be erased by going back to its beginning."""
    monkeypatch.setenv("COLUMNS", "30")
    told = Told(terminal=True)
    told.reporter.progress(Step(3, 19, ("fechatter_core",)))

    assert told.text == f"{ERASE}{BAR} 3/19  "


def test_without_a_terminal_there_is_no_status_line() -> None:
    told = Told()
    told.reporter.progress(Step(3, 19, ("alpha",)))
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
            pool.submit(told.reporter.progress, Step(number, 200, ("x",)))

    lines = told.text.replace(ERASE, "\n").split("\n")
    assert sorted(line for line in lines if line.startswith("compiled")) == sorted(
        f"compiled x86_64 {task.name.split(':')[2]}" for task in tasks
    )
    assert {line[:1] for line in lines} <= {"", "c", "["}


def test_an_output_that_is_gone_is_named() -> None:
    """`doit | head`: the error would name no file."""

    class Closed(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError(32, "Broken pipe")

    options: dict[str, Any] = {"explain": str}
    with pytest.raises(BrokenPipeError) as caught:
        LineReporter(Closed(), options).add_success(done(build("core_lib")))

    assert caught.value.filename == "standard output"
