"""Whose name is whose, whose file is whose, and which build waits for which generator."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from doit.control import TaskControl
from doit.exceptions import InvalidDodoFile
from doit.task import DelayedLoader, Task

from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import Context
from doit_cargo.doit_ext.checker import ContentChecker
from doit_cargo.doit_ext.dispatcher import Dispatcher
from doit_cargo.doit_ext.neighbours import Targets, check_names, explain_names, link, others
from doit_cargo.doit_ext.tasks import doit_tasks
from doit_cargo.pipeline import specs
from doit_cargo.tools.run.content_index import FileIndex
from doit_cargo.tools.run.session import Session
from helpers.contexts import context
from helpers.project import SOURCES
from helpers.seals import SEAL

STEPS = ("toolchain", "build", "verify", "package", "stage")


@pytest.fixture
def ctx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    found = context(tmp_path)
    monkeypatch.chdir(found.config.root)
    return found


def ours(ctx: Context, prefix: str = "") -> list[Task]:
    checker = ContentChecker(FileIndex(ctx.config.root / "index", SEAL))
    return list(doit_tasks(specs(ctx, Session(), STEPS), checker, prefix))


def linked(ctx: Context, *foreign: Task) -> TaskControl:
    control = TaskControl([*foreign, *ours(ctx)])
    link(control, ctx)
    return control


def waiting_for(control: TaskControl, name: str) -> list[str]:
    """The builds that wait for that task."""
    return sorted(
        task.name.rpartition(":")[2]
        for task in control.tasks.values()
        if task.name.startswith("build:x86_64:") and name in task.task_dep
    )


def spellings(root: Path, path: str) -> Iterable[str]:
    folder, _, rest = path.partition("/")
    (root / "here").symlink_to(".")
    return (path, f"./{path}", f"{folder}/../{folder}/{rest}", str(root / path), f"here/{path}")


def test_a_file_of_ours_is_found_by_any_spelling(ctx: Context) -> None:
    found = Targets({"plain": "theirs"}, ours(ctx))

    for path in spellings(ctx.config.root, "docker/context/binaries/alpha/alpha"):
        assert path in found
        assert found[path] == "stage:x86_64"
    assert found["plain"] == "theirs"
    assert "docker/context" not in found
    with pytest.raises(KeyError):
        found["elsewhere"]


def test_a_deploy_task_waits_for_the_stage_by_any_spelling(ctx: Context) -> None:
    paths = [*spellings(ctx.config.root, "docker/context/binaries/alpha/alpha")]
    control = linked(ctx, *(Task(f"d{i}", [], file_dep=[p]) for i, p in enumerate(paths)))

    for i in range(len(paths)):
        assert control.tasks[f"d{i}"].task_dep == ["stage:x86_64"]


def test_a_crates_build_waits_for_what_writes_below_its_folder(ctx: Context) -> None:
    paths = [*spellings(ctx.config.root, "core/src/made.rs")]
    control = linked(ctx, *(Task(f"g{i}", [], targets=[p]) for i, p in enumerate(paths)))

    for i in range(len(paths)):
        assert waiting_for(control, f"g{i}") == ["core_lib"]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("alpha/src/main.rs", ["alpha"]),
        ("alpha/Cargo.toml", ["alpha"]),
        ("Cargo.toml", []),
        ("docker/context/notes", []),
        ("target/made.rs", []),
        ("alphabet/made.rs", []),
        ("elsewhere.rs", []),
    ],
)
def test_whose_sources_a_target_is(ctx: Context, target: str, expected: list[str]) -> None:
    assert waiting_for(linked(ctx, Task("gen", [], targets=[target])), "gen") == expected


def test_a_generator_between_two_builds_is_waited_for_by_the_second(ctx: Context) -> None:
    gen = Task("gen", [], task_dep=["build:x86_64:alpha"], targets=["beta/src/gen.rs"])
    control = linked(ctx, gen)

    assert waiting_for(control, "gen") == ["beta"]


def test_what_is_made_of_a_builds_output_is_no_source_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = context(tmp_path, {**SOURCES, "alpha/copy": "of the program"})
    root = ctx.config.root
    monkeypatch.chdir(root)
    staged = "docker/context/binaries/alpha/alpha"
    control = linked(ctx, Task("deploy", [], file_dep=[staged], targets=["alpha/copy"]))

    build = control.tasks["build:x86_64:alpha"]
    assert waiting_for(control, "deploy") == []
    assert str(root / "alpha/copy") not in build.file_dep
    assert str(root / "alpha/src/main.rs") in build.file_dep


def test_it_stays_out_when_the_sources_are_read_again(ctx: Context) -> None:
    root = ctx.config.root
    deploy = Task("deploy", [], task_dep=["stage"], targets=["alpha/copy"])
    control = TaskControl([deploy, *ours(ctx)])
    sources = link(control, ctx)
    build = control.tasks["build:x86_64:alpha"]
    build.file_dep.add(str(root / "alpha/copy"))

    sources.leave_out([build])

    assert str(root / "alpha/copy") not in build.file_dep


def test_two_generators_never_wait_for_each_other(ctx: Context) -> None:
    control = linked(
        ctx,
        Task("one", [], task_dep=["build:x86_64:alpha"], targets=["beta/src/gen.rs"]),
        Task("two", [], task_dep=["build:x86_64:beta"], targets=["alpha/src/gen.rs"]),
    )

    assert waiting_for(control, "one") == ["beta"]
    assert waiting_for(control, "two") == []


def test_a_target_of_ours_and_theirs_is_refused(ctx: Context) -> None:
    path = "./docker/context/../context/binaries/alpha/alpha"

    with pytest.raises(SetupError, match="is a target of the task mine and of doit-cargo's stage"):
        linked(ctx, Task("mine", [], targets=[path]))


@pytest.mark.parametrize("name", ["build", "stage", "stage:x86_64", "verify:x86_64:alpha"])
def test_a_name_of_ours_is_said_to_be_ours(ctx: Context, name: str) -> None:
    with pytest.raises(SetupError, match=f'the task {name} has .* prefix="rust"'):
        check_names([Task(name, []), *ours(ctx)])


def test_with_a_prefix_the_names_are_free(ctx: Context) -> None:
    tasks = [Task("build", []), Task("stage", []), *ours(ctx, "rust-")]

    check_names(tasks)
    assert [task.name for task in others(tasks)] == ["build", "stage"]
    assert "rust-stage" in TaskControl(tasks).tasks


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("Task can't be called 'env' because this is a command name.", True),
        ("Task can't be called 'list' because this is a command name.", False),
        ("Task can't be called 'run' because this is a command name.", False),
    ],
)
def test_a_command_of_ours_is_said_to_be_ours(text: str, ours: bool) -> None:
    assert ("is doit-cargo's" in str(explain_names(InvalidDodoFile(text)))) == ours


def late(*tasks: dict[str, object]) -> Task:
    """A task that creates these when the dispatcher comes to it."""

    def task_late() -> Iterable[dict[str, object]]:
        yield from tasks

    return Task("late", None, loader=DelayedLoader(task_late))


def walk(control: TaskControl, ctx: Context, select: list[str]) -> list[str]:
    """The names of all tasks in the order in which they are given out, each ending at once."""
    sources = link(control, ctx)
    control.process(select)
    dispatcher = Dispatcher(control.tasks, control.targets, select, sources.adopt)
    seen: list[str] = []
    done = None
    while True:
        try:
            done = dispatcher.generator.send(done)
        except StopIteration:
            return seen
        assert done != "hold on", dispatcher.deadlock()
        seen.append(done.task.name)
        done.run_status = "successful"


def test_a_build_waits_for_a_generator_that_is_created_late(ctx: Context) -> None:
    made: dict[str, object] = {"name": "x", "actions": [], "targets": ["core/src/gen.rs"]}
    order = walk(TaskControl([late(made), *ours(ctx)]), ctx, ["late", "stage"])

    assert order.index("late:x") < order.index("build:x86_64:core_lib")


def test_it_waits_too_when_it_had_been_met_before(ctx: Context) -> None:
    made: dict[str, object] = {
        "name": "x",
        "actions": [],
        "targets": ["beta/src/gen.rs"],
        "task_dep": ["slow"],
    }
    tasks = [late(made), Task("slow", []), *ours(ctx)]
    tasks[0].task_dep.append("build:x86_64:alpha")
    order = walk(TaskControl(tasks), ctx, ["stage", "late"])

    assert order.index("build:x86_64:alpha") < order.index("late:x")
    assert "build:x86_64:beta" in order


def test_a_task_that_is_another_ones_task_dep_and_calc_dep_is_waited_for_once(
    ctx: Context,
) -> None:
    tasks = [Task("b", [], task_dep=["a", "c"], calc_dep=["a"]), Task("a", []), Task("c", [])]

    assert walk(TaskControl([*tasks, *ours(ctx)]), ctx, ["b"]) == ["a", "c", "b"]
