"""The command `doit-cargo`, for what has to happen before doit can run in a workspace."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from doit_cargo.core.errors import SetupError
from doit_cargo.tools import console
from doit_cargo.tools.run.exit_codes import guarded

_NEXT = """
next{where}:
  {doit} setup     fetch and make what is missing: Rust, the target's std, linker wrappers
  {doit}           compile, verify, package and stage what config/pipeline.yaml ships
  {doit} verify    only up to the verdict; `{doit} list` shows every stage"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code: 0 done, 1 something is in the way, 3 wrong input."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.command is None:
        parser.print_help()
        return 0
    return guarded(lambda: _init(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="doit-cargo", description="Verified, static Linux binaries of a Cargo workspace."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('doit-cargo')}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    about = "put doit-cargo's files into a Cargo workspace; then `doit` works there"
    init = commands.add_parser("init", help=about, description=about)
    init.add_argument(
        "path", nargs="?", default=".", metavar="PATH", help="the workspace (default: this folder)"
    )
    init.add_argument(
        "--profile", default="release", metavar="NAME", help="the Cargo profile (default: release)"
    )
    existing = init.add_mutually_exclusive_group()
    existing.add_argument("--force", action="store_true", help="overwrite files that are there")
    keep = "leave files that are there; of doit.cfg and pyproject.toml only our own lines change"
    existing.add_argument("--keep", action="store_true", help=keep)
    return parser


def _init(options: argparse.Namespace) -> int:
    """Imported here, since `--help` needs none of it."""
    from doit_cargo.core import context, init_files  # noqa: PLC0415
    from doit_cargo.core.settings.shapes import NAME  # noqa: PLC0415
    from doit_cargo.tools import init_files as tool  # noqa: PLC0415

    if not re.fullmatch(NAME, options.profile):
        raise SetupError(f"--profile {options.profile}: no name of a cargo profile")
    folder = Path(options.path).resolve()
    graph, remarks = tool.read(folder, os.environ)
    choice = init_files.choose(graph)
    contents = init_files.contents(choice, options.profile)
    plan = tool.plan(graph.root, contents, force=options.force, keep=options.keep)
    tool.write(graph.root, plan.written)
    if graph.root != folder:
        remarks = (f"{folder} belongs to the workspace in {graph.root}: it is set up", *remarks)
    console.say("\n".join((*remarks, *choice.remarks(), *plan.lines(graph.root))))
    try:
        context.read_context(graph.root, os.environ, config_file=context.CONFIG_FILE)
    except SetupError as error:
        raise SetupError(f"doit does not accept this yet:\n{error}") from None
    console.say(_NEXT.format(where=_where(graph.root), doit=_doit()))
    return 0


def _where(root: Path) -> str:
    return "" if root == Path.cwd().resolve() else f", after `cd {shlex.quote(str(root))}`"


def _doit() -> str:
    """The doit of this installation, as a shell finds it: by name only if it is on PATH."""
    from doit_cargo.tools import process  # noqa: PLC0415

    ours = Path(sys.executable).with_name("doit")
    return "doit" if process.find("doit") == ours else shlex.quote(str(ours))
