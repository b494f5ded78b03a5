"""The planner, on values: what is stale, what cargo must forget, and what counts by digest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from doit.control import TaskControl
from doit.dependency import DependencyStatus
from doit.task import Task

from doit_cargo.core import layout
from doit_cargo.core.cargo import command
from doit_cargo.core.model import Context
from doit_cargo.core.record import digest, encode
from doit_cargo.doit_ext.checker import ContentChecker
from doit_cargo.doit_ext.planner import Planner
from doit_cargo.doit_ext.prerequisites import Prerequisites
from doit_cargo.doit_ext.tasks import doit_tasks, spec_of
from doit_cargo.pipeline import specs
from doit_cargo.tools.run import rerun
from doit_cargo.tools.run.content_index import FileIndex
from doit_cargo.tools.run.plan import Plan
from doit_cargo.tools.run.session import Session
from helpers.contexts import BOTH, context
from helpers.seals import SEAL

ALL = ("core_lib", "alpha", "beta")
STEPS = ("toolchain", "build", "verify", "package", "stage")


class Planned(NamedTuple):
    """A plan as it is compared."""

    crates: tuple[str, ...]
    dropped: frozenset[str] = frozenset()
    drop_all: bool = False
    rerun: bool = False


def planned(*crates: str, dropped: Sequence[str] = (), **flags: bool) -> Planned:
    return Planned(crates, frozenset(dropped), **flags)


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """Two programs on one library, for two architectures."""
    return context(tmp_path_factory.mktemp("paper"), config=BOTH)


class World:
    """The tasks of a context, what doit would say of each, and the toolchain's records."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.reasons: dict[str, dict[str, Any]] = {}
        self.content: dict[str, str] = {}
        self.asked: list[str] = []
        for target in ctx.config.targets:
            env = digest(command.readable(ctx, target))
            self.record(target.arch, env=env, target=str(ctx.graph.target_directory))
        found = specs(ctx, Session(), STEPS)
        checker = ContentChecker(FileIndex(Path("/nonexistent"), SEAL))
        self.control = TaskControl(list(doit_tasks(found, checker)))

    def record(self, arch: str, **content: str) -> None:
        """What the last build left of a toolchain."""
        (target,) = [target for target in self.ctx.config.targets if target.arch == arch]
        path = layout.toolchain_record(self.ctx.config, target)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(content))

    def stale(self, task: str, **reasons: Any) -> None:  # noqa: ANN401 - as doit has them
        self.reasons[task] = reasons

    def status(self, task: Task) -> DependencyStatus:
        """As doit's `get_status` with its log on."""
        self.asked.append(task.name)
        found = DependencyStatus(get_log=True)
        reasons = self.reasons.get(task.name, {})
        for reason, what in reasons.items():
            found.set_reason(reason, what)
        task.dep_changed = reasons.get("changed_file_dep", [])
        return found

    def pin(self, path: str) -> str:
        """The checker's answer."""
        return self.content.get(path, "as it was")

    def plan(self, *selected: str, always: bool = False) -> dict[str, Planned]:
        return {p.target.arch: _told(p) for p in self.planner(*selected, always=always)[1]}

    def planner(self, *selected: str, always: bool = False) -> tuple[Planner, tuple[Plan, ...]]:
        planner = Planner(self.ctx, cast("ContentChecker", self), self.status)
        self.control.process(list(selected or ("stage:x86_64", "stage:aarch64")))
        tasks = Prerequisites(self.control.task_dispatcher()).builds(())
        return planner, planner.plans(tasks, always=always)

    def path(self, name: str) -> str:
        return str(self.ctx.graph.root / name)

    def identity(self, kind: str) -> str:
        """A file of the toolchain of x86_64."""
        (found,) = [p for p in self.ctx.toolchains["x86_64"].identity if p.name.startswith(kind)]
        return str(found)

    def state(self, name: str) -> str:
        return str(self.ctx.config.outputs.state / "records" / "x86_64" / name)


def _told(plan: Plan) -> Planned:
    return Planned(tuple(plan.crates), frozenset(plan.dropped), plan.drop_all, plan.rerun_scripts)


@pytest.fixture
def world(paper: Context) -> World:
    return World(paper)


class Case(NamedTuple):
    """What doit says of which task (task, reason, files), and the plan for x86_64.

    Files are named as they lie below the workspace; `<` marks one of the state folder's records
    and `>` one of the toolchain.
    """

    reasons: tuple[tuple[str, str, str], ...]
    expected: Planned | None


