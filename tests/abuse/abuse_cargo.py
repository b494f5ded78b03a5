"""Other cargos and another doit at work in the same target folder: none may die, none be stale."""

from __future__ import annotations

import random
import subprocess  # noqa: TID251 - the searches drive real processes
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from abuse_arena import main, stop_group

from helpers.project import DOIT, SOURCES, Project

LIMIT = 120
TRIPLE = "x86_64-unknown-linux-musl"
SCRIPT = 'fn main() { println!("cargo:rustc-env=MADE=made"); }\n'
GREETING = 'pub fn greet() -> &\'static str { concat!("hello ", env!("MADE")) }\n'
OTHER = {"alpha": "gamma", "beta": "delta", "core_lib": "base_lib"}
CARGOS = (
    ("check",),
    ("build",),
    ("build", "--release"),
    ("check", "--release"),
    ("check", "--target", TRIPLE),
    ("check", "--release", "--target", TRIPLE),
    ("build", "--release", "--target", TRIPLE, "--package"),  # the library
)
DOITS = ((), ("profile=dev",), ("-a",))


class Place(NamedTuple):
    """A project, its library and its programs."""

    project: Project
    library: str
    programs: tuple[str, str]

    def edit(self, word: str) -> None:
        """Greet with another word."""
        path = self.project.path("core/src/lib.rs")
        path.write_text(GREETING.replace("hello", word))

    def start(self, argv: Sequence[str | Path], target: Path) -> subprocess.Popen[str]:
        """Start one of those that share a target folder."""
        env = self.project.environment({"CARGO_TARGET_DIR": str(target)})
        return subprocess.Popen(
            argv, cwd=self.project.root, env=env, text=True, errors="replace",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def cargo(self, words: Sequence[str]) -> list[str | Path]:
        """An editor's command, or a user's."""
        named = [self.library] if words[-1] == "--package" else []
        return ["cargo", *words, *named]


def search(folder: Path, seed: int, count: int) -> Iterator[str]:
    """A round an edit in both projects, and some that build at once."""
    draw = random.Random(seed)  # noqa: S311 - to be repeated by its seed
    places, target = [_place(folder / "one", {}), _place(folder / "two", OTHER)], folder / "target"
    for number in range(count):
        word = f"word{number}"
        for place in places:
            if draw.random() < 0.8:
                place.edit(word)
        running = [(argv, place.start(argv, target)) for place, argv in _drawn(draw, places)]
        for argv, process in running:
            yield from (f"{number}: {fault}" for fault in _verdict(argv, process))
        for place in places:
            yield from (f"{number}: {fault}" for fault in _end(place, target))
    yield f"# cargo: {count} rounds"


@cache
def _cargos() -> Sequence[Sequence[str]]:
    """Those that can work here: a distribution's rustc has no std for the target, cargo alone."""
    argv = ["rustc", "--print", "target-libdir", "--target", TRIPLE]
    std = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    return [words for words in CARGOS if Path(std).is_dir() or TRIPLE not in words]


def _place(folder: Path, names: dict[str, str]) -> Place:
    def named(text: str) -> str:
        for old, new in names.items():
            text = text.replace(old, new)
        return text

    folder.mkdir(parents=True)
    files = {**SOURCES, "core/src/lib.rs": GREETING, "core/build.rs": SCRIPT}
    files = {named(path): named(text) for path, text in files.items()}
    return Place(Project(folder, files), named("core_lib"), (named("alpha"), named("beta")))


def _drawn(draw: random.Random, places: list[Place]) -> Iterator[tuple[Place, list[str | Path]]]:
    """A doit in each, and some of the others, in any order."""
    drawn = [(place, [DOIT, *draw.choice(DOITS)]) for place in places]
    for _ in range(draw.randrange(2, 6)):
        place = draw.choice(places)
        drawn.append((place, place.cargo(draw.choice(_cargos()))))
    draw.shuffle(drawn)
    yield from drawn


def _verdict(argv: Sequence[object], process: subprocess.Popen[str]) -> Iterator[str]:
    words = " ".join(map(str, argv))
    try:
        said, _ = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        stop_group(process.pid)
        yield f"{words} is stuck"
        return
    if process.returncode or "Traceback" in said:
        yield f"{words} ended with {process.returncode}\n{said}"


def _end(place: Place, target: Path) -> Iterator[str]:
    """What is staged says what the sources say; so after one more run, and there is no more to do.

    An edit came before any of the runs.
    """
    yield from _stale(place)
    yield from _verdict([DOIT], place.start([DOIT], target))
    yield from _stale(place)
    process = place.start([DOIT], target)
    said, _ = process.communicate(timeout=LIMIT)
    if not said.startswith("up to date"):
        yield f"nothing was to be done:\n{said}"


def _stale(place: Place) -> Iterator[str]:
    word = place.project.path("core/src/lib.rs").read_text().split('"')[1].strip()
    for name in place.programs:
        staged = place.project.staged(name)
        said = subprocess.run([staged], capture_output=True, text=True, check=True).stdout
        if said != f"{name} {word} made\n":
            yield f"{name} says {said!r}, not {word}"


if __name__ == "__main__":
    main(search, count=20)
