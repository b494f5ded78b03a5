"""`doit-cargo completions SHELL`: a script that completes the command line, and what it asks.

A shell asks at every press of a key, so doit itself is imported only for options.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from doit_cargo.core import completion, purposes
from doit_cargo.core.completion import Known, Word
from doit_cargo.core.context import read_context
from doit_cargo.core.errors import PipelineError, UsageError
from doit_cargo.core.model import Context
from doit_cargo.core.project import root_above
from doit_cargo.core.settings.faults import nearest
from doit_cargo.core.text import one_line
from doit_cargo.tools import console
from doit_cargo.tools.run.settings_memory import SettingsMemory


def run(words: Sequence[str]) -> int:
    """Print a shell's script, or after `--words --` what the last word can become.

    Raises UsageError for a shell that we do not know.
    """
    if words[:2] == ["--words", "--"]:
        for word in _fitting(words[2:]):
            console.say(f"{one_line(word.text)}\t{one_line(word.about)}".rstrip())
        return 0
    if len(words) != 1 or words[0] not in completion.SHELLS:
        wanted = nearest(words[0], completion.SHELLS) if words else "name one"
        raise UsageError(f"completions takes a shell, {', '.join(completion.SHELLS)}: {wanted}")
    from importlib import resources  # noqa: PLC0415

    script = resources.files("doit_cargo").joinpath(f"templates/completions/doit-cargo.{words[0]}")
    console.say(script.read_text("utf-8"), end="")
    return 0


def _fitting(words: Sequence[str]) -> list[Word]:
    return completion.fitting(
        words, Known(purposes.COMMANDS, purposes.STAGES, _context(), _options)
    )


def _context() -> Context | None:
    """The project's; what is wrong with it is no matter for a shell."""
    if root := root_above(Path.cwd()):
        with suppress(PipelineError, OSError):
            return read_context(root, os.environ, read=SettingsMemory(os.environ).read_yaml)
    return None


def _options(command: str) -> Iterator[Word]:
    from doit_cargo.front_door import Main  # noqa: PLC0415

    if command in ("init", "completions"):
        return
    for option in Main(Path(), own=False).command(command).cmdparser.options:
        if option.long:
            yield Word(f"--{option.long}{'=' * (option.type is not bool)}", option.help)
