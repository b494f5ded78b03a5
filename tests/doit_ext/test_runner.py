"""The runner, with a cargo of paper: who runs when, what a failure costs, what is saved."""

from __future__ import annotations

import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import pytest
from doit.control import TaskControl
from doit.dependency import Dependency, JSONCodec
from doit.exceptions import BaseFail
from doit.task import Stream, Task

from doit_cargo.core import layout
from doit_cargo.core.errors import CheckError, MissingToolError, SetupError
from doit_cargo.core.model import Context
from doit_cargo.core.task import Outcome, TaskSpec
from doit_cargo.doit_ext.cargo_work import CargoWork
from doit_cargo.doit_ext.checker import ContentChecker
from doit_cargo.doit_ext.runner import CargoRunner
from doit_cargo.doit_ext.state import TaskStore
from doit_cargo.doit_ext.tasks import doit_tasks
from doit_cargo.tools.cargo.progress import Step
from doit_cargo.tools.run.content_index import FileIndex
from doit_cargo.tools.run.lock import RunLock
from doit_cargo.tools.run.session import Session
from helpers.contexts import context
from helpers.seals import SEAL

CHAIN = "toolchain:x86_64"
BUILDS = [f"build:x86_64:{name}" for name in ("core_lib", "alpha", "beta")]
VERIFIES = ["verify:x86_64:alpha", "verify:x86_64:beta"]
STAGE = "stage:x86_64"
ALL = [CHAIN, *BUILDS, *VERIFIES, STAGE]
DELIVERED = ("core_lib", "alpha", "beta")


class Paper(Session):
    """Delivers crates in that order, the last ones only when `more` is called."""

    def __init__(self, first: int) -> None:
        super().__init__()
        self.first = first
        self.orders: list[list[str]] = []
        self.closed = 0
        self._left: list[Callable[[], None]] = []

    def start(self, orders: Sequence[Any], graph: object, ready: Any, progress: Any) -> None:  # noqa: ANN401
        del graph
        progress(Step(0, 1))
        for order in orders:
            self.orders.append(sorted(order.wanted))
            crates = [name for name in DELIVERED if name in order.wanted]
            for crate in crates[: self.first]:
                ready(order.arch, crate)
            for crate in crates[self.first :]:
                self._left.append(lambda arch=order.arch, crate=crate: ready(arch, crate))  # type: ignore[misc]

    def more(self) -> None:
        """Deliver the rest."""
        for deliver in self._left:
            deliver()

    def cached(self) -> Iterator[Mapping[str, frozenset[str]]]:
        """Each cargo keeps something of a third-party package."""
        for order in self.orders:
            yield {"third": frozenset(order)}

    def close(self) -> None:
        self.closed += 1


class Seen:
    """A reporter that keeps who ended how."""

    def __init__(self) -> None:
        self.ends: list[tuple[str, str]] = []
        self.fails: dict[str, BaseFail] = {}
        self.broken_off = False

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Any other method of a reporter."""

        def note(*arguments: Any) -> None:  # noqa: ANN401
            if name in {"add_success", "skip_uptodate", "add_failure"}:
                self.ends.append((name, arguments[0].name))
            if name == "add_failure":
                self.fails[arguments[0].name] = arguments[1]

        return note


class Ran(NamedTuple):
    """A run: its code, which actions ran in that order, cargo's orders, what was reported."""

    code: int
    acts: list[str]
    orders: list[list[str]]
    reporter: Seen
    session: Paper


