"""doit's own workers beside our loop: as many as asked for, each result an event, one teardown."""

from __future__ import annotations

import queue
from types import SimpleNamespace
from typing import Any

import pytest
from doit.action import CmdAction
from doit.control import TaskControl
from doit.dependency import Dependency, JsonDB
from doit.exceptions import BaseFail, InvalidDodoFile
from doit.task import Stream, Task

from doit_cargo.doit_ext.cargo_work import OthersError
from doit_cargo.doit_ext.dispatcher import Dispatcher
from doit_cargo.doit_ext.runner import CargoRunner
from doit_cargo.doit_ext.workers import Workers


class Told:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.broken_off = False
        self.lines: list[str] = []

    def __getattr__(self, method: str) -> Any:  # noqa: ANN401
        """Whatever a runner tells."""

        def tell(*what: Any) -> None:  # noqa: ANN401
            names = [one.name for one in what[:1] if isinstance(one, Task)]
            self.lines.append(" ".join((method, *names)))

        return tell


class Idle:
    """A cargo that nobody needs."""

    stopped = False

    def begin(self, *what: object) -> None:
        """No run of ours."""

    remember = close = begin

    def may_plan(self, *, quiet: bool) -> bool:
        """Nothing is aside."""
        del quiet
        return False

    def stop_builds(self) -> None:
        """It has none."""
        self.stopped = True


@pytest.fixture(params=[0, 1, 2, 3], ids=lambda count: f"-n {count}")
def count(request: pytest.FixtureRequest) -> int:
    found: int = request.param
    return found


def note(log: list[str], name: str) -> None:
    """An action; doit takes no built-in function for one."""
    log.append(name)


def run(tmp_path: Any, *tasks: Task, count: int, keep_going: bool = False) -> tuple[int, Told]:  # noqa: ANN401
    """Run them all in so many threads; the exit code, and what the reporter was told."""
    told, control = Told(), TaskControl(list(tasks))
    control.process(None)
    manager = Dependency(JsonDB, str(tmp_path / "db"))
    manager.checker.forget = list
    runner = CargoRunner(manager, told, keep_going, False, Stream(0))  # noqa: FBT003 - doit's own
    runner.work = Idle()  # type: ignore[assignment]
    if count:
        runner.workers = Workers(count, threads=True, runner=runner)
    selected = control.selected_tasks
    dispatcher = Dispatcher(control.tasks, control.targets, selected, lambda _: [])
    return runner.run_all(dispatcher), told


def names(told: Told, method: str) -> list[str]:
    return [
        name for line in told.lines for verb, _, name in [line.partition(" ")] if verb == method
    ]


def test_each_task_runs_once_and_after_what_it_needs(tmp_path: Any, count: int) -> None:  # noqa: ANN401
    done: list[str] = []
    tasks = [
        Task(name, [(note, [done, *[name]])], task_dep=list(needs))
        for name, needs in {"d": "bc", "b": "a", "c": "a", "a": "", "e": ""}.items()
    ]
    code, told = run(tmp_path, *tasks, count=count)

    assert code == 0
    assert sorted(done) == [*"abcde"]
    assert done.index("a") < min(done.index("b"), done.index("c"))
    assert done.index("d") > max(done.index("b"), done.index("c"))
    assert sorted(names(told, "add_success")) == [*"abcde"]


def test_in_line_they_run_in_doits_order(tmp_path: Any) -> None:  # noqa: ANN401
    done: list[str] = []
    tasks = [Task(name, [(note, [done, *[name]])]) for name in "zaqx"]
    run(tmp_path, *tasks, count=0)

    assert done == [*"zaqx"]


def test_a_task_whose_setup_must_run_keeps_nobody_in_the_queue(tmp_path: Any, count: int) -> None:  # noqa: ANN401
    done: list[str] = []
    tasks = [Task(n, [(note, [done, *[n]])], setup=["first"]) for n in "abcdef"]
    code, _ = run(tmp_path, *tasks, Task("first", [(note, [done, *["first"]])]), count=count)

    assert code == 0
    assert done[0] == "first"
    assert sorted(done[1:]) == [*"abcdef"]


