"""Generators of sources below crates, and deploy tasks above stages.

What ships must be what a clean cargo makes of what the generators write.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess  # noqa: TID251
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from helpers.project import CONFIG, Project, sha256
from helpers.workspaces import write
from neighbours.forked import Done, call

PROGRAMS = ("alpha", "beta")
CRATES = ("core", *PROGRAMS)
_LIMIT = 120
_WORKSPACE = """\
[workspace]
members = ["crates/*"]
resolver = "2"

[profile.release]
opt-level = 0
strip = true
"""
_MAIN = 'mod gen;\nfn main() {{ println!("{0} {{}} {{}} {{}}", gen::G, core_lib::value(), \
env!("CARGO_PKG_VERSION")); }}\n'
_HEAD = """\
from pathlib import Path
import subprocess
from doit import create_after
from doit.tools import run_once
from doit.task import result_dep
from doit_cargo.pipeline import load
HERE = str(Path(__file__).parent)
DOIT_CONFIG, task_cargo = load(__file__)
DOIT_CONFIG = {{**DOIT_CONFIG, **{config!r}}}

def note(name):
    with open('ran.log', 'a') as log:
        log.write(name + '\\n')

def text(path):
    return Path(path).read_text().strip()

def generate(name, source, target):
    note(name)
    Path(target).write_text(f'pub const G: &str = "{{text(source)}}";\\n')

def manifest(name, source, target):
    note(name)
    crate = Path(target).parent.name
    version = f'0.1.{{text(source)}}'
    Path(target).write_text(MANIFEST.replace('NAME', crate).replace('0.1.0', version))

def relay(name, program, target):
    note(name)
    said = subprocess.run([program], capture_output=True, text=True, check=True).stdout.strip()
    Path(target).write_text(f'pub const G: &str = "<{{said}}>";\\n')

def copy(name, source, target):
    note(name)
    Path(target).parent.mkdir(exist_ok=True)
    Path(target).write_bytes(Path(source).read_bytes())

def named(path):
    return {{'file_dep': [str(path)]}}

MANIFEST = {manifest!r}
"""
_MANIFEST = (
    '[package]\nname = "NAME"\nversion = "0.1.0"\nedition = "2021"\n\n'
    '[dependencies]\ncore_lib = { path = "../core", package = "core" }\n'
)
_BUILT = "target/x86_64-unknown-linux-musl/release"


class Task(NamedTuple):
    """A task of dodo.py: what it makes, by what form of doit's it is made known."""

    name: str
    kind: str  # generate, manifest, relay, deploy
    form: str
    target: str
    source: str
    spelling: str = "plain"
    late: bool = False

    def text(self) -> str:
        """As Python."""
        action = {"generate": "generate", "manifest": "manifest", "relay": "relay"}
        call_ = action.get(self.kind, "copy")
        source, target = spelled(self.source, self.spelling), spelled(self.target, self.spelling)
        known: dict[str, str] = {"targets": f"[{target}]", "file_dep": f"[{source}]"}
        more = ""
        read = source
        match self.form:
            case "calc":
                known |= {"file_dep": "[]", "calc_dep": f"['{self.name}_calc']"}
                given = f"actions=[(named, [{source}])]"
                more = f"def task_{self.name}_calc():\n    return dict({given})\n"
            case "chain":
                read = f"'w/{self.name}.mid'"
                known["file_dep"] = f"[{read}]"
                more = _copying(self.name, source, read)
            case "setup":
                read = f"'w/{self.name}.mid'"
                known["setup"] = f"['{self.name}_mid']"
                more = _copying(self.name, source, read)
            case "build":
                known |= {"file_dep": "[]", "uptodate": "[result_dep('build:x86_64:alpha')]"}
            case "stage":
                known |= {"task_dep": "['stage']", "file_dep": "[]", "uptodate": "[False]"}
            case "result":
                known |= {"file_dep": "[]", "uptodate": "[result_dep('stage')]"}
        pairs = ", ".join(f"{key}={value}" for key, value in known.items())
        body = f"actions=[({call_}, ['{self.name}', {read}, {target}])], {pairs}"
        head = "@create_after()\n" if self.late else ""
        if self.form == "group":
            return f"{more}{head}def task_{self.name}():\n    yield dict(name='x', {body})\n"
        return f"{more}{head}def task_{self.name}():\n    return dict({body})\n"


def _copying(name: str, source: str, target: str) -> str:
    action = f"(copy, ['{name}_mid', {source}, {target}])"
    pairs = f"actions=[{action}], file_dep=[{source}], targets=[{target}]"
    return f"def task_{name}_mid():\n    return dict({pairs})\n"


def spelled(path: str, how: str) -> str:
    """A Python expression for the path."""
    first, _, rest = path.partition("/")
    return {
        "plain": repr(path),
        "dotted": repr(f"./{first}/../{first}/{rest}"),
        "absolute": f"HERE + {'/' + path!r}",
        "path": f"Path({path!r})",
        "link": repr(f"here/{path}"),
    }[how]


