"""A command's options in the form that doit takes."""

from __future__ import annotations

from typing import Any, Final

from doit import cmd_run


def flag(name: str, help_text: str, *, short: str = "") -> dict[str, Any]:
    """An option without a value, off by default; doit passes it as `name` with `_` for `-`."""
    return {
        "name": name.replace("-", "_"), "short": short, "long": name, "type": bool,
        "default": False, "help": help_text,
    }  # fmt: skip


_FORCE = flag(
    "force", "take over output folders that hold files doit-cargo never wrote (they are removed)"
)
_NO_WAIT = flag("no-wait", "fail at once when another doit runs in this workspace")
_TRUST = flag("trust-state", "trust state that another machine wrote; index and push then refuse")
_EVENTS = flag("events", "show the event log on standard error too")
_JSON = {
    "name": "json", "short": "", "long": "json", "type": str, "default": "", "metavar": "FILE",
    "help": "write what was made, and why, to FILE as JSON",
}  # fmt: skip
_REPORTER = {**cmd_run.opt_reporter, "default": "lines"}
_JOBS = {
    **cmd_run.opt_num_process,
    "help": "cargo's --jobs, and how many tasks of your own run at a time; "
    "0 lets cargo choose and runs those one by one [default: %(default)s]",
}

RUN: Final = (
    cmd_run.opt_always, cmd_run.opt_continue, cmd_run.opt_verbosity, _REPORTER,
    cmd_run.opt_outfile, _JOBS, cmd_run.opt_parallel_type, cmd_run.opt_pdb, cmd_run.opt_single,
    cmd_run.opt_auto_delayed_regex, cmd_run.opt_report_failure_verbosity,
    _FORCE, _NO_WAIT, _TRUST, _EVENTS, _JSON,
)  # fmt: skip
"""Those of `doit run`: doit's own, and ours."""
