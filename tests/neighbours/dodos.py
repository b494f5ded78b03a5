"""Random dodo.py files of tasks that are not doit-cargo's, as values that can be made smaller."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

Leaf = dict[str, Any]
"""The attributes of a task; `name` is its full name."""

INPUTS = ("w/in0", "w/in1", "w/in2", "w/sub/in3")
STAGES = ("build", "verify", "package", "stage")
_BREAKS = ("false", "false", "raise", "failed", "error", "quiet", "odd", "cmd", "cmd")
_NAMES = ("alpha", "beta", "gamma", "delta", "eps", "zeta", "eta", "theta", "iota", "kappa")

HEAD = """\
from pathlib import Path
from doit import create_after, get_var, task_params
from doit.tools import *
from doit.task import result_dep
from acts import *
settle()
{load}
DOIT_CONFIG = {{**DOIT_CONFIG, **{config!r}}}
"""
OURS = "from doit_cargo.pipeline import load\nDOIT_CONFIG, task_cargo = load(__file__)"
# In stock doit these stand for ours: the same names, and nothing to do after the first time.
# Its dbm backend drops a task's values when the task is ignored; ours and its json backend do not.
STAND_IN = (
    "DOIT_CONFIG = {'sort': 'definition', 'backend': 'json'}\n"
    "def task_cargo(): yield from ({'basename': s, 'name': 'x86_64', 'uptodate': [run_once],"
    " 'actions': [lambda: {'made': 1}]} for s in ('build', 'verify', 'package', 'stage'))"
)


class Creator(NamedTuple):
    """A function of dodo.py: a task, a group of them, or tasks that are made late."""

    name: str
    kind: str  # plain, private, group, late
    leaves: list[Leaf]
    more: dict[str, Any]


class Dodo(NamedTuple):
    """All of it, in the order of definition."""

    creators: list[Creator]
    config: dict[str, Any]

    def leaves(self) -> Iterator[Leaf]:
        """All tasks with actions."""
        for creator in self.creators:
            yield from creator.leaves

    @property
    def mixed(self) -> bool:
        """Whether a task depends on one of ours: the others need not wait meanwhile."""
        text = "".join(map(_function, self.creators))
        return any(f"'{stage}" in text for stage in (*STAGES, "sta*"))

    def text(self, *, ours: bool) -> str:
        """The file."""
        head = HEAD.format(load=OURS if ours else STAND_IN, config=self.config)
        return head + "".join(f"\n\n{_function(creator)}" for creator in self.creators)


class Maker:
    """Makes tasks one after the other; each may depend on those before it."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._mixed = rng.random() < 0.35  # whether tasks depend on ours
        self._names: list[str] = []  # what a task_dep may name
        self._leaves: list[str] = []
        self._targets: list[str] = []
        self._groups: list[str] = []
        self._dicts: list[str] = []  # tasks that save values
        self._calcs: list[str] = []

    def dodo(self) -> Dodo:
        """A random file."""
        rng = self._rng
        creators = [self._creator(name) for name in _NAMES[: rng.randrange(3, 9)]]
        rng.shuffle(creators)
        names = [c.name for c in creators]
        chosen = rng.sample(names, rng.randrange(1, len(names) + 1))
        if self._may(0.4):
            chosen.insert(rng.randrange(len(chosen) + 1), "stage")
        config: dict[str, Any] = {"default_tasks": chosen}
        if self._may(0.3):
            config["verbosity"] = rng.choice([0, 1, 2])
        if self._may(0.1):
            config["continue"] = True
        if self._may(0.1):
            config["failure_verbosity"] = rng.choice([1, 2])
        return Dodo(creators, config)

    def _may(self, chance: float) -> bool:
        return self._rng.random() < chance

    def _creator(self, name: str) -> Creator:
        rng = self._rng
        kind = rng.choices(["plain", "private", "group", "late"], [6, 1, 2, 2])[0]
        more: dict[str, Any] = {}
        if kind == "private":
            name = f"_{name}"
        if kind == "late":
            more = self._late(name)
        if kind == "group" or more.get("subtasks"):
            leaves = [self._leaf(f"{name}:{sub}") for sub in "abc"[: rng.randrange(1, 4)]]
            if self._may(0.2):
                more["head"] = {"name": None, "doc": f"the group {name}"}
        else:
            leaves = [self._leaf(name)]
        if kind == "late":
            self._names.append(name)
            return Creator(name, kind, leaves, more)
        self._learn(name, leaves)
        return Creator(name, kind, leaves, more)

    def _late(self, name: str) -> dict[str, Any]:
        rng, arguments = self._rng, {}
        if self._leaves and self._may(0.8):
            arguments["executed"] = rng.choice(self._leaves)
        if self._may(0.5):
            arguments["target_regex"] = rf"w/{name}.*"
        return {"late": arguments, "subtasks": self._may(0.5)}

    def _learn(self, name: str, leaves: list[Leaf]) -> None:
        self._names.append(name)
        if leaves[0]["name"] != name:
            self._groups.append(name)
        for leaf in leaves:
            self._leaves.append(leaf["name"])
            self._targets += leaf.get("targets", ())
            returns = leaf["said"].get("returns")
            if isinstance(returns, dict):
                where = self._calcs if returns.keys() & {"file_dep", "task_dep"} else self._dicts
                where.append(leaf["name"])

    def _leaf(self, name: str) -> Leaf:
        """A task; each attribute is there with its own probability."""
        rng, may, leaf = self._rng, self._may, {"name": name, "said": self._said()}
        if may(0.3):
            leaf["cmd"] = rng.choice(["echo {0} says", "echo {0} says; echo {0} moans >&2"])
        if may(0.65):
            leaf["file_dep"] = self._file_deps()
        if may(0.6):
            stem, count = name.replace(":", "-"), rng.choice([1, 1, 2])
            leaf["targets"] = [f"w/{stem}.{i}" for i in range(count)]
        if self._names and may(0.35):
            leaf["task_dep"] = self._task_deps()
        if self._leaves and may(0.2):
            leaf["setup"] = rng.sample([*self._leaves, *self._groups], 1)
        if self._calcs and may(0.3):
            leaf["calc_dep"] = [rng.choice(self._calcs)]
        if self._dicts and may(0.3):
            leaf["getargs"] = self._getargs()
        if may(0.35):
            leaf["uptodate"] = [self._uptodate(leaf) for _ in range(rng.choice([1, 1, 2]))]
        self._ask(leaf)
        self._adorn(leaf)
        return leaf

    def _ask(self, leaf: Leaf) -> None:
        """Give it parameters."""
        if self._may(0.2):
            leaf["params"] = [
                {"name": "opt", "short": "o", "long": "opt", "default": "plain"},
                {"name": "flag", "long": "flag", "type": bool, "default": False, "inverse": "no"},
            ]
        if self._may(0.1):
            leaf["pos_arg"] = "pos"

    def _adorn(self, leaf: Leaf) -> None:
        """Give it what changes no build."""
        rng, may = self._rng, self._may
        if may(0.3):
            leaf["verbosity"] = rng.choice([0, 1, 2])
        if may(0.4):
            leaf["clean"] = rng.choice(["true", "true", "act", "dry"])
        if may(0.2):
            leaf["teardown"] = rng.choice(["good", "bad"])
        if may(0.1):
            leaf["title"] = rng.choice(["title_with_actions", "lambda task: 'the ' + task.name"])
        if may(0.1):
            leaf["doc"] = f"makes {leaf['name']}"
        if may(0.05):
            leaf["io"] = {"capture": False}
        if may(0.04):
            leaf["none"] = True

    def _said(self) -> dict[str, Any]:
        rng = self._rng
        returns: Any = rng.choice([None, None, True, "text", {"v": 1}, {"v": "x", "file_dep": []}])
        if self._may(0.2):
            returns = {"v": [1, 2], "z": {"deep": None}}
        elif self._may(0.15):
            returns = {"file_dep": [rng.choice([*INPUTS, *self._targets])]}
            if self._leaves and self._may(0.4):
                returns["task_dep"] = [rng.choice(self._names)]
        said: dict[str, Any] = {"returns": returns, "breaks": rng.choice(_BREAKS)}
        if self._may(0.15):
            said["counts"] = True
        if self._may(0.04):
            said["forgets"] = True
        return said

    def _file_deps(self) -> list[str]:
        rng = self._rng
        found = rng.sample(INPUTS, rng.choice([0, 1, 1, 2]))
        if self._targets and self._may(0.7):
            found += rng.sample(self._targets, min(len(self._targets), rng.choice([1, 1, 2])))
        if self._may(0.06):
            found.append("w/nowhere")
        return [f"./{path}" if self._may(0.04) else path for path in found]

    def _task_deps(self) -> list[str]:
        rng = self._rng
        found = rng.sample(self._names, min(len(self._names), rng.choice([1, 1, 2])))
        if self._groups and self._may(0.3):
            found.append(f"{rng.choice(self._groups)}:*")
        if self._mixed and self._may(0.3):
            found.append(rng.choice([*STAGES, "stage:x86_64", "sta*"]))
        return found

    def _getargs(self) -> dict[str, tuple[str, str | None]]:
        rng, source = self._rng, self._rng.choice(self._dicts)
        found: dict[str, tuple[str, str | None]] = {"got": (source, rng.choice(["v", "v", None]))}
        if self._groups and self._may(0.2):
            found["all"] = (rng.choice(self._groups), None)
        if self._may(0.06):
            found["bad"] = (source, "missing")
        if self._mixed and self._may(0.3):
            found["own"] = (rng.choice(["stage", "package"]), None)
        return found

    def _uptodate(self, leaf: Leaf) -> str:
        rng = self._rng
        forms = [
            "True", "True", "False", "None", "'test -e w/in2'", "run_once", "run_once",
            "config_changed(read('w/in1'))", "config_changed({'a': [1]})", "timeout(1000)",
            "timeout(0)", "check_timestamp_unchanged('w/in0')", "(exists, ['w/in2'])",
            "(exists, [], {'path': 'w/sub/in3'})", "has_value",
        ]  # fmt: skip
        known = [name for name in (*self._leaves, *self._groups) if name != leaf["name"]]
        if known and self._may(0.3):
            return f"result_dep({rng.choice(known)!r})"
        if self._mixed and self._may(0.2):
            return f"result_dep({rng.choice(['stage', 'package:x86_64', 'build'])!r})"
        return rng.choice(forms)


