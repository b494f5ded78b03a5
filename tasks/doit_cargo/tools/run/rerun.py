"""Runs build scripts that rerun in every build, to see whether their output is the same.

Cargo would compile their crates, and all above, anew each time. Here the script alone runs, as
cargo ran it last, into a scratch folder beside its OUT_DIR; several at a time.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from doit_cargo.core import layout
from doit_cargo.core.cargo import command
from doit_cargo.core.errors import PipelineError
from doit_cargo.core.model import Context, Target
from doit_cargo.core.record import digest, read
from doit_cargo.core.workspace import sources
from doit_cargo.tools import files
from doit_cargo.tools.cargo.scripts import Scripts
from doit_cargo.tools.run import script_answers
from doit_cargo.tools.run.content_index import Signature, signature
from doit_cargo.tools.run.script_answers import Run

SECONDS = 60.0
"""How long a script may take to answer."""

# Beside OUT_DIR and as long as its name: what counts on the folders above, or on lengths, finds
# them as they were.
_SCRATCH = "ask"


class Question(NamedTuple):
    """A crate of a target whose script should be run."""

    target: Target
    crate: str


class _UnfitError(Exception):
    """A script does what only cargo may have it do."""


def changed(ctx: Context, questions: Sequence[Question]) -> frozenset[tuple[str, str]]:
    """Those (architecture, crate) of which nobody can say that the answer is the last one's."""
    asking = Asking(ctx)
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        try:
            same = list(pool.map(asking.says_the_same, questions))
        except BaseException:
            asking.stop()
            raise
    pairs = zip(questions, same, strict=True)
    return frozenset((q.target.arch, q.crate) for q, is_same in pairs if not is_same)


class Asking:
    """The scripts that are being asked."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._scripts = Scripts(SECONDS)
        # what runs on this machine as it is built has one OUT_DIR for all targets
        self._one_at_a_time: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)
        self._skip = sources.not_sources(ctx.config.filled.values(), ctx.graph)

    def stop(self) -> None:
        """End all of them."""
        self._scripts.stop()

    def says_the_same(self, question: Question) -> bool:
        """Whether a crate's script, run now, answers what it did when the crate was compiled."""
        ctx, (target, crate) = self._ctx, question
        known = script_answers.known(ctx, target, crate)
        before = read(layout.build_record(ctx.config, target, crate)).get("answer")
        if known.unfit or not known.runs or not before:
            return False
        try:
            return bool(digest(self._answers(question, known.runs)) == before)
        except _UnfitError as why:
            script_answers.call_unfit(ctx, target, crate, str(why))
        except (OSError, PipelineError):
            pass
        return False

    def _answers(self, question: Question, runs: Iterable[Run]) -> list[str]:
        folder = self._ctx.graph.crates[question.crate].directory
        env = command.cargo_env(self._ctx, question.target)
        before = self._sources(question.crate)
        found = [self._answer(run, env, folder) for run in sorted(runs, key=lambda r: r.out_dir)]
        if touched := before.items() ^ self._sources(question.crate).items():
            path = min(path for path, _ in touched)
            raise _UnfitError(
                f"it writes {layout.relative([Path(path)], self._ctx.config.root)[0]}"
            )
        return found

    def _sources(self, crate: str) -> dict[str, Signature]:
        graph = self._ctx.graph
        paths = sources.source_files(graph.crates[crate], graph, skip=self._skip)
        return {path: signature(os.stat(path)) for path in paths}

    def _answer(self, run: Run, env: Mapping[str, str], folder: Path) -> str:
        """Run a script to its end; what it says. Raises OSError or PipelineError if it fails."""
        if script_answers.sha256(run.program) != run.sha256:
            raise PipelineError(f"{run.program} changed since cargo ran it")
        root, scratch = self._ctx.graph.target_directory, run.out_dir.with_name(_SCRATCH)
        with self._one_at_a_time[scratch], files.scratch_folder(root, scratch):
            files.remove(root, scratch / ".keep")
            environment = {**env, **run.env, "OUT_DIR": str(scratch)}
            output = self._scripts.output(run.program, environment, folder)
            if output is None:
                raise _UnfitError(f"it takes more than {SECONDS:g} s")
            return script_answers.answer(output, scratch)