class World:
    """Two programs on one library, whose tasks write down that they ran."""

    def __init__(self, root: Path) -> None:
        self.ctx: Context = context(root)
        self.root = self.ctx.config.root
        self.fails: dict[str, Exception] = {}
        self.hooks: dict[str, Callable[[], Outcome | None]] = {}
        self.foreign: list[Task] = []
        self.extra_deps: dict[str, list[str]] = {}
        self.cache: list[dict[str, set[str]]] = []
        self.preflight: Callable[[], Any] = lambda: SimpleNamespace(
            orders=self._orders, cargo_cache=SimpleNamespace(note=self.cache.append)
        )
        self.refreshed: list[list[str]] = []
        self.programs: tuple[str, ...] = ()
        self.acts: list[str] = []
        self.inputs: dict[str, Path] = {}
        self.numbers = itertools.count()

    def _orders(self, plans: Any, *, keep_going: bool, tell: Any) -> list[Any]:  # noqa: ANN401
        del keep_going
        tell("preparing cargo")
        return [
            SimpleNamespace(arch=p.target.arch, wanted=dict.fromkeys(p.crates, ())) for p in plans
        ]

    def _spec(
        self, stage: str, subject: str, inputs: Iterable[Path], outputs: Sequence[Path]
    ) -> TaskSpec:
        name = TaskSpec(stage, "", "x86_64", subject).name

        def action() -> Outcome | None:
            self.acts.append(name)
            if name in self.fails:
                raise self.fails[name]
            for path in outputs:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{name} {next(self.numbers)}")
            return self.hooks[name]() if name in self.hooks else None

        more = filter(None, [self.inputs.get(name)])
        return TaskSpec(
            stage, "", "x86_64", subject, action=action, inputs=(*inputs, *more),
            outputs=tuple(outputs), programs=self.programs if stage == "stage" else (),
        )  # fmt: skip

    def specs(self) -> list[TaskSpec]:
        target, config = self.ctx.config.targets[0], self.ctx.config
        chain = layout.toolchain_record(config, target)
        records = {name: layout.build_record(config, target, name) for name in DELIVERED}
        programs = {name: self.root / "out" / name for name in ("alpha", "beta")}
        verdicts = [self.root / "verdicts" / name for name in programs]
        found = [self._spec("toolchain", "", [self.root / "Cargo.toml"], [chain])]
        for name, folder in zip(DELIVERED, ("core", "alpha", "beta"), strict=True):
            sources = sorted((self.root / folder / "src").iterdir())
            below = [] if name == "core_lib" else [records["core_lib"]]
            made = [records[name], *filter(None, [programs.get(name)])]
            found.append(self._spec("build", name, [*sources, *below, chain], made))
        for name, verdict in zip(programs, verdicts, strict=True):
            found.append(self._spec("verify", name, [programs[name]], [verdict]))
        found.append(self._spec("stage", "", verdicts, [self.root / "staged"]))
        return [*found, TaskSpec("build", "", after=tuple(BUILDS))]

    def run(
        self, *select: str, first: int = 3, keep_going: bool = False, always: bool = False
    ) -> Ran:
        self.acts.clear()
        checker, session, reporter = ContentChecker(Unhurried()), Paper(first), Seen()
        config = self.ctx.config
        manager = Dependency(
            TaskStore, str(layout.state_database(config)), checker_cls=checker, codec_cls=JSONCodec
        )
        manager.backend.open_for_results()
        tasks = [*doit_tasks(self.specs(), checker), *self.foreign]
        control = TaskControl(tasks)
        for name, more in self.extra_deps.items():
            control.tasks[name].task_dep += more
        control.process(list(select or [STAGE]))
        runner = CargoRunner(manager, reporter, keep_going, always, Stream(0))
        lock = RunLock(config.root, config.outputs.state)
        runner.work = CargoWork(
            self.ctx, session, lock, enter=lambda: cast("None", lock.acquire(wait=False)),
            preflight=self.preflight, force=True,
            refresh=lambda builds: self.refreshed.append([task.name for task in builds]),
        )  # fmt: skip
        self.session = session
        try:
            code = runner.run_all(control.task_dispatcher())
        finally:
            lock.release()
            self.last = Ran(-1, list(self.acts), session.orders, reporter, session)
        return self.last._replace(code=code)


