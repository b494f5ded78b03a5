"""What is done to a project between two looks at it: edits of files, and calls of doit."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from typing import NamedTuple

from neighbours.dodos import INPUTS, Dodo, Leaf


class Step(NamedTuple):
    """An edit (`doit` is not called), or doit's arguments."""

    kind: str  # edit, touch, remove, break, doit
    words: tuple[str, ...]

    @property
    def parallel(self) -> bool:
        """Whether tasks may run at the same time."""
        return self.kind == "doit" and "-n" in self.words and self.words[:1] != ("clean",)

    @property
    def runs(self) -> bool:
        """Whether tasks are run."""
        return self.kind == "doit" and self.words[:1] not in {(name,) for name in OTHERS}


OTHERS = ("clean", "forget", "ignore", "reset-dep", "list", "info")
_REPORTERS = ("console", "executed-only", "json", "zero", "error-only")


def prepare(root: Path) -> None:
    """The inputs of all tasks."""
    for name in INPUTS:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name} 0\n")


def edit(root: Path, step: Step) -> None:
    """Do it, in the same way in every project."""
    path = root / step.words[0]
    match step.kind:
        case "edit":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{step.words[1]}\n")
        case "touch" if path.exists():
            os.utime(path, ns=(10**18, 10**18 + int(step.words[1]) * 10**9))
        case "remove":
            path.unlink(missing_ok=True)
        case "break" if path.exists():
            path.unlink()
        case "break":
            path.write_text("")


def choose(rng: Random, dodo: Dodo, count: int) -> list[Step]:
    """That many, with a run at the end."""
    chooser = _Chooser(rng, dodo)
    return [Step("doit", ()), *(chooser.step() for _ in range(count)), Step("doit", ("-c",))]


class _Chooser:
    def __init__(self, rng: Random, dodo: Dodo) -> None:
        self._rng = rng
        self._leaves = list(dodo.leaves())
        self._targets = [path for leaf in self._leaves for path in leaf.get("targets", ())]
        self._names = [c.name for c in dodo.creators]
        self._names += [leaf["name"] for leaf in self._leaves if leaf["name"] not in self._names]

    def step(self) -> Step:
        rng = self._rng
        kinds = {"edit": 4, "touch": 1, "remove": 3, "break": 2, "run": 12, "other": 5}
        kind = rng.choices([*kinds], [*kinds.values()])[0]
        number = str(rng.randrange(1000))
        match kind:
            case "edit":
                return Step("edit", (rng.choice([*INPUTS, *self._targets]), number))
            case "touch":
                return Step("touch", (rng.choice([*INPUTS, *self._targets]), number))
            case "remove":
                return Step("remove", (rng.choice([*self._targets, *self._targets, *INPUTS]),))
            case "break":
                return Step("break", (f"w/break.{rng.choice(self._leaves)['name']}",))
            case "run":
                return Step("doit", self._run())
        return Step("doit", self._other())

    def _run(self) -> tuple[str, ...]:
        rng, chosen = self._rng, self._selection()
        flags: list[str] = []
        for chance, flag in ((0.15, ["-c"]), (0.08, ["-a"]), (0.25, ["-v", rng.choice("012")]),
                             (0.08, ["--failure-verbosity", rng.choice("12")])):  # fmt: skip
            if rng.random() < chance:
                flags += flag
        if rng.random() < 0.12:
            flags += ["-r", rng.choice(_REPORTERS)]
        if rng.random() < 0.08:
            flags += ["-o", "w/said.txt"]
        if rng.random() < 0.2:
            flags += ["-n", rng.choice("1223")]
            flags += rng.choice([[], ["-P", "thread"]]) if "json" not in flags else []
        elif rng.random() < 0.08 and len(chosen) == 1:  # of several stock doit runs the first alone
            flags.append("-s")
        if chosen and rng.random() < 0.1:
            flags = ["run", *flags]
        return (*flags, *chosen)

    def _selection(self) -> list[str]:
        rng = self._rng
        how = rng.choices(["default", "names", "target", "wild", "unknown"], [8, 9, 2, 2, 1])[0]
        if how == "names":
            count = min(len(self._leaves), rng.choice([1, 1, 2, 3]))
            return self._named(rng.sample(self._leaves, count))
        if how == "target" and self._targets:
            return [rng.choice(self._targets)]
        if how == "wild":
            return [f"{rng.choice(self._names)[:2]}*"]
        if how == "unknown":
            return [rng.choice(["nothing", f"{rng.choice(self._names)}:nothing", "w/nothing"])]
        return []

    def _named(self, leaves: list[Leaf]) -> list[str]:
        """Names and, of the last ones, what is given to them."""
        rng, found = self._rng, []
        for leaf in leaves:
            found.append(leaf["name"].partition(":")[0] if rng.random() < 0.2 else leaf["name"])
            if "params" in leaf and found[-1] == leaf["name"] and rng.random() < 0.7:
                found += rng.choice([["--opt", "o1"], ["-o", "o2", "--flag"], ["--no"], ["--bad"]])
            if "pos_arg" in leaf and found[-1] == leaf["name"]:
                return [*found, *rng.choice([[], ["p1"], ["p1", "p2"]])]
        return found

    def _other(self) -> tuple[str, ...]:
        rng = self._rng
        command = rng.choice(["clean", "forget", *OTHERS])
        flags = {
            "clean": [[], [], ["-c"], ["-n"], ["-n", "-c"], ["-a"], ["-n", "-a"], ["--forget"]],
            "forget": [[], [], ["-s"], ["--disable-default"]],
            "list": [[], ["--all"], ["--all", "-s"], ["-s"], ["-p", "-q"], ["--all"]],
        }
        given = rng.choice(flags.get(command, [[]]))
        names = rng.sample(self._names, min(len(self._names), rng.choice([1, 1, 2])))
        if command in ("forget", "reset-dep", "ignore", "clean") and rng.random() < 0.07:
            names.append("nothing")
        if command == "info":
            names = names[:1]
        if command == "clean" and rng.random() < 0.2:
            names = [f"{names[0][:2]}*"]
        if "-a" in given or (rng.random() < 0.25 and command not in ("info", "ignore", "clean")):
            names = []
        return (command, *given, *names)