def test_no_more_than_asked_for_at_a_time(tmp_path: Any) -> None:  # noqa: ANN401
    now: list[int] = []
    most: list[int] = []
    gate: queue.SimpleQueue[None] = queue.SimpleQueue()

    def work() -> None:
        now.append(1)
        most.append(len(now))
        try:
            gate.get(timeout=0.02)
        except queue.Empty:
            now.pop()

    run(tmp_path, *(Task(name, [work]) for name in "abcdefgh"), count=3)

    assert max(most) == 3


def test_a_failure_ends_the_run_or_not(tmp_path: Any, count: int) -> None:  # noqa: ANN401
    done: list[str] = []
    bad = Task("bad", [lambda: False])
    after = Task("after", [(note, [done, *["after"]])], task_dep=["bad"])
    free = Task("free", [(note, [done, *["free"]])], task_dep=["slow"])
    slow = Task("slow", [(note, [done, *["slow"]])])
    code, told = run(tmp_path, bad, after, slow, free, count=count, keep_going=True)

    assert code == 2  # doit's: an unmet dependency is an error
    assert done == ["slow", "free"]
    assert names(told, "add_failure") == ["bad", "after"]


def test_a_teardown_runs_once(tmp_path: Any, count: int) -> None:  # noqa: ANN401
    done: list[str] = []
    tasks = [Task(n, [(note, [done, *[n]])], teardown=[(note, [done, *[f"-{n}"]])]) for n in "ab"]
    run(tmp_path, *tasks, count=count)

    assert sorted(done[:2]) == [*"ab"]
    assert sorted(done[2:]) == ["-a", "-b"]


def test_what_ends_a_worker_ends_the_run(tmp_path: Any) -> None:  # noqa: ANN401
    def leave() -> None:
        raise SystemExit("out")

    with pytest.raises(SystemExit, match="out"):
        run(tmp_path, Task("a", [leave]), count=2)


def test_an_action_that_breaks_its_worker_has_doits_traceback(tmp_path: Any) -> None:  # noqa: ANN401
    """Doit catches what a Python action raises, not what it raises itself for an odd stream."""
    task = Task("a", [CmdAction("true", None)])
    task.actions[0].execute = broken

    with pytest.raises(OthersError, match="fileno"):
        run(tmp_path, task, count=1)


def broken(*what: object) -> None:
    """An action's end that doit does not know."""
    del what
    raise OSError("fileno")


def test_tasks_that_wait_for_each_other_are_named(tmp_path: Any) -> None:  # noqa: ANN401
    values = {"task_dep": ["a"]}
    tasks = [
        Task("a", [], calc_dep=["x"]),
        Task("b", [], task_dep=["a"]),
        Task("x", [lambda: values], task_dep=[]),
    ]
    values["task_dep"] = ["b"]

    with pytest.raises(InvalidDodoFile, match="a"):
        run(tmp_path, *tasks, count=0)


def test_an_event_of_a_worker_is_for_the_reporter_or_the_end_of_a_task() -> None:
    runner = SimpleNamespace(
        dep_manager=None, reporter=Told(), continue_=False, always_execute=False,
        stream=Stream(0), teardown_list=[],
    )  # fmt: skip
    workers, events = (
        Workers(1, threads=True, runner=runner),
        queue.SimpleQueue[tuple[str, Any, BaseFail | None]](),
    )
    task = Task("a", [lambda: {"v": 1}])
    workers.start({"a": task}, events)
    free = [workers.free]
    workers.submit(task)
    free.append(workers.free)
    kind, result, _ = events.get(timeout=10)

    assert kind == "other"
    assert workers.take({"name": "a", "reporter": "execute_task"}, runner.reporter) is None
    taken = workers.take(result, runner.reporter)
    assert (taken, taken and taken.values) == (task, {"v": 1})
    assert [*free, workers.free] == [True, False, True]
    workers.finish(runner.reporter)
