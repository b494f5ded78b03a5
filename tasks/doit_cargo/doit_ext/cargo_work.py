"""Gives cargo its work in a run: puts builds aside, plans them, sends the orders."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from doit.task import Task

from doit_cargo.core.model import Context
from doit_cargo.core.task import TaskSpec
from doit_cargo.doit_ext.admission import admit
from doit_cargo.doit_ext.planner import Planner, Why, is_planned
from doit_cargo.doit_ext.prerequisites import Prerequisites
from doit_cargo.doit_ext.status import status_of
from doit_cargo.doit_ext.tasks import spec_of
from doit_cargo.tools import files
from doit_cargo.tools.run.lock import RunLock
from doit_cargo.tools.run.session import Ready, Session

if TYPE_CHECKING:
    from doit_cargo.tools.run.preflight import Preflight


class OthersError(Exception):
    """Code of the user's own has raised what would be a message if ours had: see the cause."""


@contextmanager
def others_code() -> Iterator[None]:
    """Show what another's `uptodate` raises as doit does, with its traceback.

    An error without a file's name is one of writing to the screen, which is ours.
    """
    try:
        yield
    except (OSError, ImportError, RuntimeError) as error:
        named = getattr(error, "filename", "") not in (None, "standard output")
        if isinstance(error, OSError) and not named:
            raise
        raise OthersError(str(error)) from error


class CargoWork:
    """Plans once, as a rule; again where a task of the user's own stands between two builds.

    `enter` takes the workspace's lock. `preflight` makes the checks before the first compilation.
    `refresh` reads the sources of these build tasks again.
    """

    def __init__(
        self,
        ctx: Context,
        session: Session,
        lock: RunLock,
        *,
        enter: Callable[[], None],
        preflight: Callable[[], Preflight],
        refresh: Callable[[Iterable[Task]], None],
        force: bool,
    ) -> None:
        self.ctx = ctx
        self._session = session
        self._lock = lock
        self._enter = enter
        self._make_preflight = preflight
        self._refresh = refresh
        self._force = force
        self._aside: list[Any] = []
        self._idle: list[Task] = []
        self._ordered: set[tuple[str, str]] = set()
        self._preflight: Preflight | None = None

    def begin(self, runner: Any, ready: Ready) -> None:
        """Take over what the runner asks doit's state."""
        self._runner = runner
        self._ready = ready
        self._prerequisites = Prerequisites(runner.dispatcher)
        manager = runner.dep_manager
        ask, ignored = manager.get_status, manager.status_is_ignore

        def status(task: Task) -> Any:
            with manager.checker.pinning():
                return status_of(task, manager)

        self._planner = planner = Planner(self.ctx, manager.checker, status)

        def answer(task: Task, tasks: Any) -> Any:
            if spec_of(task):
                return planner.answer(task)
            with others_code():
                return ask(task, tasks)

        # doit's dependency manager has no other hook: a task that was planned stays as it was
        # found, and one that somebody ignores is still one of ours
        manager.get_status = answer
        manager.status_is_ignore = lambda task: spec_of(task) is None and ignored(task)

    @property
    def why(self) -> Mapping[str, Why]:
        """Why each task was rebuilt that a plan decided on, by its name."""
        return self._planner.why

    def enter(self) -> None:
        """Hold the lock: a task may be one of ours that nobody knew of when the run began.

        Raises StartOver if another run was under way: what was read may be old.
        """
        if not self._lock.held:
            self._enter()

    def must_plan(self, node: Any, spec: TaskSpec) -> bool:
        """Whether the task's status is not known before a plan is made."""
        return is_planned(spec) and not self._planner.knows(spec) and not node.bad_deps

    def admit(self, spec: TaskSpec) -> None:
        """Check again what it needs: of those known at the start all was there before any ran.

        Raises MissingToolError for a program, SetupError for foreign files in its folder.
        """
        admit(self.ctx, [spec], force=self._force)

    def put_aside(self, node: Any) -> None:
        """Keep a build until it is planned."""
        self._aside.append(node)

    def may_plan(self, *, quiet: bool) -> bool:
        """Whether builds wait for a plan alone. `quiet`: nothing else is under way."""
        return bool(self._aside) and (quiet or not self._prerequisites.unfinished())

    def is_ordered(self, arch: str, crate: str) -> bool:
        """Whether cargo has been told to build the crate."""
        return (arch, crate) in self._ordered

    def plan(self) -> list[Any]:
        """Decide what cargo compiles, and start it; the builds that can now go on."""
        builds = self._prerequisites.builds(self._aside)
        if self._prerequisites.others_ran():
            self._refresh(builds)
        if self._preflight:  # cargo has run before: what it left must be known
            self._session.settle()
            self.remember()
        plans = self._planner.plans(builds, always=self._runner.always_execute)
        if self._planner.digests:
            self._session.note(self._planner.digests)
            gc.enable()
            self._lock.sign()
            files.sweep(self.ctx.config.root, self.ctx.config.outputs.state)
        if plans:
            self._order(plans)
            self._idle = [task for task in builds if self._planner.is_current(task)]
        return self._released()

    def _order(self, plans: Any) -> None:
        from doit_cargo.tools.cargo.progress import Step

        progress = getattr(self._runner.reporter, "progress", None) or (lambda _: None)
        self._preflight = self._preflight or self._make_preflight()
        orders = self._preflight.orders(
            plans, keep_going=self._runner.continue_, tell=lambda note: progress(Step(note=note))
        )
        self._ordered |= {(order.arch, crate) for order in orders for crate in order.wanted}
        self._session.start(orders, self.ctx.graph, self._ready, progress)

    def _released(self) -> list[Any]:
        """Those that are planned, and those of which a prerequisite has failed."""
        for node in self._aside:
            node.bad_deps += self._prerequisites.failed(node.task)
        released = [n for n in self._aside if n.bad_deps or self._planner.knows(n.task.spec)]
        self._aside = [node for node in self._aside if node not in released]
        return released

    def remember(self) -> None:
        """Know what cargo keeps for later builds, and what it wrote for a task with nothing to do.

        It may have written the same bytes again.
        """
        for task in self._idle:
            for path in task.spec.made():
                self._runner.dep_manager.checker.output_state(path)
        made: dict[str, set[str]] = {}
        for name, paths in (pair for cached in self._session.cached() for pair in cached.items()):
            made.setdefault(name, set()).update(paths)
        if made and self._preflight:
            self._preflight.cargo_cache.note(made)
        if builds := self._session.builds:
            from doit_cargo.tools.run import pace

            pace.note(self.ctx.config, builds)

    def stop_builds(self) -> None:
        """End the cargo that runs."""
        self._session.stop_builds()

    def close(self) -> None:
        """End everything that still runs."""
        self._session.close()