CORE, ALPHA, BETA = (f"build:x86_64:{name}" for name in ALL)
CHAIN = "toolchain:x86_64"
CASES = {
    "nothing": Case((), None),
    "a leaf's source": Case(
        ((ALPHA, "changed_file_dep", "alpha/src/main.rs"),), planned("alpha", dropped=["alpha"])
    ),
    "a leaf's new source": Case(
        ((ALPHA, "added_file_dep", "alpha/src/new.rs"),), planned("alpha", dropped=["alpha"])
    ),
    "a leaf's lost source": Case(
        ((BETA, "removed_file_dep", "beta/src/old.rs"),), planned("beta", dropped=["beta"])
    ),
    "both leaves": Case(
        (
            (ALPHA, "changed_file_dep", "alpha/src/main.rs"),
            (BETA, "changed_file_dep", "beta/src/main.rs"),
        ),
        planned("alpha", "beta", dropped=["alpha", "beta"]),
    ),
    "the library below passes along the edges, and alone is forgotten": Case(
        ((CORE, "changed_file_dep", "core/src/lib.rs"),), planned(*ALL, dropped=["core_lib"])
    ),
    "the library, and a leaf of its own": Case(
        (
            (CORE, "changed_file_dep", "core/src/lib.rs"),
            (BETA, "changed_file_dep", "beta/src/main.rs"),
        ),
        planned(*ALL, dropped=["core_lib", "beta"]),
    ),
    "an upstream's record alone: cargo sees that by itself": Case(
        ((ALPHA, "changed_file_dep", "<build/core_lib.json"),), planned("alpha")
    ),
    "an output is gone": Case(
        ((ALPHA, "missing_target", "target/x/alpha"),), planned("alpha", dropped=["alpha"])
    ),
    "an output was touched, or settings changed": Case(
        ((ALPHA, "uptodate_false", "Intact"),), planned("alpha", dropped=["alpha"])
    ),
    "never run": Case(
        ((ALPHA, "changed_file_dep", "<toolchain/toolchain.json"), (ALPHA, "missing_target", "x")),
        planned("alpha", dropped=["alpha"]),
    ),
    "the compiler is another": Case(
        ((CHAIN, "changed_file_dep", ">rustc"),), planned(*ALL, drop_all=True)
    ),
    "std is another": Case(
        ((CHAIN, "changed_file_dep", ">libstd"),), planned(*ALL, drop_all=True)
    ),
    "something of the toolchain is no longer in use": Case(
        ((CHAIN, "removed_file_dep", "opt/protoc"),),
        planned(*ALL, dropped=ALL, rerun=True),
    ),
    "the workspace's manifest: cargo sees that by itself": Case(
        ((CHAIN, "changed_file_dep", "Cargo.toml"),), planned(*ALL)
    ),
    "the lock file": Case(((CHAIN, "changed_file_dep", "Cargo.lock"),), planned(*ALL)),
    "a toolchain file": Case(
        ((CHAIN, "added_file_dep", "rust-toolchain.toml"),), planned(*ALL)
    ),
    "a toolchain file of the old kind": Case(
        ((CHAIN, "removed_file_dep", "rust-toolchain"),), planned(*ALL)
    ),
    "cargo's configuration may set a variable that a script or macro reads": Case(
        ((CHAIN, "changed_file_dep", ".cargo/config.toml"),),
        planned(*ALL, dropped=ALL, rerun=True),
    ),
    "the argv that all builds share": Case(((CHAIN, "uptodate_false", "Intact"),), planned(*ALL)),
    "the toolchain's record was removed by hand, and all else is as it was": Case(
        ((CHAIN, "missing_target", "<toolchain/toolchain.json"),), planned(*ALL)
    ),
    "what comes after the build is none of cargo's business": Case(
        (
            ("verify:x86_64:alpha", "uptodate_false", "Intact"),
            ("stage:x86_64", "missing_target", "x"),
        ),
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_cargo_must_compile_and_forget(world: World, case: Case) -> None:
    """The other architecture, of which nothing is stale, has no plan in any case."""
    for task, reason, name in case.reasons:
        if name[0] == "<":
            path = world.state(name[1:])
        else:
            path = world.identity(name[1:]) if name[0] == ">" else world.path(name)
        world.reasons.setdefault(task, {}).setdefault(reason, []).append(path)

    expected = {"x86_64": case.expected} if case.expected else {}
    assert world.plan() == expected


REMEMBERED: Mapping[str, tuple[Callable[[World], dict[str, str]], Planned]] = {
    "nothing": (lambda _: {}, planned(*ALL, dropped=ALL, drop_all=True, rerun=True)),
    "another environment": (
        lambda w: {"env": "other", "target": _folder(w)}, planned(*ALL, dropped=ALL, rerun=True),
    ),
    "another target folder": (
        lambda w: {"env": _env(w), "target": "/elsewhere"}, planned(*ALL, dropped=ALL),
    ),
    "no target folder: a record of before": (
        lambda w: {"env": _env(w)}, planned(*ALL, dropped=ALL),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("known", "expected"), REMEMBERED.values(), ids=REMEMBERED.keys())
def test_what_the_last_build_is_remembered_by(
    world: World, known: Callable[[World], dict[str, str]], expected: Planned
) -> None:
    """Our own ignorance costs everything; a variable that a macro may have read, all crates."""
    world.record("x86_64", **known(world))
    world.stale(CHAIN, uptodate_false=["Intact"])

    assert world.plan() == {"x86_64": expected}


def _env(world: World) -> str:
    return digest(command.readable(world.ctx, world.ctx.config.targets[0]))


def _folder(world: World) -> str:
    return str(world.ctx.graph.target_directory)


def test_a_vendored_package_whose_list_changed_is_forgotten(paper: Context) -> None:
    """The list is a file of the toolchain's, of no crate of ours, and sets no variable."""
    listed = paper.graph.root / "vendor" / "third" / ".cargo-checksum.json"
    graph = paper.graph._replace(vendored=(listed,))
    (listed.parent / "src").mkdir(parents=True, exist_ok=True)
    listed.with_name("Cargo.toml").write_text('[package]\nname = "third"\nversion = "1.0.0"\n')
    listed.write_text('{"files": {}}')
    world = World(paper._replace(graph=graph))
    world.stale(CHAIN, changed_file_dep=[str(listed)])

    assert world.plan() == {"x86_64": planned(*ALL, dropped=["third"])}


def test_always_plans_everything_and_forgets_nothing(world: World) -> None:
    everything = planned(*ALL)

    assert world.plan(always=True) == {"x86_64": everything, "aarch64": everything}


def test_each_architecture_has_a_plan_of_its_own(world: World) -> None:
    world.stale(ALPHA, changed_file_dep=[world.path("alpha/src/main.rs")])
    world.stale("build:aarch64:core_lib", missing_target=["x"])

    assert world.plan() == {
        "x86_64": planned("alpha", dropped=["alpha"]),
        "aarch64": planned(*ALL, dropped=["core_lib"]),
    }


def test_only_what_is_selected_is_planned(world: World) -> None:
    for task in (CORE, ALPHA, BETA, "build:aarch64:beta"):
        world.stale(task, missing_target=["x"])

    assert world.plan("build:x86_64:alpha") == {
        "x86_64": planned("core_lib", "alpha", dropped=["core_lib", "alpha"])
    }


def test_a_stale_toolchain_without_a_crate_is_no_work_for_cargo(world: World) -> None:
    world.stale(CHAIN, changed_file_dep=[world.identity("rustc")])

    planner, plans = world.planner(CHAIN)

    assert (plans, list(planner.digests)) == ((), [CHAIN])


def test_an_error_of_doits_is_no_reason_to_call_it_fresh(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(task: Task) -> DependencyStatus:
        found = DependencyStatus(get_log=True)
        if task.name == ALPHA:
            found.add_reason("missing_file_dep", "x", "error")
        return found

    monkeypatch.setattr(world, "status", broken)

    assert world.plan() == {"x86_64": planned("alpha")}


def test_each_build_is_asked_once_and_after_what_is_below_it(world: World) -> None:
    """And nothing but builds: a status costs a look at every file."""
    world.plan("stage:x86_64")

    assert world.asked == [CHAIN, CORE, ALPHA, BETA]


def test_what_is_up_to_date_is_not_asked_again(world: World) -> None:
    """The answers that hold for the whole run, by task; the others have a digest each."""
    world.stale(ALPHA, missing_target=["x"])
    planner, _ = world.planner("build:x86_64")
    asked = len(world.asked)
    tasks = [world.control.tasks[name] for name in (CHAIN, CORE, ALPHA, BETA)]

    assert [planner.answer(task).status for task in tasks] == [
        "up-to-date", "up-to-date", "run", "up-to-date",
    ]  # fmt: skip
    assert [planner.is_current(task) for task in tasks] == [True, True, False, True]
    assert list(planner.digests) == [ALPHA]
    assert len(world.asked) == asked


class Asking:
    """Stands for the build scripts: which were asked, and which said something else."""

    def __init__(self, *changed: tuple[str, str]) -> None:
        self.changed = frozenset(changed)
        self.asked: list[tuple[str, str]] = []

    def __call__(self, ctx: Context, questions: Sequence[Any]) -> frozenset[tuple[str, str]]:
        del ctx
        self.asked += [(question.target.arch, question.crate) for question in questions]
        return self.changed.intersection(self.asked)


def asks(world: World, *names: str) -> None:
    """Have the build scripts of these tasks want to be asked."""
    for name in names:
        spec = spec_of(world.control.tasks[name])
        assert spec
        cast("Any", world.control.tasks[name]).spec = spec._replace(asks=True)


class Asked(NamedTuple):
    """What is stale, whose script says something else, who is asked, and what is planned."""

    stale: str
    changed: str
    asked: list[str]
    expected: Planned | None


# A script that wants to run in every build runs in every build: what it made is forgotten.
BOTH_RUN = ["core_lib", "alpha"]
ASKED = {
    "nobody says anything new": Asked("", "", ["alpha", "core_lib"], None),
    "a leaf's script says something else": Asked(
        "", "alpha", ["alpha", "core_lib"], planned("alpha", dropped=["alpha"])
    ),
    "the library's does, and takes all above it along": Asked(
        "", "core_lib", ["alpha", "core_lib"], planned(*ALL, dropped=BOTH_RUN)
    ),
    "a stale one is cargo's to run": Asked(
        ALPHA, "alpha", ["core_lib"], planned("alpha", dropped=["alpha"])
    ),
    "so is one above a stale one": Asked(CORE, "alpha", [], planned(*ALL, dropped=BOTH_RUN)),
    "and one under another toolchain": Asked(
        CHAIN, "core_lib", [], planned(*ALL, dropped=BOTH_RUN)
    ),
}


@pytest.mark.parametrize("case", ASKED.values(), ids=ASKED.keys())
def test_build_scripts_are_asked_of_crates_with_nothing_else_to_do(
    world: World, monkeypatch: pytest.MonkeyPatch, case: Asked
) -> None:
    asking = Asking(("x86_64", case.changed))
    monkeypatch.setattr(rerun, "changed", asking)
    asks(world, ALPHA, CORE)
    if case.stale == CHAIN:
        world.stale(CHAIN, uptodate_false=["Intact"])
    elif case.stale:
        world.stale(case.stale, changed_file_dep=[world.state("build/below.json")])
    found = world.plan()

    assert sorted(crate for _, crate in asking.asked) == case.asked
    assert found == ({"x86_64": case.expected} if case.expected else {})


def test_when_everything_is_built_anyway_nobody_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Asking()
    monkeypatch.setattr(rerun, "changed", asking)
    asks(world, ALPHA)

    assert world.plan(always=True)["x86_64"] == planned(*ALL, dropped=["alpha"])
    assert asking.asked == []


class Change(NamedTuple):
    """Something that differs between two runs, and the crates whose digest differs with it."""

    make: Callable[[World], None]
    differ: set[str]


CHANGES = {
    "nothing": Change(lambda _: None, set()),
    "a leaf's bytes": Change(
        lambda w: w.content.update({w.path("alpha/src/main.rs"): "new"}), {ALPHA}
    ),
    "the library's bytes, by way of its digest": Change(
        lambda w: w.content.update({w.path("core/src/lib.rs"): "new"}), {CORE, ALPHA, BETA}
    ),
    "the compiler's bytes": Change(
        lambda w: w.content.update({w.identity("rustc"): "new"}), {CHAIN, CORE, ALPHA, BETA}
    ),
    "a file that is gone": Change(
        lambda w: w.control.tasks[ALPHA].file_dep.remove(w.path("alpha/src/main.rs")), {ALPHA}
    ),
    "a file that is not there counts for nothing": Change(
        lambda w: w.control.tasks[ALPHA].file_dep.add(w.path("alpha/src/never.rs")), set()
    ),
    "settings": Change(
        lambda w: _set_fingerprint(w.control.tasks[CHAIN]), {CHAIN, CORE, ALPHA, BETA}
    ),
}  # fmt: skip


def _set_fingerprint(task: Task) -> None:
    spec = spec_of(task)
    assert spec
    cast("Any", task).spec = spec._replace(fingerprint="other")


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_digest_is_over_all_that_a_crate_is_made_of(paper: Context, change: Change) -> None:
    before = World(paper).planner("build:x86_64", always=True)[0].digests
    world = World(paper)
    change.make(world)
    after = world.planner("build:x86_64", always=True)[0].digests

    assert list(after) == [CHAIN, CORE, ALPHA, BETA]
    assert {name for name in after if after[name] != before[name]} == change.differ
