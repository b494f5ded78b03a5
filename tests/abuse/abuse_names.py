"""Odd names: in the configuration, of the project's own folder, and files that are not ours."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

from abuse_arena import Ended, main, run

from helpers.project import CONFIG, DOIT, Project

TEXTS = (
    "..", ".", "/", "/usr", "a/../..", "a/./b//c/", "~", "$HOME", "a b", "-rf", "--", "a\nb",
    "a\tb", "a\0b", "%2e%2e", "a?mode=ro#x", "'\"\\", "é", "\u202etxt", "\u200b", "core",
    "config", "target", ".git", "x" * 300, "x/" * 200, "CON", "a__b", "*", "{}",
    "docker/binaries/x86_64", "", " ", "0", "-1", "1e999", "true", "null", "~/x", "\\", "\r",
    "\u2028", "\ud800", "a" * 70_000, "/proc/self/environ", "/dev/null", "..\\..", "aux.",
    "<script>", "${PATH}", "`id`", "a/../../b", "docker", ".doit-cargo", "config/pipeline.yaml",
)  # fmt: skip
KEYS = (
    "title", "output.state", "output.binaries", "output.context", "root", "workspace", "profile",
    "targets.x86_64", "targets.other", "env.NAME", "ship.alpha", "features.names", "offline",
)  # fmt: skip
# Whole files: what a YAML reader may do with them is no reason to hang or to fall over.
FILES = (
    b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbftargets: {}\n", b"[]", b"5", b"--- a\n--- b\n",
    b"a: &a [*a]",    b"{" * 5000, b"[" * 100_000,
    b"a: b: c", b"? [a]\n: b", b"!!python/object/apply:os.system [id]",
    b"<<: {targets: 1}", b"targets: {x86_64: 1, x86_64: 2}", b"ship: &a [*a, *a]", b"\t- x",
    b"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b]\n",
    b"title: |\n  " + b"x" * 1_000_000, b"# only a comment\n", b"%YAML 9.9\n---\n{}", b"null",
)  # fmt: skip
FOLDERS = (
    b"a b", b"a'b\"c", b"a%2fb?c#d", b"a\\b", b"a$HOME`id`", b"\xc3\xa9", b"\xff", b"a\nb", b"-x",
)  # fmt: skip
WORDS = ("run", "env", "list", "audit", "show")


def search(folder: Path, seed: int, count: int) -> Iterator[str]:
    """Values of keys, names of folders, foreign files."""
    draw = random.Random(seed)  # noqa: S311 - to be repeated by its seed
    project = Project(folder / "project")
    project.build()
    pairs = [(key, text) for key in KEYS for text in TEXTS]
    draw.shuffle(pairs)
    for key, text in pairs[:count]:
        yield from (f"{key} {text[:40]!r}: {fault}" for fault in _value(project, key, text))
    for place in ("pipeline", "policy"):
        for data in draw.sample(FILES, min(len(FILES), count)):
            yield from (f"{place} {data[:40]!r}: {f}" for f in _file(project, place, data))
    for name in draw.sample(FOLDERS, min(len(FOLDERS), count)):
        yield from (f"folder {name!r}: {fault}" for fault in _folder(folder, name))
    yield from _foreign(Project(folder / "foreign"))
    whole, folders = 2 * min(len(FILES), count), min(len(FOLDERS), count)
    yield f"# names: {len(pairs[:count])} values, {whole} files, {folders} folders"


def _value(project: Project, key: str, text: str) -> Iterator[str]:
    section, _, name = key.partition(".")
    value = json.dumps(text)
    line = f"{section}: {{{name}: {value}}}" if name else f"{section}: {value}"
    lines = [x for x in CONFIG.splitlines() if not x.startswith(f"{section}:")]
    project.path("config/pipeline.yaml").write_text("\n".join([*lines, line, ""]))
    outside = _around(project.root.parent)
    yield from _complaints(run([str(DOIT)], project))
    yield from (f"written outside: {path}" for path in _around(project.root.parent) - outside)
    project.path("config/pipeline.yaml").write_text(CONFIG)
    yield from _mended(project)


def _mended(project: Project) -> Iterator[str]:
    """With the right configuration all is well again."""
    done = project.doit()
    if done.returncode or not project.staged("alpha").is_file():
        yield f"not fixed: {done.stdout}{done.stderr}"


def _file(project: Project, name: str, data: bytes) -> Iterator[str]:
    """A configuration file that holds something else."""
    path = project.path(f"config/{name}.yaml")
    kept = path.read_bytes() if path.exists() else None
    path.write_bytes(data)
    yield from _complaints(run([str(DOIT)], project))
    path.unlink() if kept is None else path.write_bytes(kept)
    yield from _mended(project)


def _around(folder: Path) -> set[str]:
    return {str(path) for path in folder.iterdir()}


def _folder(parent: Path, name: bytes) -> Iterator[str]:
    """A project of that name; cargo itself refuses some, which must be a message."""
    project = Project(Path(os.fsdecode(os.fsencode(parent) + b"/" + name)))
    for word in WORDS:
        for fault in _complaints(run([str(DOIT), word], project)):
            yield f"doit {word}: {fault}"
    shutil.rmtree(os.fsencode(project.root))


def _complaints(done: Ended) -> Iterator[str]:
    if done.code is None:
        yield "stuck"
    if "Traceback" in done.text:
        yield f"a traceback\n{done.text}"
    if done.code and not done.text.strip():
        yield f"ended with {done.code} without a word"


def _foreign(project: Project) -> Iterator[str]:
    """Files that were there before the first run stay, whatever is asked but --force."""
    precious = project.path("docker/binaries/x86_64/precious")
    for words in (("run",), ("clean",), ("package",)):
        precious.parent.mkdir(parents=True, exist_ok=True)
        precious.write_text("x")
        project.doit(*words)
        if not precious.exists():
            yield f"doit {words[0]} removed a file that was never ours"
    shutil.rmtree(project.path("docker"))
    project.build()
    config = project.path("config/pipeline.yaml")
    config.write_text(config.read_text() + "output: {binaries: docker__binaries}\n")
    other = project.path("docker__binaries/x86_64/precious")
    other.parent.mkdir(parents=True)
    other.write_text("x")
    project.doit()
    if not other.exists():
        yield "a folder of another name was taken for ours"


if __name__ == "__main__":
    main(search, count=60)