class Plan(NamedTuple):
    """A dodo.py and the steps that are taken with it."""

    tasks: list[Task]
    config: dict[str, Any]
    steps: list[tuple[str, ...]]

    def text(self) -> str:
        """The file."""
        head = _HEAD.format(config=self.config, manifest=_MANIFEST)
        return head + "".join(f"\n{task.text()}" for task in self.tasks)


def plan(rng: Random, count: int) -> Plan:
    """A random one."""
    spellings = ["plain", "plain", "dotted", "absolute", "path", "link"]
    tasks = []
    for i, crate in enumerate(rng.sample(CRATES, rng.randrange(1, 4))):
        form = rng.choice(["plain", "plain", "group", "calc", "chain", "setup"])
        relay = crate == "beta" and rng.random() < 0.5
        task = Task(
            f"gen{i}", "generate", form, f"crates/{crate}/src/gen.rs", f"w/in{i}",
            rng.choice(spellings), rng.random() < 0.25 and form in ("plain", "group"),
        )  # fmt: skip
        if relay:
            form = rng.choice(["build", "plain"])
            task = task._replace(kind="relay", form=form, source=f"{_BUILT}/alpha")
        tasks.append(task)
    if rng.random() < 0.3:
        crate = rng.choice(PROGRAMS)
        tasks.append(
            Task("manifest", "manifest", "plain", f"crates/{crate}/Cargo.toml", "w/version")
        )
    for i in range(rng.randrange(3)):
        program, form = (
            rng.choice(PROGRAMS),
            rng.choice(["plain", "calc", "group", "stage", "result"]),
        )
        where = rng.choice(["docker/context/binaries", "docker/binaries/x86_64"])
        target = rng.choice([f"w/deployed{i}", f"w/deployed{i}", f"crates/{program}/deployed{i}"])
        if form == "calc":  # in a crate's folder it would wait for a build that waits for it
            target = f"w/deployed{i}"
        tasks.append(Task(
            f"deploy{i}", "deploy", form, target, f"{where}/{program}/{program}",
            rng.choice(spellings), rng.random() < 0.15 and form in ("plain", "group"),
        ))  # fmt: skip
    names = [task.name for task in tasks]
    rng.shuffle(tasks)
    chosen = [name for name in names if rng.random() < 0.5 or _must(tasks, name)]
    chosen.insert(rng.randrange(len(chosen) + 1), "stage")
    return Plan(tasks, {"default_tasks": chosen}, [_step(rng, tasks) for _ in range(count)])


def _must(tasks: list[Task], name: str) -> bool:
    """A task that is created late is known only where it is asked for."""
    return any(task.late for task in tasks if task.name == name)


def _step(rng: Random, tasks: list[Task]) -> tuple[str, ...]:
    gens = [task for task in tasks if task.kind == "generate"]
    kind = rng.choices(["input", "source", "remove", "version", "touch"], [8, 2, 2, 2, 1])[0]
    number = str(rng.randrange(100))
    if kind == "remove" and gens:
        return ("remove", rng.choice(gens).target)
    if kind == "source":
        return ("source", rng.choice(PROGRAMS), number)
    if kind == "touch":
        return ("touch", rng.choice(CRATES), number)
    if kind == "version":
        return ("edit", "w/version", number)
    return ("edit", f"w/in{rng.randrange(3)}", number)


def words(rng: Random) -> tuple[str, ...]:
    """How doit is called."""
    return rng.choice([(), (), (), ("-n", "2"), ("-n", "2", "-P", "thread"), ("-c",), ("-v", "2")])


