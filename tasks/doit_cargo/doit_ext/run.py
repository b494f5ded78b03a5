"""`doit run`: doit's command on our runner, with a lock, signals, and one guard for errors."""

from __future__ import annotations

import gc
import os
import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

from doit import cmd_run
from doit.control import TaskControl
from doit.task import Stream

from doit_cargo.core import layout
from doit_cargo.core.errors import StartOver
from doit_cargo.doit_ext.options import flag
from doit_cargo.doit_ext.reporter import LineReporter
from doit_cargo.doit_ext.runner import CargoRunner, in_order
from doit_cargo.doit_ext.selection import Selection
from doit_cargo.doit_ext.tasks import spec_of
from doit_cargo.tools import files
from doit_cargo.tools.log import log
from doit_cargo.tools.run.exit_codes import guarded
from doit_cargo.tools.run.hints import Hints
from doit_cargo.tools.run.lock import RunLock
from doit_cargo.tools.run.ownership import claim

if TYPE_CHECKING:
    from doit_cargo.core.model import Context
    from doit_cargo.tools.run.preflight import Preflight

# Loading makes many objects and no garbage: looking for it takes a tenth of a no-op's own time.
# The runner turns it on again when there is work.
gc.disable()
_STARTED = time.monotonic()  # when doit chose this command

_FORCE = flag(
    "force", "take over output folders that hold files doit-cargo never wrote (they are removed)"
)
_JOBS = {
    "name": "num_process",
    "short": "n",
    "long": "process",
    "type": int,
    "default": 0,
    "help": "cargo's --jobs; 0 leaves it to cargo [default: %(default)s]",
}
_NO_WAIT = flag("no-wait", "fail at once when another doit runs in this workspace")


class Run(cmd_run.Run):
    """Run the pipeline's tasks (the stock options that have a meaning here)."""

    # Where state lies and how files are compared is not the command line's to choose.
    base_options = ()
    cmd_options = (
        cmd_run.opt_always, cmd_run.opt_continue, cmd_run.opt_verbosity, _JOBS, _FORCE, _NO_WAIT,
    )  # fmt: skip

    def execute(self, params: Any, args: list[str]) -> int:
        """Exit codes: 1 a failed crate or check, 3 configuration or tools, 128+n a signal."""
        self._hints = Hints(os.environ)
        Selection.defaults = not args
        try:
            return guarded(
                lambda: int(super(Run, self).execute(params, args)), self._hints.append_to
            )
        finally:
            # the process ends: its objects need not be searched for garbage first, which takes
            # another tenth of a no-op's time (Python does so twice, `gc.disable` or not)
            gc.freeze()

    def _execute(  # noqa: PLR0917 - doit passes each option by its name
        self,
        pipeline: Any,
        verbosity: int | None,
        always: bool,
        continue_: bool,
        num_process: int,
        force_verbosity: bool,
        force: bool,
        no_wait: bool,
    ) -> int:
        config = self._hints.inside(pipeline.ctx).config
        self.dep_manager.backend.open_for_results()
        control = TaskControl(self.task_list)
        control.process(self.sel_tasks)
        log.configure(layout.event_log(config), verbose=(verbosity or 0) > 1)
        terminal = _on_terminal()
        runner = CargoRunner(
            self.dep_manager,
            LineReporter(
                self.outstream or sys.stdout,
                {
                    "terminal": terminal,
                    "root": config.root,
                    "since": _STARTED,
                    "explain": self._hints.append_to,
                },
            ),
            continue_,
            always,
            Stream(verbosity, force_verbosity),
            os.cpu_count() or 1,
        )
        runner.ctx, runner.session = pipeline.ctx, pipeline.session
        runner.preflight = lambda: _preflight(pipeline.ctx, jobs=num_process, color=terminal)
        runner.lock = RunLock(config.root, config.outputs.state)
        if runner.lock.acquire(wait=not no_wait) or self.dep_manager.backend.outdated():
            _start_over()
        try:
            claim(
                config,
                filter(None, map(spec_of, in_order(control.tasks, self.sel_tasks))),
                force=force,
            )
            return runner.run_all(control.task_dispatcher())
        except StartOver as reason:
            sys.stderr.write(f"{reason}\n")
        finally:
            if (index := self.dep_manager.checker.index.save()) is not None:
                files.sweep(
                    config.root, config.outputs.state
                )  # a killed run's; a no-op looks for none
                files.write(config.root, layout.content_index(config), index)
            runner.lock.release()
        return _start_over()


def _preflight(ctx: Context, *, jobs: int, color: bool) -> Preflight:
    """Imported when there is something to compile."""
    from doit_cargo.tools.run.preflight import Preflight

    return Preflight(ctx, jobs=jobs, color=color)


def _start_over() -> NoReturn:
    """The workspace or its state has changed since we read it: read it again."""
    sys.stdout.flush()
    os.execv(  # noqa: S606 - this very command again
        sys.executable, [sys.executable, *sys.orig_argv[1:]]
    )


def _on_terminal() -> bool:
    quiet = os.environ.get("CI") or os.environ.get("NO_COLOR")
    return sys.stdout.isatty() and not quiet
