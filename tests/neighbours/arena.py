"""Two projects with the same tasks: in one doit is stock, in the other it has doit-cargo."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from helpers.project import Project
from neighbours import commands
from neighbours.commands import Step
from neighbours.dodos import Dodo, Leaf
from neighbours.forked import HUNG, call

_CRATE = {
    "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\nresolver = "2"\n\n'
    "[profile.release]\nopt-level = 0\nstrip = true\n",
    "Cargo.lock": 'version = 4\n\n[[package]]\nname = "solo"\nversion = "0.1.0"\n',
    "crates/solo/Cargo.toml": '[package]\nname = "solo"\nversion = "0.1.0"\nedition = "2021"\n',
    "crates/solo/src/main.rs": "fn main() {}\n",
}
_MADE = ("docker", "target", ".doit-cargo")
_STATE = "state.kept"
_LIMIT = 20

_STAGES = r"(?:toolchain|build|verify|manifest|package|stage)(?::[\w:]+)?"
# What is told of our own tasks, and of their stand-ins in stock doit.
_OWN = re.compile(
    rf"(?:\. |--|!!) +{_STAGES}|(?:compiled|verified) .*|up to date: .*|\d+ tasks?: .*"
    r"|\d+ binar(?:y|ies), .*|(?:would remove|removing|keeping) .*"
    rf"|not run: \d+ tasks?, which need .*|again: .*|(?:[RUIE] )?{_STAGES}(?: .*)?"
    rf"|(?:processed|skip|forgetting) {_STAGES}"
)
_INSIDE = re.compile(
    r"^  File .*/doit_ext/.*\n(?:   .*\n)*|^  File .*/doit/runner.*\n(?:   .*\n)*", re.MULTILINE
)
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


class Seen(NamedTuple):
    """What a call of doit did, as far as it can be seen."""

    code: int
    out: str
    err: str
    ran: list[str]
    files: dict[str, str]


class Arena:
    """The two projects; ours is built once."""

    def __init__(self, root: Path) -> None:
        self.stock, self.ours = root / "stock", root / "ours"
        self.stock.mkdir(parents=True)
        project = Project(self.ours, _CRATE)
        project.build()
        shutil.copytree(self.ours / ".doit-cargo", root / _STATE)
        self._state = root / _STATE
        self._env = Project.environment({"PYTHONHASHSEED": "0"})

    def reset(self, dodo: Dodo) -> None:
        """Begin anew with this file; what ours has built stays."""
        for root in (self.stock, self.ours):
            made = (root / "w", root / "__pycache__", root / "ran.log", *root.glob(".doit.db*"))
            for path in made:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            commands.prepare(root)
            (root / "dodo.py").write_text(dodo.text(ours=root == self.ours))
            shutil.copy(Path(__file__).with_name("acts.py"), root)
        if (self.ours / "docker").exists():
            shutil.rmtree(self.ours / ".doit-cargo")
            shutil.copytree(self._state, self.ours / ".doit-cargo")

    def take(self, step: Step) -> tuple[Seen, Seen] | None:
        """Do it in both; what stock doit did and what ours did."""
        if step.kind != "doit":
            for root in (self.stock, self.ours):
                commands.edit(root, step)
            return None
        return self._call(self.stock, step), self._call(self.ours, step)

    def _call(self, root: Path, step: Step) -> Seen:
        (root / "ran.log").unlink(missing_ok=True)
        done = call(step.words, root, self._env, _LIMIT)
        log = root / "ran.log"
        ran = log.read_text().splitlines() if log.exists() else []
        files = {str(p.relative_to(root)): _content(p, root) for p in sorted(root.glob("w/**/*"))}
        return Seen(done.code, _plain(done.out, root), _unknown(_plain(done.err, root)), ran, files)


def _unknown(text: str) -> str:
    """A name that nobody knows is refused by both, each in its own words: ours say what is near."""
    stock = r'ERROR: (?:I|command `run` i)nvalid parameter: "(.*)". Must be a .*target\..*'
    for words in (stock, r"ERROR: there is no task or command '(.*?)', .*"):
        if found := re.fullmatch(words, text, re.DOTALL):
            return f"no such name: {found[1]}"
    return text


def differences(stock: Seen, ours: Seen, *, loose: bool) -> list[str]:
    """What a user would see that is otherwise than in stock doit; `loose`: in any order."""
    if loose:
        stock, ours = _unordered(stock), _unordered(ours)
    named = zip(Seen._fields, stock, ours, strict=True)
    return [f"{name}:\n{_told(a, b)}" for name, a, b in named if a != b]


def stock_fails(stock: Seen) -> bool:
    """Whether stock doit itself is at its end: tasks that wait for each other."""
    lost = ("'str' object has no attribute 'task'", "assert len(proc_list) > self.free_proc")
    return stock.code == HUNG or any(text in stock.err for text in lost)


def stock_crashes(stock: Seen) -> str:
    """The last line of the traceback with which stock doit ends; "" if there is none."""
    crash = stock.code == 3 and "doit_cmd.py" in stock.err
    return stock.err.splitlines()[-1] if crash else ""


def _told(stock: object, ours: object) -> str:
    """The lines of which one side has more than the other."""
    compared = difflib.ndiff(_rows(stock), _rows(ours))
    lines = [line for line in compared if not line.startswith("?")]
    return "\n".join(lines[:60])


def _rows(value: object) -> list[str]:
    if isinstance(value, dict):
        return [f"{key}: {text}" for key, text in value.items()]
    return [*map(str, value)] if isinstance(value, list) else str(value).splitlines()


def disorder(dodo: Dodo, seen: Seen) -> list[str]:
    """Tasks that began before one that they depend on had ended, where both ran."""
    began = {line.split()[1]: i for i, line in reversed([*enumerate(seen.ran)]) if "start" in line}
    ended = {line.split()[1]: i for i, line in enumerate(seen.ran) if line.startswith("end ")}
    makers = {path: leaf["name"] for leaf in dodo.leaves() for path in leaf.get("targets", ())}
    return [
        f"{leaf['name']} began before {name} had ended"
        for leaf in dodo.leaves()
        for name in _needs(dodo, leaf, makers)
        if leaf["name"] in began and name in ended and began[leaf["name"]] < ended[name]
    ]


def _needs(dodo: Dodo, leaf: Leaf, makers: dict[str, str]) -> Iterator[str]:
    groups = {c.name: [one["name"] for one in c.leaves] for c in dodo.creators if c.kind != "late"}
    late = {one["name"] for c in dodo.creators if c.kind == "late" for one in c.leaves}
    for name in (name for key in ("task_dep", "setup", "calc_dep") for name in leaf.get(key, ())):
        yield from groups.get(name, (name,))
    made = (makers[path] for path in leaf.get("file_dep", ()) if path in makers)
    yield from (name for name in made if name not in late)


def _unordered(seen: Seen) -> Seen:
    def lines(text: str) -> str:
        return "\n".join(sorted(_once([line for line in text.splitlines() if line])))

    ran = sorted(_once(seen.ran))
    return seen._replace(out=lines(seen.out), err=lines(seen.err), ran=ran)


def _once(lines: list[str]) -> list[str]:
    """In stock doit each thread runs every teardown, and the main one again."""
    teardowns = {line for line in lines if "teardown" in line}
    return [*teardowns, *(line for line in lines if line not in teardowns)]


def _plain(text: str, root: Path) -> str:
    """The text without what is of this place, this moment, or of doit-cargo's own tasks."""
    text = _ADDRESS.sub("0x", text.replace(str(root), "ROOT"))
    text = _INSIDE.sub("", text)
    if text.startswith('{"tasks"'):
        return _json(text)
    lines = [re.sub("  +", "  ", line.rstrip()) for line in text.splitlines()]
    return "\n".join(line for line in lines if not _OWN.fullmatch(line))


def _json(text: str) -> str:
    data: dict[str, Any] = json.loads(text)
    own = re.compile(_STAGES)
    tasks = [task for task in data["tasks"] if not own.fullmatch(task["name"])]
    for task in tasks:
        task["started"] = task["elapsed"] = None
    return json.dumps({**data, "tasks": tasks}, indent=1)


def _content(path: Path, root: Path) -> str:
    if path.is_dir():
        return ""
    if path.name.startswith("said"):  # it may be of a run with several at a time
        return "\n".join(sorted(_plain(path.read_text(), root).splitlines()))
    return hashlib.sha256(path.read_bytes()).hexdigest()