class Unhurried(FileIndex):
    """Waits for no tick of the kernel's clock."""

    def __init__(self) -> None:
        super().__init__(Path("/nonexistent"), SEAL)

    def sha256(self, path: str, found: Any = None, *, settle: bool = True) -> str:  # noqa: ANN401
        del settle
        return super().sha256(path, found, settle=False)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def edit(world: World, name: str) -> None:
    path = world.root / name
    path.write_text(path.read_text() + "// edited\n")


def test_the_first_run_does_everything_with_one_cargo_and_the_next_nothing(world: World) -> None:
    first, second = world.run(), world.run()

    assert (first.code, first.orders) == (0, [["alpha", "beta", "core_lib"]])
    assert sorted(first.acts) == sorted(ALL)
    assert first.acts[:2] == [CHAIN, BUILDS[0]]
    assert first.acts[-1] == STAGE
    assert (second.code, second.acts, second.orders) == (0, [], [])
    assert {how for how, _ in second.reporter.ends} == {"skip_uptodate"}
    assert (first.session.closed, second.session.closed) == (1, 1)
    assert world.refreshed == []


def test_what_cargo_keeps_is_remembered_when_it_has_ended(world: World) -> None:
    world.run()
    world.run()

    assert world.cache == [{"third": {"alpha", "beta", "core_lib"}}]


def test_only_a_run_with_work_signs_its_lock(world: World) -> None:
    lock = world.ctx.config.outputs.state / "lock"
    world.run()
    signed = lock.read_text()
    lock.write_text("")
    world.run()

    assert signed.startswith(f"pid {os.getpid()}, since ")
    assert lock.read_text() == ""


EDITS: dict[str, tuple[str, list[str], list[list[str]]]] = {
    "a leaf": ("beta/src/main.rs", [BUILDS[2], VERIFIES[1], STAGE], [["beta"]]),
    "the library below": (
        "core/src/lib.rs", [*BUILDS, *VERIFIES, STAGE], [["alpha", "beta", "core_lib"]],
    ),
    "what all depend on": ("Cargo.toml", ALL, [["alpha", "beta", "core_lib"]]),
    "a binary by hand": ("out/alpha", [BUILDS[1], VERIFIES[0], STAGE], [["alpha"]]),
    "a verdict by hand": ("verdicts/beta", [VERIFIES[1], STAGE], []),
}  # fmt: skip


@pytest.mark.parametrize(("name", "acts", "orders"), EDITS.values(), ids=EDITS.keys())
def test_an_edit_redoes_what_is_made_of_it(
    world: World, name: str, acts: list[str], orders: list[list[str]]
) -> None:
    world.run()
    edit(world, name)
    found = world.run()

    assert (sorted(found.acts), found.orders) == (sorted(acts), orders)
    assert world.run().acts == []


def test_always_does_everything_again(world: World) -> None:
    world.run()

    assert sorted(world.run(always=True).acts) == sorted(ALL)


def test_a_part_of_the_pipeline_is_that_and_what_it_needs(world: World) -> None:
    found = world.run("build:x86_64:alpha")

    assert (found.acts, found.orders) == ([CHAIN, *BUILDS[:2]], [["alpha", "core_lib"]])


def test_what_is_delivered_goes_on_while_cargo_compiles_the_rest(world: World) -> None:
    """Beta comes only after alpha was verified: who waited for all would wait for ever."""
    world.hooks[VERIFIES[0]] = lambda: world.session.more()  # noqa: PLW0108 - it is made later
    found = world.run(first=2)

    assert found.code == 0
    assert found.acts.index("verify:x86_64:alpha") < found.acts.index("build:x86_64:beta")


FAILURES: dict[str, tuple[str, Exception, int]] = {
    "a crate that does not compile": (BUILDS[1], CheckError("error: mismatched types"), 1),
    "a binary that does not pass": (VERIFIES[0], CheckError("deny nx"), 1),
    "a full disk": (VERIFIES[0], OSError(28, "No space left on device", "/x"), 1),
    "a wrong setup": (VERIFIES[0], SetupError("no policy"), 1),
    "a fault of ours": (VERIFIES[0], ValueError("cannot be"), 2),
}


