"""Searches for a stale binary: random steps, `doit` after each, and a clean cargo as the judge.

python tests/staleness/search.py --seed N --steps K [--without STEP,STEP]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess  # noqa: TID251
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from twin import CARGOS, Twin, held, made, move, unknown
from world import World

from helpers.project import sha256
from steps import STEPS

Named = tuple[str, int]


class Finding(NamedTuple):
    """The steps that lead to a failure, and what failed."""

    steps: list[Named]
    reason: str


_OURS = (*CARGOS, "docker", ".doit-cargo", "__pycache__", "slow", ".git")
_SHRINK_RUNS = 30
_BINARY = re.compile(r"--bin (\S+)")
_TARGET = re.compile(r"CARGO_BUILD_BUILD_DIR=(\S+)")
_PROFILE = re.compile(r"--profile (\S+)")


class StaleError(Exception):
    """What doit left is not what a clean cargo makes."""


class Judge:
    """Compares what doit left with what the same cargo command makes of nothing."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[str, dict[str, str] | None] = {}
        self.judged = {"built": 0, "refused": 0}
        self._target = world.root / "target"
        self._command = ""
        self._twin = Twin(world)

    def check(self, *, edit: bool = False) -> None:
        """Run doit, which must do what cargo does and `plan` said, and again, to do nothing.

        After an `edit`, and nothing else, it must have made no library that cargo would not, but
        for those whose fingerprints a step before had removed, and no run since had a use for.
        """
        before = held(self._world.root)
        lost = unknown(before)
        plan = self._world.project.doit("plan", "--json", env=self._world.user)
        report = self._world.root.with_name("run.json")
        report.unlink(missing_ok=True)
        done = self._world.project.doit("--json", str(report), env=self._world.user)
        said = done.stdout + done.stderr
        work = made(before, held(self._world.root))
        expected = self._clean(said)
        if (done.returncode == 0) != (expected is not None):
            raise StaleError(f"doit ended with {done.returncode}, cargo otherwise:\n{said}")
        if done.returncode == 0:
            foretold(plan.stdout, json.loads(report.read_text()), said)
        self.judged["refused" if expected is None else "built"] += 1
        if expected is not None:
            self._compare(expected, said)
            self._rest()
            needed = self._twin.follow(self._command)
            if edit and (idle := work - needed - lost):
                raise StaleError(f"made anew without need: {sorted(idle)}\n{said}")
        elif self.judged["built"] == 0:
            raise StaleError(f"nothing was ever built:\n{said}")

    def _clean(self, said: str) -> dict[str, str] | None:
        """Binary → SHA-256 of a clean build (None: it fails); known ones are not built again."""
        shown = self._world.project.doit("env", env=self._world.user)
        if shown.returncode:
            raise StaleError(f"no command for cargo: {shown.stderr}\n{said}")
        self._target = Path(_TARGET.findall(shown.stdout)[-1])
        self._command = shown.stdout
        key = _digest(self._world.root, shown.stdout)
        if key not in self._known:
            self._known[key] = self._build(shown.stdout)
        return self._known[key]

    def _build(self, command: str) -> dict[str, str] | None:
        root = self._world.root
        for name in CARGOS:
            move(root / name, root / f"{name}.kept")
        try:
            done = subprocess.run(
                ["sh", "-c", command], cwd=root, capture_output=True, text=True, check=False,
                env=self._world.project.environment(self._world.user),
            )  # fmt: skip
            names = sorted(set(_BINARY.findall(command)))
            return None if done.returncode else {name: sha256(self._made(name)) for name in names}
        finally:
            for name in CARGOS:
                move(root / name, Path(tempfile.mkdtemp(dir=root.parent)) / name)
                move(root / f"{name}.kept", root / name)

    def _made(self, name: str) -> Path:
        """Where cargo puts it: a branch may have brought another profile back."""
        profile: str = _PROFILE.findall(self._command)[-1]
        return self._target / "x86_64-unknown-linux-musl" / profile / name

    def _compare(self, expected: dict[str, str], said: str) -> None:
        world = self._world
        packages, context = world.root / "docker/binaries/x86_64", world.root / "docker/context"
        crate = {name.partition("/")[2]: name for name in world.binaries()}
        wanted = {crate[name]: sha for name, sha in expected.items()}
        text = (packages / "MANIFEST.txt").read_text()
        faults = [
            *_differ("the manifest", _listed(text), wanted),
            *_differ("the sums", _listed((packages / "SHA256SUMS").read_text(), -1), wanted),
            *_differ("packages", _tree(packages, {"MANIFEST.txt", "SHA256SUMS"}), wanted),
            *_differ("the context", _tree(context / "binaries", set()), wanted),
            *_differ("cargo's output", {n: sha256(self._made(n)) for n in expected}, expected),
        ]
        if faults:
            raise StaleError("\n".join([*faults, said]))

    def _rest(self) -> None:
        before = self._stamps()
        done = self._world.project.doit(env=self._world.user)
        if not done.stdout.startswith("up to date"):
            raise StaleError(f"not up to date after a run:\n{done.stdout}{done.stderr}")
        if changed := set(before.items()) ^ set(self._stamps().items()):
            raise StaleError(f"a run with nothing to do changed files: {sorted(changed)[:5]}")

    def _stamps(self) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for name in (*CARGOS, "docker", ".doit-cargo"):
            stamps = self._world.project.stamps(name)
            found |= {f"{name}/{path}": stamp for path, stamp in stamps.items()}
        return found


