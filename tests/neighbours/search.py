"""Searches for a task that doit-cargo treats otherwise than stock doit, or ships the old bytes of.

python tests/neighbours/search.py --seed N --steps K [--shipping]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS.parent / "tasks"), str(TESTS)]

from neighbours import commands, shipping
from neighbours.arena import Arena, Seen, differences, disorder, stock_crashes, stock_fails
from neighbours.commands import Step
from neighbours.dodos import Creator, Dodo, Maker
from neighbours.forked import HUNG

_SHRINK_RUNS = 150
_STEPS_EACH = 8  # so many commands with one dodo.py


class Case(NamedTuple):
    """A dodo.py and what is done with it."""

    dodo: Dodo
    steps: list[Step]


class Finding(NamedTuple):
    """The case as far as it was played, and what is wrong at its end."""

    case: Case
    reason: str


def cases(seed: int, count: int) -> Iterator[Case]:
    """Random cases with so many steps in all."""
    rng = Random(seed)  # noqa: S311
    while count > 0:
        dodo = Maker(rng).dodo()
        yield Case(dodo, commands.choose(rng, dodo, min(count, _STEPS_EACH)))
        count -= _STEPS_EACH


def play(arena: Arena, case: Case) -> Finding | None:
    """Take the steps in both projects, up to the first that ends otherwise."""
    arena.reset(case.dodo)
    for i, step in enumerate(case.steps):
        if (both := arena.take(step)) is None:
            continue
        stock, ours = both
        loose = step.parallel or (step.runs and case.dodo.mixed)
        if (loose and _by_chance(step, stock)) or (stock_fails(stock) and not _crashed(ours)):
            return None
        if last := stock_crashes(stock):
            if "thread" in step.words or (ours.code == stock.code and last in ours.err):
                return None
            return Finding(Case(case.dodo, case.steps[: i + 1]), f"crash:\n{last}\n{ours}")
        if "thread" in step.words:  # which take each other's output
            stock, ours = (seen._replace(out="", err="") for seen in both)
        faults = [*differences(stock, ours, loose=loose), *_disorder(case.dodo, stock, ours)]
        if faults:
            return Finding(Case(case.dodo, case.steps[: i + 1]), "\n".join(faults))
    return None


def _by_chance(step: Step, stock: Seen) -> bool:
    """Whether what ran depends on who was first: one has failed, which ended the run."""
    return stock.code != 0 and "-c" not in step.words


def _crashed(seen: Seen) -> bool:
    return seen.code == HUNG or "doit_cmd.py" in seen.err


def _disorder(dodo: Dodo, stock: Seen, ours: Seen) -> list[str]:
    return [fault for fault in disorder(dodo, ours) if fault not in disorder(dodo, stock)]


def shrink(arena: Arena, found: Finding) -> Finding:
    """The smallest case that goes wrong in the same way, as far as so many runs find it."""
    kind = found.reason.partition(":")[0]
    runs = 0
    smaller = True
    while smaller:
        smaller = False
        for case in _smaller(found.case):
            runs += 1
            if runs > _SHRINK_RUNS:
                return found
            again = play(arena, case)
            if again and again.reason.partition(":")[0] == kind:
                found, smaller = again, True
                break
    return found


def _smaller(case: Case) -> Iterator[Case]:
    """The case without one of its steps, functions, tasks or attributes."""
    for i in range(len(case.steps) - 1):
        yield case._replace(steps=case.steps[:i] + case.steps[i + 1 :])
    creators = case.dodo.creators
    for i, creator in enumerate(creators):
        yield _with(case, [*creators[:i], *creators[i + 1 :]])
        for j in range(len(creator.leaves) if len(creator.leaves) > 1 else 0):
            leaves = creator.leaves[:j] + creator.leaves[j + 1 :]
            yield _with(case, [*creators[:i], creator._replace(leaves=leaves), *creators[i + 1 :]])
        for changed in _plainer(creator):
            yield _with(case, [*creators[:i], changed, *creators[i + 1 :]])


def _plainer(creator: Creator) -> Iterator[Creator]:
    for j, leaf in enumerate(creator.leaves):
        for key in leaf.keys() - {"name", "said"}:
            less = {name: value for name, value in leaf.items() if name != key}
            yield creator._replace(leaves=[*creator.leaves[:j], less, *creator.leaves[j + 1 :]])


def _with(case: Case, creators: list[Creator]) -> Case:
    names = {c.name for c in creators} | {"stage"}
    chosen = [name for name in case.dodo.config["default_tasks"] if name in names]
    return Case(Dodo(creators, {**case.dodo.config, "default_tasks": chosen}), case.steps)


def main() -> int:
    """Search, and print a small case of what is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--shipping", action="store_true", help="generators and deploy tasks")
    parser.add_argument("--through", action="store_true", help="go on after a failure")
    options = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # doit's sets in the same order every time
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.argv])  # noqa: S606 - this very program
    with tempfile.TemporaryDirectory(prefix="neighbours-") as folder:
        if options.shipping:
            return _search_shipping(Path(folder) / "project", options)
        return _search(Arena(Path(folder)), options)


def _search_shipping(root: Path, options: argparse.Namespace) -> int:
    rng, bad, left = Random(options.seed), 0, options.steps  # noqa: S311
    while left > 0 and (options.through or not bad):
        one = shipping.plan(rng, min(left, _STEPS_EACH) - 1)
        left -= _STEPS_EACH
        if found := shipping.play(root, one, rng):
            bad += 1
            print("\n".join([f"seed {options.seed}:", *found[1], "shrinking"]), flush=True)
            smallest, faults = shipping.shrink(root, found)
            print("\n".join([smallest.text(), *map(str, smallest.steps), *faults]), flush=True)
    print(f"seed {options.seed}: {options.steps} steps, {bad} wrong ships")
    return bool(bad)


def _search(arena: Arena, options: argparse.Namespace) -> int:
    bad = 0
    for i, case in enumerate(cases(options.seed, options.steps)):
        if (found := play(arena, case)) is None:
            continue
        bad += 1
        print(f"seed {options.seed}, case {i}: {found.reason}\nshrinking", flush=True)
        show(shrink(arena, found))
        if not options.through:
            break
    print(f"seed {options.seed}: {options.steps} steps, {bad} differences")
    return bool(bad)


def show(found: Finding) -> None:
    """Print it, ready to be tried by hand."""
    print(found.case.dodo.text(ours=True))
    for step in found.case.steps:
        print(f"  {step.kind} {' '.join(step.words)}")
    print(found.reason, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
