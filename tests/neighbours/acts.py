"""What the tasks of a random dodo.py do. It is copied beside that dodo.py, for stock doit and ours.

Each action notes its start and end in `ran.log`, prints, and writes its targets from its inputs.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

from doit import control, exceptions

_OURS = ("stage", "package:x86_64", "build")


class _Ordered(dict[Any, None]):
    """A set that remembers the order: doit's own yields by address, another order each time."""

    def add(self, item: Any) -> None:  # noqa: ANN401
        self[item] = None


def settle() -> None:
    """Have doit take waiting tasks in the order in which they began to wait, and always end.

    It waits for ever if a task is another's task_dep and calc_dep, but for some orders.
    """
    plain, wait = control.ExecNode.__init__, control.TaskDispatcher._node_add_wait_run  # noqa: SLF001

    def ordered(self: Any, *args: Any) -> None:  # noqa: ANN401
        plain(self, *args)
        self.waiting_me = _Ordered()

    def once(self: Any, node: Any, names: list[str], calc: bool = False) -> None:  # noqa: ANN401
        wait(self, node, [name for name in names if calc or name not in node.wait_run_calc], calc)
        node.wait_run -= node.wait_run_calc

    control.ExecNode.__init__ = ordered
    control.TaskDispatcher._node_add_wait_run = once  # noqa: SLF001


def note(*words: object) -> None:
    """Add a line to the log; a line is written at once, by whatever process."""
    log = os.open("ran.log", os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    os.write(log, (" ".join(map(str, words)) + "\n").encode())
    os.close(log)


def read(path: str) -> str:
    """A file's text, "" if it is not there."""
    return Path(path).read_text() if Path(path).exists() else ""


def act(  # doit passes what is named here
    name: str,
    said: dict[str, Any],
    dependencies: list[str],
    changed: list[str],
    targets: list[str],
    **options: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """An action: print, write, end as it was told."""
    shown = {key: _shown(key, value) for key, value in sorted(options.items())}
    note("start", name, sorted(changed), shown)
    sys.stdout.write(f"{name} prints\n")
    sys.stderr.write(f"{name} warns\n")
    inputs = [(path, read(path)) for path in sorted(dependencies)]
    again = read("ran.log").count(f"start {name} ") if said.get("counts") else 0
    text = f"{name} {hashlib.sha256(repr((inputs, shown, again)).encode()).hexdigest()}\n"
    if "forgets" not in said:
        for target in targets:
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            Path(target).write_text(text)
    if Path(f"w/break.{name}").exists() and said.get("breaks") != "cmd":
        return broken(name, said.get("breaks", "false"))
    note("end", name)
    return {"text": text, **said}.get("returns")


def _shown(key: str, value: Any) -> Any:  # noqa: ANN401
    """The value, without what is of this moment; one of ours is another than its stand-in has."""
    if key.startswith("own"):
        return type(value).__name__
    if not isinstance(value, dict):
        return value
    other = ("success-time", "w/in0.st_mtime", *(f"_result:{name}" for name in _OURS))
    return {name: _shown("", one) for name, one in value.items() if name not in other}


def broken(name: str, how: str) -> Any:  # noqa: ANN401
    """An action's bad end, in one of the forms that doit knows."""
    note("broke", name)
    match how:
        case "raise":
            raise ValueError(f"{name} raises")
        case "failed":
            return exceptions.TaskFailed(f"{name} has failed")
        case "error":
            return exceptions.TaskError(f"{name} is in error")
        case "quiet":
            return exceptions.TaskFailed(f"{name} has failed", report=False)
        case "odd":
            return 42
        case "exit":
            sys.exit(f"{name} leaves")
    return False


def aside(kind: str, name: str, *, fail: bool = False) -> bool:
    """A teardown or a cleaning."""
    note(kind, name)
    sys.stdout.write(f"{name} prints in {kind}\n")
    return not (fail and Path(f"w/break.{name}").exists())


def clean_dry(name: str, dryrun: bool) -> None:
    """A cleaning that is told of a dry run."""
    note("clean", name, dryrun)


def exists(path: str) -> bool:
    """For `uptodate`."""
    return Path(path).exists()


def has_value(task: Any, values: dict[str, Any]) -> bool | None:  # noqa: ANN401
    """For `uptodate`: what was saved of the task."""
    note("asked", task.name, sorted(key for key in values if not key.startswith("_")))
    return bool(values) or None