def foretold(plan: str, report: Any, said: str) -> None:  # noqa: ANN401
    """What `plan` is certain of has run, and nothing that it did not name.

    Raises StaleError if not. A lock file that cargo has changed is news to both.
    """
    if "Cargo.lock: commit it" in said or "cargo updated " in said:
        return
    found = json.loads(plan)
    due = {task["name"]: task["certain"] for task in found["tasks"]}
    ran = {task["name"] for task in report["tasks"] if task["state"] == "ran"}
    if idle := {name for name, certain in due.items() if certain} - ran:
        raise StaleError(f"planned, and not done: {sorted(idle)}\n{said}")
    if not found["not_known"] and (more := ran - due.keys()):
        raise StaleError(f"done, and not planned: {sorted(more)}\n{said}")


def play(root: Path, seed: int, steps: Sequence[Named], *, loud: bool = False) -> Finding | None:
    """Take the steps one after the other, up to the first that leaves something stale."""
    world = World(root, seed)
    judge = Judge(world)
    if reason := _reason(world, judge, None, loud=loud):
        return Finding([], reason)
    for i, named in enumerate(steps):
        if reason := _reason(world, judge, named, loud=loud):
            return Finding([*steps[: i + 1]], reason)
    if loud:
        print(f"judged: {judge.judged}")
    return None


def through(root: Path, seed: int, steps: Sequence[Named]) -> list[Finding]:
    """Take all steps; after a failure the outputs are dropped and it goes on."""
    world = World(root, seed)
    judge = Judge(world)
    found = [Finding([], reason)] if (reason := _reason(world, judge, None, loud=True)) else []
    for i, named in enumerate(steps):
        if reason := _reason(world, judge, named, loud=True):
            print(f"  FOUND {i}: {reason}", flush=True)
            found.append(Finding([*steps[: i + 1]], reason))
            for name in _OURS:
                shutil.rmtree(root / name, ignore_errors=True)
    return found


def _reason(world: World, judge: Judge, named: Named | None, *, loud: bool) -> str:
    """Take a step and judge what doit makes of it; empty if all is well."""
    try:
        if named:
            did = STEPS[named[0]](world, Random(named[1]))  # noqa: S311
            if loud:
                print(f"  {named}: {did!r}", flush=True)
        judge.check(edit=named is not None and named[0] == "edit")
    except (StaleError, AssertionError, OSError) as error:
        return str(error) or repr(error)
    return ""


def choose(seed: int, count: int, without: frozenset[str] = frozenset()) -> list[Named]:
    """That many random steps."""
    rng = Random(seed)  # noqa: S311
    names = sorted(STEPS.keys() - without)
    return [(rng.choice(names), rng.randrange(10_000)) for _ in range(count)]


def shrink(root: Path, seed: int, found: Finding) -> Finding:
    """The steps without those that the failure does not need."""
    i = len(found.steps) - 2
    for _ in range(_SHRINK_RUNS):
        if i < 0:
            break
        shorter = play(root, seed, found.steps[:i] + found.steps[i + 1 :])
        found = shorter or found
        i = min(i, len(found.steps)) - 1
    return found


def main() -> int:
    """Search, and print a reproducer for what is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--without", default="", help="steps to leave out, with commas")
    parser.add_argument("--through", action="store_true", help="go on after a failure")
    options = parser.parse_args()
    steps = choose(options.seed, options.steps, frozenset(options.without.split(",")))
    with tempfile.TemporaryDirectory(prefix="staleness-") as folder:
        root = Path(folder) / "project"
        if options.through:
            findings = through(root, options.seed, steps)
            print(f"seed {options.seed}: {len(steps)} steps, {len(findings)} failures")
            return bool(findings)
        return _search(root, options.seed, steps)


def _search(root: Path, seed: int, steps: list[Named]) -> int:
    found = play(root, seed, steps, loud=True)
    if found is None:
        print(f"seed {seed}: {len(steps)} steps, nothing stale")
        return 0
    print(f"seed {seed}: {found.reason}\nshrinking", flush=True)
    found = shrink(root, seed, found)
    print(f"{found.reason}\nreproduce with:\n  play(root, {seed}, {found.steps}, loud=True)")
    return 1


def _digest(root: Path, command: str) -> str:
    """Of all that a clean build reads."""
    found = hashlib.sha256(command.encode())
    for path in sorted([*root.rglob("*"), *root.parent.glob(".cargo/*")]):
        parts = path.relative_to(root.parent).parts[path.is_relative_to(root) :]
        if path.is_file() and parts[0] not in _OURS:
            found.update(f"{parts} {sha256(path)}".encode())
    return found.hexdigest()


def _listed(text: str, path_column: int = 0) -> dict[str, str]:
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {row[path_column]: row[-1 if path_column == 0 else 0] for row in rows}


def _tree(folder: Path, others: set[str]) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()]
    names = {str(path.relative_to(folder)): path for path in files}
    return {name: sha256(path) for name, path in names.items() if name not in others}


def _differ(what: str, found: dict[str, str], wanted: dict[str, str]) -> list[str]:
    names = {name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)}
    return [f"{what}: {name} is not what a clean cargo makes" for name in sorted(names)]


if __name__ == "__main__":
    raise SystemExit(main())
