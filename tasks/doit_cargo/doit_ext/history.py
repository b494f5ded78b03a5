"""The runs that did something, each as a document, the newest last; a bounded number of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from doit_cargo.core import layout
from doit_cargo.core.errors import PipelineError
from doit_cargo.core.images import names
from doit_cargo.core.model import Config, Context
from doit_cargo.core.record import decode
from doit_cargo.doit_ext.database import Database
from doit_cargo.tools import console, git

KEPT: Final = 200
"""How many runs are kept: with a hundred changed crates each, some megabytes."""

_NAMED = 20  # files of a task that had changed
_UNCHANGED = ("up-to-date", "not-run")


def note(ctx: Context, run: str, body: Mapping[str, Any]) -> None:
    """Keep what a run did; `run` is its id, and ids sort by time.

    One that cannot be kept is no reason to fail it.
    """
    revision = names.revision(ctx.config.root)
    dirty = bool(revision) and git.is_dirty(ctx.config.root, ctx.env)
    tasks = [
        {**task, "changed": task["changed"][:_NAMED]}
        for task in body["tasks"]
        if task["state"] not in _UNCHANGED
    ]
    kept = {"run": run, "revision": revision or None, "dirty": dirty, **body, "tasks": tasks}
    database = Database(str(layout.history(ctx.config)))
    try:
        database.put(run, json.dumps(kept), "")
        database.keep_newest(KEPT)
    except PipelineError as error:
        console.warn(f"warning: this run is not in the history: {error}")
    finally:
        database.close()


def runs(config: Config) -> Iterator[dict[str, Any]]:
    """The documents, the oldest first; a damaged one is left out."""
    rows = Database(str(layout.history(config))).read()
    for name in sorted(rows):
        found = decode(rows[name][0].encode())
        if found.get("run") == name and isinstance(found.get("tasks"), list):
            yield found
