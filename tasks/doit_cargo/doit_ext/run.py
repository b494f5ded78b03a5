"""`doit run`: doit's command on our runner, with a lock, signals, and one guard for errors."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from doit import cmd_run
from doit.action import PythonAction
from doit.control import TaskControl
from doit.exceptions import InvalidCommand, InvalidDodoFile
from doit.task import Stream, Task

from doit_cargo.core import layout
from doit_cargo.core.errors import SetupError, StartOver, UsageError
from doit_cargo.core.reach import reachable
from doit_cargo.doit_ext.admission import admit
from doit_cargo.doit_ext.cargo_work import CargoWork
from doit_cargo.doit_ext.dispatcher import Dispatcher
from doit_cargo.doit_ext.neighbours import explain_names, others, together
from doit_cargo.doit_ext.options import RUN
from doit_cargo.doit_ext.prerequisites import selected_specs
from doit_cargo.doit_ext.reporter import LineReporter
from doit_cargo.doit_ext.runner import CargoRunner
from doit_cargo.doit_ext.screen import Looks
from doit_cargo.doit_ext.selection import Selection, select, variables
from doit_cargo.doit_ext.tasks import spec_of
from doit_cargo.tools import console, files
from doit_cargo.tools.key import Trust
from doit_cargo.tools.log import log
from doit_cargo.tools.run.exit_codes import guarded
from doit_cargo.tools.run.hints import Hints
from doit_cargo.tools.run.lock import RunLock

if TYPE_CHECKING:
    from doit_cargo.core.model import Context
    from doit_cargo.doit_ext.github import Github
    from doit_cargo.tools.run.preflight import Preflight

# Loading makes many objects and no garbage: looking for it takes a tenth of a no-op's own time.
# It is turned on again when there is work.
gc.disable()
_STARTED = time.monotonic()  # when doit chose this command

# Of what our DOIT_CONFIG says doit must know something, or it ends with a traceback before
# `_execute` can say that it is not there.
_STOCK = {
    "backend": "doit-cargo", "dep_file": ".doit.db", "codec_cls": "json",
    "check_file_uptodate": "md5",
}  # fmt: skip


class Run(cmd_run.Run):
    """Run tasks: the pipeline's beside one cargo, all others as stock doit does."""

    # Where state lies and how files are compared is not the command line's to choose.
    base_options = ()
    cmd_options = RUN

    def get_reporters(self) -> Any:
        """Doit's own, and ours."""
        found = {**super().get_reporters(), "lines": LineReporter}
        self.cmdparser["reporter"].choices = {name: kind.desc for name, kind in found.items()}
        return found

    def execute(self, params: Any, args: list[str]) -> int:
        """Exit codes: 1 a failed crate or check, 3 configuration or tools, 128+n a signal."""
        self._hints = Hints(os.environ)
        self._options = params
        self._github: Github | None = None
        params.add_defaults(_STOCK)
        Selection.defaults = not args
        Trust.others = params["trust_state"]
        try:
            return guarded(
                lambda: int(super(Run, self).execute(params, args)), self._hints.append_to
            )
        except InvalidDodoFile as error:
            raise explain_names(error) from None
        finally:
            # the process ends: its objects need not be searched for garbage first, which takes
            # another tenth of a no-op's time (Python does so twice, `gc.disable` or not)
            gc.freeze()

    def _execute(self, outfile: Any) -> int:
        options = self._options
        pipeline = options.get("pipeline")
        if pipeline is None:
            raise SetupError(
                "DOIT_CONFIG in dodo.py lacks doit-cargo's settings: take the dictionary that "
                "load(__file__) returns, and add yours to it"
            )
        self._hints.inside(pipeline.ctx)
        self.dep_manager.backend.open_for_results()
        PythonAction.pm_pdb = options["pdb"]
        now = time.time()  # ids sort by it, two of the same second too
        second = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now))
        self._id = f"{second}-{int(now % 1 * 0x10000):04x}"
        log.configure(
            layout.event_log(pipeline.ctx.config), run=self._id, verbose=options["events"]
        )
        control = self._control(pipeline)
        opened = open(outfile, "w", encoding="utf-8") if isinstance(outfile, str) else None  # noqa: SIM115
        self.outstream = opened or outfile or sys.stdout
        try:
            return self._run(pipeline, control)
        finally:
            if opened:
                opened.close()

    def _control(self, pipeline: Any) -> TaskControl:
        """Who is there, who waits for whom, and what is selected."""
        delayed = self._options["auto_delayed_regex"]
        control, self._sources = together(self.task_list, pipeline, delayed=delayed)
        select(control, self.sel_tasks, pipeline)
        if self._options["single"]:
            _single(control)
        return control

    def _run(self, pipeline: Any, control: TaskControl) -> int:
        config, options = pipeline.ctx.config, self._options
        specs = selected_specs(control)
        lock = RunLock(config.root, config.outputs.state)
        runner = self._runner(pipeline, lock)
        try:
            if specs:
                self._enter(lock)
            admit(pipeline.ctx, specs, force=options["force"])
            dispatcher = Dispatcher(
                control.tasks, control.targets, control.selected_tasks, self._sources.adopt
            )
            code = runner.run_all(dispatcher)
        except StartOver as reason:
            if str(reason):
                console.warn(str(reason))
        else:
            self._report(pipeline.ctx, runner, code)
            return code
        finally:
            self._save_index(pipeline)
            lock.release()
        return _start_over()

    def _runner(self, pipeline: Any, lock: RunLock) -> CargoRunner:
        options, looks = self._options, Looks.of(self.outstream, os.environ)
        runner = CargoRunner(
            self.dep_manager,
            self._reporter(pipeline, looks),
            options.get("continue"),
            options["always"],
            Stream(options["verbosity"], options["force_verbosity"]),
        )

        runner.sources = self._sources

        def preflight() -> Preflight:
            from doit_cargo.tools.run.preflight import Preflight

            return Preflight(pipeline.ctx, jobs=options["num_process"], color=looks.colours)

        def refresh(builds: Iterable[Task]) -> None:
            pipeline.refresh(builds)
            self._sources.leave_out(builds)

        runner.work = CargoWork(
            pipeline.ctx, pipeline.session, lock, enter=lambda: self._enter(lock),
            preflight=preflight, refresh=refresh, force=options["force"],
        )  # fmt: skip
        if options["num_process"] and others(self.task_list):
            from doit_cargo.doit_ext.workers import Workers

            kind, count = options["par_type"], options["num_process"]
            if kind not in ("process", "thread"):
                raise InvalidCommand(f"Invalid parallel type {kind}")  # doit's own words
            runner.workers = Workers(count, threads=kind == "thread", runner=runner)
        return runner

    def _reporter(self, pipeline: Any, looks: Looks) -> Any:
        """The class of that name, one of DOIT_CONFIG's own, or an instance."""
        chosen = self._options["reporter"]
        kind = self.reporters[chosen] if isinstance(chosen, str) else chosen
        if kind is not LineReporter and self._options["json"]:
            raise UsageError("--json works only with the reporter `lines`")
        if not isinstance(kind, type):
            return kind
        if kind is LineReporter and os.environ.get("GITHUB_ACTIONS") == "true":
            from doit_cargo.doit_ext.github import Github

            self._github = Github(pipeline.ctx.graph.root, os.environ)
        options = {
            "failure_verbosity": self._options["failure_verbosity"],
            "looks": looks,
            "root": pipeline.ctx.config.root,
            "workspace": pipeline.ctx.graph.root,
            "since": _STARTED,
            "explain": self._hints.of,
            "github": self._github,
            "warnings": (self._options["verbosity"] or 0) > 0,
            "again": " ".join((console.Door.name, *variables())),
        }
        return kind(self.outstream, options)

    def _report(self, ctx: Context, runner: CargoRunner, code: int) -> None:
        """Write down how it ended, for the one who asked."""
        if not isinstance(runner.reporter, LineReporter):  # it knows no results
            return
        results = runner.reporter.results()
        did = any(results.tasks[how] for how in ("run", "failed"))
        if not (did or self._options["json"] or self._github):
            return
        from doit_cargo.core.document import document
        from doit_cargo.doit_ext import history, run_report

        found = run_report.body(ctx, results, runner.work.why, code)
        if did:
            history.note(ctx, self._id, found)
        if file := self._options["json"]:
            path = Path(console.Door.folder, file).resolve()
            files.write(path.parent, path, f"{document(**found)}\n".encode())
        if self._github:
            self._github.write_summary(found)

    def _enter(self, lock: RunLock) -> None:
        """Take the lock. Raises StartOver if another run may have changed what we have read."""
        if lock.acquire(wait=not self._options["no_wait"]) or self.dep_manager.backend.outdated():
            raise StartOver

    def _save_index(self, pipeline: Any) -> None:
        config = pipeline.ctx.config
        if (index := self.dep_manager.checker.index.save()) is not None:
            files.sweep(config.root, config.outputs.state)  # a no-op looks for no killed run's
            files.save(config.root, layout.content_index(config), index)


def _single(control: TaskControl) -> None:
    """`-s`: these tasks alone, as stock doit has it; of ours each after those of them it needs."""
    tasks = control.tasks
    names = reachable(control.selected_tasks, lambda n: tasks[n].task_dep * tasks[n].has_subtask)
    for task in (tasks[name] for name in names if not tasks[name].has_subtask):
        ours = spec_of(task) is not None
        task.task_dep = [name for name in task.task_dep if ours and name in names]


def _start_over() -> NoReturn:
    """The workspace or its state has changed since we read it: read it again."""
    sys.stdout.flush()
    if console.Door.folder:
        os.chdir(console.Door.folder)
    os.execv(  # noqa: S606 - this very command again
        sys.executable, [sys.executable, *sys.orig_argv[1:]]
    )
