"""Completes a word of the command line: commands, tasks, names, options, profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from doit_cargo.core.model import Context

SHELLS = ("bash", "fish", "zsh")
_OF_ARCHITECTURES = frozenset({"audit", "doctor", "env", "setup", "show", "size"})
_WORDS: Mapping[str, Sequence[str]] = {
    "completions": SHELLS, "hooks": ("install", "uninstall"), "init": (),
}  # fmt: skip


class Word(NamedTuple):
    """A word that fits, and what it is."""

    text: str
    about: str = ""


_PROFILE = Word("profile=", "build with a profile of cargo")


class Known(NamedTuple):
    """What there is: commands and stages by name, with what they are for; a project's context.

    `options` gives those of a command.
    """

    commands: Mapping[str, str]
    stages: Mapping[str, str]
    ctx: Context | None
    options: Callable[[str], Iterable[Word]]


def fitting(words: Sequence[str], known: Known) -> list[Word]:
    """What can complete the last word, after the others."""
    *before, begun = words or ("",)
    command = next((word for word in before if word in known.commands), "")
    found = _candidates(before, begun, command, known)
    return [word for word in found if word.text.startswith(begun)]


def _candidates(before: Sequence[str], begun: str, command: str, known: Known) -> Iterable[Word]:
    if begun.startswith("-"):
        return known.options(command or "run")
    if "=" in begun:
        profiles = known.ctx.graph.profiles if known.ctx else ()
        return (Word(f"profile={name}", "profile of cargo") for name in profiles)
    if command in _WORDS:
        return map(Word, _WORDS[command])
    if command == "help":
        return _commands(known)
    if command in _OF_ARCHITECTURES:
        return _architectures(known.ctx)
    named = any(not word.startswith("-") and "=" not in word for word in before)
    return (*(() if named else _commands(known)), *_tasks(begun, known), _PROFILE)


def _commands(known: Known) -> Iterator[Word]:
    return (Word(name, purpose) for name, purpose in known.commands.items())


def _architectures(ctx: Context | None) -> Iterator[Word]:
    for target in ctx.config.targets if ctx else ():
        yield Word(target.arch, target.triple)


def _tasks(begun: str, known: Known) -> Iterator[Word]:
    """Short names, and whole ones when a stage has been named."""
    ctx = known.ctx
    stage, colon, _ = begun.partition(":")
    if colon and ctx:
        yield from _of_stage(stage, ctx)
        return
    yield from (Word(name, purpose) for name, purpose in known.stages.items())
    yield from _architectures(ctx)
    if ctx:
        binaries = {binary.name: Word(binary.name, f"of {binary.crate}") for binary in ctx.ship}
        yield from binaries.values()
        yield from (Word(name, "crate") for name in ctx.graph.crates if name not in binaries)


def _of_stage(stage: str, ctx: Context) -> Iterator[Word]:
    subjects = [binary.name for binary in ctx.ship]
    if stage == "build":
        subjects = [*ctx.graph.closure(*(binary.crate for binary in ctx.ship))]
    for arch in ctx.toolchains:
        yield Word(f"{stage}:{arch}")
        yield from (Word(f"{stage}:{arch}:{subject}") for subject in subjects)
