"""The task graph of the bundled workspace, whole: a change of it is seen in a golden file.

UPDATE_GOLDEN=1 writes the file anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from doit_cargo.core.context import read_context
from doit_cargo.core.task import TaskSpec
from doit_cargo.pipeline import STEPS, specs
from doit_cargo.tools.run.session import Session
from helpers.project import REPOSITORY

GOLDEN = Path(__file__).parents[1] / "golden" / "graph.json"


def described(spec: TaskSpec, shown: Callable[[object], str]) -> dict[str, object]:
    return {
        "task_dep": list(spec.after),
        "file_dep": sorted(shown(path) for path in spec.inputs),
        "targets": [shown(path) for path in spec.outputs],
    }


def graph() -> dict[str, dict[str, object]]:
    """Every task; of the toolchain's many files only those that are the project's own."""
    elsewhere = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}  # no configuration of a user
    ctx = read_context(REPOSITORY, elsewhere)
    bare = {arch: chain._replace(identity=()) for arch, chain in ctx.toolchains.items()}
    outputs = ctx.config.outputs._replace(state=REPOSITORY / "nowhere" / ".doit-cargo")
    fresh = ctx.config._replace(outputs=outputs)
    ctx = ctx._replace(toolchains=bare, config=fresh)

    def shown(path: object) -> str:
        return str(path).removeprefix(f"{REPOSITORY}/").removeprefix("nowhere/")

    return {spec.name: described(spec, shown) for spec in specs(ctx, Session(), STEPS)}


def test_the_graph_is_the_golden_one() -> None:
    found = json.dumps(graph(), indent=1) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(found)

    assert json.loads(found) == json.loads(GOLDEN.read_text())


def test_every_file_that_is_made_is_made_once() -> None:
    made = [path for spec in graph().values() for path in spec["targets"]]  # type: ignore[attr-defined]

    assert len(made) == len(set(made))


def test_tasks_stand_after_those_they_depend_on() -> None:
    """Of what is made by a task, nothing is used before: the definition order is an order."""
    found, seen = graph(), set[str]()
    makers = {path: name for name, spec in found.items() for path in spec["targets"]}  # type: ignore[attr-defined]
    for name, spec in found.items():
        needed = {makers[path] for path in spec["file_dep"] if path in makers}  # type: ignore[attr-defined]
        assert needed <= seen, name
        seen.add(name)