def _function(creator: Creator) -> str:
    """A creator as Python."""
    head, more = "", creator.more
    if creator.kind == "late":
        given = ", ".join(f"{key}={value!r}" for key, value in more["late"].items())
        head = f"@create_after({given})\n"
    grouped = creator.leaves and creator.leaves[0]["name"] != creator.name
    lines = [f"{head}def task_{creator.name}():"]
    if more.get("head"):
        lines.append(f"    yield {more['head']!r}")
    for leaf in creator.leaves:
        name = {"name": leaf["name"].partition(":")[2]} if grouped else {}
        if creator.kind == "private":
            name = {"basename": creator.name}
        lines.append(f"    {'yield' if grouped else 'return'} dict(")
        lines += [f"        {line}," for line in (*_pairs(name), *_attributes(leaf))]
        lines.append("    )")
    if not creator.leaves:
        lines.append("    return ()")
    return "\n".join(lines) + "\n"


def _pairs(values: dict[str, Any]) -> list[str]:
    return [f"{key}={value!r}" for key, value in values.items()]


def _attributes(leaf: Leaf) -> Iterator[str]:
    """The task's dictionary, a line each."""
    name = leaf["name"]
    yield f"actions={'None' if leaf.get('none') else _actions(leaf)}"
    plain = ("file_dep", "targets", "task_dep", "setup", "calc_dep", "getargs", "pos_arg")
    yield from _pairs({key: leaf[key] for key in (*plain, "verbosity", "doc", "io") if key in leaf})
    if "params" in leaf:
        yield f"params={leaf['params']!r}".replace("<class 'bool'>", "bool")
    if "uptodate" in leaf:
        yield f"uptodate=[{', '.join(leaf['uptodate'])}]"
    if "title" in leaf:
        yield f"title={leaf['title']}"
    if clean := leaf.get("clean"):
        forms = {"true": "True", "act": f"[(aside, ['clean', {name!r}])]",
                 "dry": f"[(clean_dry, [{name!r}]), 'echo {name} cleans']"}  # fmt: skip
        yield f"clean={forms[clean]}"
    if teardown := leaf.get("teardown"):
        yield f"teardown=[(aside, ['teardown', {name!r}], {{'fail': {teardown == 'bad'}}})]"


def _actions(leaf: Leaf) -> str:
    name = leaf["name"]
    found = [f"(act, [{name!r}, {leaf['said']!r}])"]
    if cmd := leaf.get("cmd"):
        found.insert(len(name) % 2, repr(cmd.format(name)))
    if leaf["said"].get("breaks") == "cmd":
        found.append(repr(f"test ! -e w/break.{name}"))
    return f"[{', '.join(found)}]"
