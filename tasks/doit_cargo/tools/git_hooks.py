"""Git's hooks folder: puts the pre-push hook there and takes it away; asks git where it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from doit_cargo.core import bounded, pre_push_hook
from doit_cargo.core.errors import CheckError, PipelineError, SetupError
from doit_cargo.tools import files, process

_LONGEST = 1 << 16


class Repository(NamedTuple):
    """A working tree: its top, the project's folder relative to it, and the hook's path.

    `base` is the folder of this repository (working tree or git's own) that holds the hooks.
    """

    top: Path
    folder: str
    base: Path
    hook: Path


def find(project: Path, env: Mapping[str, str]) -> Repository:
    """The repository that the project is in. Raises SetupError if it has no hooks of its own.

    A hooks folder outside of it (`core.hooksPath`) is shared with other repositories, whose pushes
    our hook would stop.
    """
    (top,) = _ask(project, env, "--show-toplevel")
    common, hooks = _ask(Path(top), env, "--git-common-dir", "--git-path", "hooks")
    folder = Path(os.path.normpath(Path(top, hooks)))
    bases = [Path(os.path.normpath(Path(top, common))), Path(top)]
    for base in bases:
        if folder.is_relative_to(base):
            relative = os.path.relpath(project.resolve(), Path(top).resolve())
            return Repository(Path(top), relative, base, folder / pre_push_hook.NAME)
    raise SetupError(
        f"core.hooksPath names {folder}, which other repositories may share. Give this one its "
        "own: git config --local core.hooksPath .git/hooks"
    )


def status(repository: Repository) -> pre_push_hook.Whose | None:
    """Whose hook is there; None if there is none."""
    path = repository.hook
    if not os.path.lexists(path):
        return None
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _LONGEST:
        return "foreign"
    return pre_push_hook.whose(bounded.read(path).decode(errors="surrogateescape"))


def install(repository: Repository, *, doit: str, force: bool) -> None:
    """Write the hook. Raises CheckError if another one is there, unless forced."""
    if not force:
        _refuse(repository, "replaces", "install")
    text = pre_push_hook.text(folder=repository.folder, doit=doit)
    files.write(repository.base, repository.hook, text.encode(errors="surrogateescape"), 0o755)


def uninstall(repository: Repository, *, force: bool) -> bool:
    """Remove the hook, and say whether there was one. Raises CheckError if it is not ours."""
    if status(repository) is None:
        return False
    if not force:
        _refuse(repository, "removes", "uninstall")
    files.remove(repository.base, repository.hook)
    return True


def _refuse(repository: Repository, what: str, word: str) -> None:
    found = status(repository)
    if found in {"edited", "foreign"}:
        kind = "was edited since it was written" if found == "edited" else "is another hook"
        raise CheckError(
            f"{repository.hook} {kind}, and stays: doit hooks {word} --force {what} it. A hook of "
            "your own can run the same: doit audit && doit verify"
        )


def _ask(folder: Path, env: Mapping[str, str], *words: str) -> list[str]:
    try:
        output = process.run(["git", "rev-parse", *words], cwd=folder, env=env)
    except PipelineError as error:
        raise SetupError(
            f"a hook needs a git repository with a working tree here: {error}"
        ) from None
    return output.splitlines()
