"""Words the outcome of a task: the one place for these sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from doit.task import Task

from doit_cargo.core.task import Outcome, TaskSpec
from doit_cargo.core.terminal import uncoloured
from doit_cargo.core.text import one_line, plural, seconds, size
from doit_cargo.doit_ext.tasks import warnings_of

_EMITTED = r"warning: \d+ warnings? emitted"

# Where a smoke test's program ran; source of the keys: tools/smoke.
_ISOLATION: Final = {
    "docker": "in docker",
    "root": "in an empty root folder",
    "folder": "in an empty folder",
    "root, shared network": "in an empty root folder, on this machine's network",
    "folder, shared network": "in an empty folder, on this machine's network",
}

# What is worth a word of a running program's RELRO; source of the keys: core/elf/mapped.py.
_RELRO: Final = {"writable": ", RELRO writable", "unseen": ", RELRO not seen"}


def told(spec: TaskSpec, outcome: Outcome) -> str:
    """The line of a task that has done its work; "" if nothing need be said."""
    tell = _LINES.get(spec.stage)
    return tell(spec, outcome) if tell else ""


def details(outcome: Outcome) -> tuple[str, ...]:
    """What stands under that line: warnings as they came, and what was removed."""
    return (*outcome.warnings, *(f"removed {one_line(path)}" for path in outcome.removed))


def warned(tasks: Iterable[Task], *, whole: bool) -> Iterator[str]:
    """What tasks that have nothing to do were warned of: in one line, or whole."""
    found = [(str(task.spec.subject), texts) for task in tasks if (texts := warnings_of(task))]
    if whole:
        yield from (text.rstrip() for _, texts in found for text in texts)
    elif found:
        counted = ", ".join(f"{_count(texts)} of {subject}" for subject, texts in found)
        yield f"warnings: {counted} (-v 1 shows them)"


def _count(texts: Iterable[str]) -> int:
    """Rustc counts them too, in a message of its own."""
    return sum(not re.match(_EMITTED, uncoloured(text)) for text in texts)


def _build(spec: TaskSpec, outcome: Outcome) -> str:
    del outcome
    return f"compiled {spec.arch} {spec.subject}"


def _verify(spec: TaskSpec, outcome: Outcome) -> str:
    return f"verified {spec.arch} {spec.subject}  {size(outcome.size)}"


def _image(spec: TaskSpec, outcome: Outcome) -> str:
    return f"imaged   {spec.arch} {spec.subject}  {outcome.names[0]}"


def _verify_image(spec: TaskSpec, outcome: Outcome) -> str:
    return f"checked  {spec.arch} image of {spec.subject}  {plural(outcome.files, 'file')}"


def _smoke(spec: TaskSpec, outcome: Outcome) -> str:
    if outcome.seen is None:
        return ""
    where = _ISOLATION.get(outcome.seen.isolation, outcome.seen.isolation)
    took = seconds(outcome.seen.seconds)
    relro = _RELRO.get(outcome.seen.relro, "")
    return f"smoked   {spec.arch} {spec.subject}  {outcome.seen.answer}, {where}{relro}, {took}"


def _index(spec: TaskSpec, outcome: Outcome) -> str:
    return f"indexed  {spec.subject}  {' '.join(outcome.names)}  {outcome.digest}"


def _push(spec: TaskSpec, outcome: Outcome) -> str:
    del spec
    what = f"pushed   {', '.join(outcome.names)}" if outcome.names else "there already"
    return f"{what}  {outcome.digest}"


_LINES: Final[Mapping[str, Callable[[TaskSpec, Outcome], str]]] = {
    "build": _build,
    "verify": _verify,
    "image": _image,
    "verify-image": _verify_image,
    "smoke": _smoke,
    "index": _index,
    "push": _push,
}