class Harbour:
    """A project with such a dodo.py; everything is made anew for each plan."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._known: dict[str, dict[str, str]] = {}
        self._command = ""

    def begin(self, one: Plan) -> None:
        """The files as they are at first."""
        shutil.rmtree(self.root, ignore_errors=True)
        config = f"{CONFIG}cargo: {{locked: false}}\n"
        self._project = Project(self.root, {"config/pipeline.yaml": config})
        self._known.clear()
        library = _MANIFEST.partition("[dep")[0].replace("NAME", "core")
        code = "mod gen;\npub fn value() -> &'static str { gen::G }\n"
        files = {"Cargo.toml": _WORKSPACE, "crates/core/Cargo.toml": library,
                 "crates/core/src/lib.rs": code, "w/version": "0"}  # fmt: skip
        for crate in CRATES:
            files[f"crates/{crate}/src/gen.rs"] = f'pub const G: &str = "{crate} by hand";\n'
        for crate in PROGRAMS:
            files[f"crates/{crate}/Cargo.toml"] = _MANIFEST.replace("NAME", crate)
            files[f"crates/{crate}/src/main.rs"] = _MAIN.format(crate)
        for i in range(3):
            files[f"w/in{i}"] = f"in{i}"
        write(self.root, {**files, "dodo.py": one.text()})
        (self.root / "here").symlink_to(".")
        for task in one.tasks:  # a generated file is there when its task has run
            if task.kind in ("generate", "relay"):
                (self.root / task.target).unlink()

    def step(self, step: tuple[str, ...]) -> None:
        """Edit a file."""
        match step:
            case ("edit", path, number):
                (self.root / path).write_text(number)
            case ("remove", path):
                (self.root / path).unlink(missing_ok=True)
            case ("source", crate, number):
                main = self.root / f"crates/{crate}/src/main.rs"
                main.write_text(re.sub(r"\n*(//.*\n)?$", f"\n// {number}\n", main.read_text()))
            case ("touch", crate, number):
                (self.root / f"crates/{crate}/note{number}").write_text(number)

    def doit(self, *args: str) -> Done:
        """Call it."""
        (self.root / "ran.log").unlink(missing_ok=True)
        return call(args, self.root, Project.environment({"PYTHONHASHSEED": "0"}), _LIMIT)

    def faults(self, one: Plan, args: tuple[str, ...]) -> list[str]:
        """What is wrong after `doit` with these arguments, and after it once more."""
        done = self.doit(*args)
        if done.code:
            return [f"code: {done.code}", done.out, done.err]
        found = [*self._unmade(one), *self._stale(one)]
        before = self._project.stamps("docker")
        again = self.doit(*args)
        ran = self._ran() - {task.name for task in one.tasks if task.form == "stage"}
        ran -= {f"{task.name}_mid" for task in one.tasks}
        if again.code or ran or not re.search(r"^up to date", again.out, re.MULTILINE):
            found.append(f"again: {again.code} {ran} {again.out} {again.err}")
        if before != self._project.stamps("docker"):
            found.append("again: something was written")
        return [*found, done.out, done.err] if found else []

    def _ran(self) -> set[str]:
        log = self.root / "ran.log"
        return set(log.read_text().split()) if log.exists() else set()

    def _unmade(self, one: Plan) -> list[str]:
        """The generators whose file is not what its input says."""
        made = [task for task in one.tasks if task.kind == "generate"]
        return [
            f"{task.name} has not made {task.target}"
            for task in made
            if f'"{(self.root / task.source).read_text().strip()}"'
            not in (self.root / task.target).read_text()
        ]

    def _stale(self, one: Plan) -> list[str]:
        wanted = self._clean()
        found = []
        for place in ("docker/context/binaries", "docker/binaries/x86_64"):
            shipped = {name: sha256(self.root / place / name / name) for name in PROGRAMS}
            found += [
                f"stale: {place} {name}" for name in PROGRAMS if shipped[name] != wanted[name]
            ]
        for task in one.tasks:
            chosen = task.name in one.config["default_tasks"]
            copy, program = self.root / task.target, task.source.rpartition("/")[2]
            if task.kind == "deploy" and chosen and sha256(copy) != wanted[program]:
                found.append(f"stale: {task.name}")
            if task.kind == "relay" and not self._relayed(copy):
                found.append(f"stale: {task.name}")
        return found

    def _relayed(self, copy: Path) -> bool:
        said = subprocess.run(
            [self.root / "docker/binaries/x86_64/alpha/alpha"], capture_output=True, text=True,
            check=True,
        ).stdout.strip()  # fmt: skip
        return f"<{said}>" in copy.read_text()

    def _clean(self) -> dict[str, str]:
        """SHA-256 of what a clean cargo makes of the sources as they are now."""
        sources = [*self.root.glob("crates/**/*.rs"), *self.root.glob("crates/*/Cargo.toml")]
        key = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()
        if key not in self._known:
            self._known[key] = self._build()
        return self._known[key]

    def _build(self) -> dict[str, str]:
        command = self.doit("env").out
        target, kept = self.root / "target", self.root / "target.kept"
        target.rename(kept)
        try:
            subprocess.run(
                ["sh", "-c", command], cwd=self.root, capture_output=True, check=True,
                env=Project.environment(None),
            )  # fmt: skip
            return {name: sha256(self.root / _BUILT / name) for name in PROGRAMS}
        finally:
            shutil.rmtree(target, ignore_errors=True)
            kept.rename(target)


def play(root: Path, one: Plan, rng: Random) -> tuple[Plan, list[str]] | None:
    """Take the steps, up to the first after which something is wrong."""
    harbour = Harbour(root)
    harbour.begin(one)
    if found := harbour.faults(one, ()):
        return one._replace(steps=[]), found
    for i, step in enumerate(one.steps):
        harbour.step(step)
        if found := harbour.faults(one, words(rng)):
            return one._replace(steps=one.steps[: i + 1]), found
    return None


def shrink(root: Path, found: tuple[Plan, list[str]]) -> tuple[Plan, list[str]]:
    """Without the steps and tasks that are not needed."""
    for _ in range(12):
        one, faults = found
        for smaller in _smaller(one):
            again = play(root, smaller, Random(0))  # noqa: S311
            if again and again[1][0].split(":")[0] == faults[0].split(":")[0]:
                found = again
                break
        else:
            return found
    return found


def _smaller(one: Plan) -> list[Plan]:
    fewer = [
        one._replace(steps=one.steps[:i] + one.steps[i + 1 :]) for i in range(len(one.steps) - 1)
    ]
    for i, task in enumerate(one.tasks):
        left = [name for name in one.config["default_tasks"] if name != task.name]
        tasks = one.tasks[:i] + one.tasks[i + 1 :]
        fewer.append(one._replace(tasks=tasks, config={"default_tasks": left}))
    return fewer
