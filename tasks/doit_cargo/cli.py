"""The command `doit-cargo`: `init`, help, and the door to everything that doit does."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from doit_cargo.core.errors import SetupError
from doit_cargo.core.text import columns
from doit_cargo.tools import console
from doit_cargo.tools.run.exit_codes import guarded

if TYPE_CHECKING:
    import argparse

_NAME = "doit-cargo"
_NEXT = (
    ("{doit} setup", "install what is missing: Rust, the target's std, linker wrappers"),
    ("{run}", "compile, verify, package and stage what config/pipeline.yaml ships"),
    ("{doit} verify", "only up to the verdict; `{doit} list` shows every stage"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code: 2 for a wrong one, else as doit's."""
    words = list(sys.argv[1:] if argv is None else argv)
    first = words[0] if words else "--help"
    if first == "init":
        return _init_main(words[1:])
    if first == "completions":
        return guarded(lambda: _completions(words[1:]))
    if first in ("-h", "--help") or words == ["help"]:
        return guarded(_help)
    if first == "help" and words[1:] and (text := _section(words[1])):
        console.say(text)
        return 0
    if first == "--version":
        return guarded(_version)
    return guarded(lambda: _run(words))


def _run(words: Sequence[str]) -> int:
    from doit_cargo import front_door  # noqa: PLC0415 - init needs none of it

    return front_door.run(words)


def _completions(words: Sequence[str]) -> int:
    from doit_cargo import completions  # noqa: PLC0415

    return completions.run(words)


def _version() -> int:
    from importlib.metadata import version  # noqa: PLC0415 - it takes longer than all else here

    console.say(f"{_NAME} {version(_NAME)}")
    return 0


def _section(name: str) -> str:
    """A section of the page on failures, which a hint has named."""
    from doit_cargo.core.diagnosis.sections import sections  # noqa: PLC0415

    return sections().get(name, "")


def _help() -> int:
    from doit_cargo import help_page  # noqa: PLC0415

    console.say(help_page.text())
    return 0


def _init_main(words: Sequence[str]) -> int:
    options = _parser().parse_args(words)
    return guarded(lambda: _init(options))


def _parser() -> argparse.ArgumentParser:
    import argparse  # noqa: PLC0415

    about = "put doit-cargo's files into a Cargo workspace; then `doit` works there"
    init = argparse.ArgumentParser(prog=f"{_NAME} init", description=about)
    init.add_argument(
        "path", nargs="?", default=".", metavar="PATH", help="the workspace (default: this folder)"
    )
    init.add_argument(
        "--profile", default="release", metavar="NAME", help="the Cargo profile (default: release)"
    )
    init.add_argument(
        "--target", action="append", default=[], metavar="ARCH",
        help="an architecture to build for, or its triple (default: x86_64); may be repeated",
    )  # fmt: skip
    init.add_argument(
        "--services", default="", metavar="NAMES",
        help="the binaries to ship, with commas between them (default: all)",
    )  # fmt: skip
    init.add_argument("--dry-run", action="store_true", help="say what would be written")
    init.add_argument("--vscode", action="store_true", help="write tasks for VS Code too")
    existing = init.add_mutually_exclusive_group()
    existing.add_argument("--force", action="store_true", help="overwrite existing files")
    keep = "keep existing files; in doit.cfg and pyproject.toml only our own lines change"
    existing.add_argument("--keep", action="store_true", help=keep)
    return init


def _init(options: argparse.Namespace) -> int:
    """Imported here, since `--help` needs none of it."""
    from doit_cargo.core import context, init_files  # noqa: PLC0415
    from doit_cargo.core.project import CONFIG_FILE  # noqa: PLC0415
    from doit_cargo.core.settings.shapes import NAME  # noqa: PLC0415
    from doit_cargo.tools import init_files as tool  # noqa: PLC0415

    if not re.fullmatch(NAME, options.profile):
        raise SetupError(f"--profile {options.profile}: not a valid name of a cargo profile")
    folder = Path(options.path).resolve()
    root, workspace = tool.find(folder)
    graph, remarks = tool.read(workspace, os.environ)
    root = graph.root if root == workspace else root
    wanted = init_files.Wanted(
        options.profile,
        tuple(options.target),
        tuple(filter(None, options.services.split(","))),
        os.path.relpath(graph.root, root),
        options.vscode,
    )
    choice = init_files.choose(graph, wanted.services)
    contents = init_files.contents(choice, wanted)
    plan = tool.plan(root, contents, force=options.force, keep=options.keep)
    if not options.dry_run:
        tool.write(root, plan.written)
    if root != folder:
        remarks = (f"{folder} belongs to the workspace in {root}: it is set up", *remarks)
    lines = plan.lines(root, dry=options.dry_run)
    console.say("\n".join((*remarks, *choice.remarks(), *lines)))
    if options.dry_run:
        return 0
    try:
        context.read_context(root, os.environ, config_file=CONFIG_FILE)
    except SetupError as error:
        raise SetupError(f"doit does not accept this yet:\n{error}") from None
    doit = _doit() if plan.has_doit else _NAME
    words = {"doit": doit, "run": doit if plan.has_doit else f"{_NAME} run"}
    rows = [tuple(text.format_map(words) for text in (f"  {name}  ", what)) for name, what in _NEXT]
    console.say(f"\nnext{_where(root)}:\n{columns(rows)}")
    return 0


def _where(root: Path) -> str:
    return "" if root == Path.cwd().resolve() else f", after `cd {shlex.quote(str(root))}`"


def _doit() -> str:
    """The doit of this installation, as a shell finds it: by name only if it is on PATH."""
    from doit_cargo.tools import process  # noqa: PLC0415

    ours = Path(sys.executable).with_name("doit")
    return "doit" if process.find("doit") == ours else shlex.quote(str(ours))