@pytest.mark.parametrize(("task", "error", "code"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_has_its_code_and_takes_along_what_needs_it(
    world: World, task: str, error: Exception, code: int
) -> None:
    """The other program is finished with `--continue`; a dependent is no error of its own."""
    world.fails[task] = error
    found = world.run(keep_going=True)
    failed = {name for how, name in found.reporter.ends if how == "add_failure"}

    after = {BUILDS[1]: [BUILDS[1], VERIFIES[0], STAGE], VERIFIES[0]: [VERIFIES[0], STAGE]}
    assert (found.code, failed) == (code, set(after[task]))
    assert ("add_success", VERIFIES[1]) in found.reporter.ends
    assert found.reporter.fails[STAGE].message == VERIFIES[0]


def test_what_failed_is_tried_again_and_the_rest_is_kept(world: World) -> None:
    world.fails[VERIFIES[0]] = CheckError("no")
    world.run(keep_going=True)
    world.fails.clear()

    assert sorted(world.run().acts) == [STAGE, VERIFIES[0]]


def test_without_continue_nothing_new_begins(world: World) -> None:
    world.fails[CHAIN] = CheckError("no")
    found = world.run()

    assert (found.code, found.acts) == (1, [CHAIN])
    assert found.session.closed == 1


def test_inputs_that_a_build_finds_count_from_then_on(world: World) -> None:
    """And those that it no longer reads do not."""
    found = world.root / "shared.txt"
    found.write_text("x")
    time.sleep(0.05)  # what was written within two ticks of the beginning may be an edit
    world.hooks[BUILDS[1]] = lambda: Outcome(discovered=(str(found),))
    world.run()
    world.inputs[BUILDS[1]] = found
    before = world.run().acts
    found.write_text("y")
    world.hooks[BUILDS[1]] = lambda: Outcome(no_longer=(str(found),))
    after = world.run().acts
    world.inputs.clear()
    found.write_text("z")

    assert (before, sorted(after)) == ([], sorted([BUILDS[1], VERIFIES[0], STAGE]))
    assert world.run().acts == []


def test_an_input_that_changed_during_the_build_is_stale_next_time(world: World) -> None:
    world.hooks[BUILDS[1]] = lambda: edit(world, "alpha/src/main.rs")
    world.run()
    world.hooks.clear()

    assert sorted(world.run().acts) == sorted([BUILDS[1], VERIFIES[0], STAGE])
    assert world.run().acts == []


def test_an_input_that_is_found_and_was_edited_during_the_build_is_stale(world: World) -> None:
    """Whether before or after cargo read it, nobody knows."""
    shared = world.root / "shared.txt"
    shared.write_text("x")

    def found() -> Outcome:
        shared.write_text("y")
        return Outcome(discovered=(str(shared),))

    world.hooks[BUILDS[1]] = found
    world.run()
    world.inputs[BUILDS[1]] = shared
    world.hooks[BUILDS[1]] = lambda: Outcome(discovered=(str(shared),))

    assert sorted(world.run().acts) == sorted([BUILDS[1], VERIFIES[0], STAGE])
    assert world.run().acts == []


def test_an_input_of_any_task_that_was_edited_while_it_ran_is_stale(world: World) -> None:
    """As a Dockerfile, while its image is made."""
    extra = world.root / "Dockerfile"
    extra.write_text("x")
    world.inputs[STAGE] = extra
    world.hooks[STAGE] = lambda: edit(world, "Dockerfile")
    world.run()
    world.hooks.clear()

    assert world.run().acts == [STAGE]
    assert world.run().acts == []


def test_what_cargo_cannot_start_with_ends_the_run(world: World) -> None:
    """Preflight's word is the run's: no summary, nothing runs on, nothing was compiled."""

    def missing() -> Any:  # noqa: ANN401
        raise MissingToolError("no zig: doit setup")

    world.preflight = missing
    with pytest.raises(MissingToolError, match="no zig"):
        world.run()

    assert world.last.reporter.broken_off
    assert (world.last.acts, world.last.session.closed) == ([], 1)


def test_a_run_with_nothing_to_do_asks_no_preflight(world: World) -> None:
    world.run()
    world.preflight = lambda: pytest.fail("it was asked")

    assert world.run().code == 0


def test_a_missing_program_stops_the_task_that_needs_it(world: World) -> None:
    world.programs = ("buildah",)
    with pytest.raises(MissingToolError) as caught:
        world.run()

    assert str(caught.value) == "buildah is not installed: apt-get install buildah"
    assert STAGE not in world.last.acts


def test_groups_are_run_with_what_is_in_them_and_saved_by_nobody(world: World) -> None:
    first, second = world.run("build"), world.run("build")
    store = TaskStore(str(layout.state_database(world.ctx.config)), JSONCodec())

    assert (sorted(first.acts), second.acts) == (sorted([CHAIN, *BUILDS]), [])
    assert ("add_success", "build") not in first.reporter.ends
    assert store.in_(BUILDS[0])
    assert not store.in_("build")


def test_a_state_that_is_gone_costs_a_run_and_nothing_else(world: World) -> None:
    world.run()
    shutil.rmtree(world.ctx.config.outputs.state)
    found = world.run()

    assert (found.code, sorted(found.acts)) == (0, sorted(ALL))


# tasks of others ----------------------------------------------------------------------------


def foreign(world: World, name: str, action: Callable[[], Any], **more: Any) -> None:  # noqa: ANN401
    def act() -> bool:
        world.acts.append(name)
        return action() is not False

    world.foreign.append(Task(name, [act], **more))


def write_source(world: World) -> None:
    (world.root / "alpha/src/made.rs").write_text("pub const MADE: u8 = 1;\n")


def test_cargo_starts_when_what_the_builds_wait_for_has_run(world: World) -> None:
    """And the sources are read again, for they may be others."""
    foreign(world, "codegen", lambda: write_source(world))
    world.extra_deps = {BUILDS[1]: ["codegen"]}
    found = world.run()

    assert found.code == 0
    assert found.acts[0] == "codegen"
    assert found.orders == [["alpha", "beta", "core_lib"]]
    assert world.refreshed == [[CHAIN, *BUILDS]]


def test_a_task_of_others_that_waits_for_a_build_comes_between_two_cargos(world: World) -> None:
    foreign(world, "schema", lambda: None, task_dep=[BUILDS[0]])
    world.extra_deps = {BUILDS[2]: ["schema"]}
    found = world.run()

    assert found.code == 0
    assert found.orders == [["alpha", "core_lib"], ["beta"]]
    assert found.acts.index("schema") < found.acts.index(BUILDS[2])


def test_a_build_whose_prerequisite_of_others_failed_is_not_compiled(world: World) -> None:
    foreign(world, "codegen", lambda: False)
    world.extra_deps = {BUILDS[1]: ["codegen"]}
    found = world.run(keep_going=True)

    assert found.code == 1
    assert found.orders == [["beta", "core_lib"]]
    assert found.reporter.fails[BUILDS[1]].message == "codegen"
    assert ("add_success", VERIFIES[1]) in found.reporter.ends


def test_tasks_of_others_alone_take_no_lock_and_no_cargo(world: World) -> None:
    foreign(world, "web", lambda: None)
    found = world.run("web")

    assert (found.code, found.acts, found.orders) == (0, ["web"], [])
    assert not (world.ctx.config.outputs.state / "lock").exists()


def test_an_error_of_others_is_doits_2(world: World) -> None:
    def broken() -> Mapping[str, Any]:
        return cast("Mapping[str, Any]", 1 // 0)

    foreign(world, "web", broken)

    assert world.run("web").code == 2
