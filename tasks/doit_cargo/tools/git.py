"""Asks git what has changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from doit_cargo.core.errors import CheckError, PipelineError, SetupError
from doit_cargo.tools import process

_SHOWN = 5
_TIMEOUT = 60.0  # seconds


def must_be_committed(folder: Path, env: Mapping[str, str]) -> None:
    """Raise CheckError if a file below the folder is not as the last commit has it."""
    argv = ["git", "-C", str(folder), "status", "--porcelain", "--", "."]
    changed = process.run(argv, env=env, timeout=_TIMEOUT).splitlines()
    if changed:
        listed = "\n".join(changed[:_SHOWN] + ["…"] * (len(changed) > _SHOWN))
        raise CheckError(
            f"images.tags names the revision, but {folder} differs from it: commit first\n{listed}"
        )


def is_dirty(folder: Path, env: Mapping[str, str]) -> bool:
    """Whether tracked files differ from the commit that is checked out."""
    argv = ["git", "-C", str(folder), "status", "--porcelain", "--untracked-files=no"]
    try:
        return bool(process.run(argv, env=env, timeout=_TIMEOUT))
    except PipelineError:
        return False


def changed_since(folder: Path, revision: str, env: Mapping[str, str]) -> list[str]:
    """Absolute paths of files below the repository's top that are not as in a revision.

    What is committed since the common ancestor, what is not committed, and what git does not know
    yet and does not ignore. Raises SetupError if there is no such commit, or no common ancestor.
    """

    def git(*words: str) -> str:
        return process.run(["git", "-C", str(folder), *words], env=env, timeout=_TIMEOUT)

    try:
        top = git("rev-parse", "--show-toplevel").rstrip("\n")
        commit = git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").strip()
    except PipelineError as error:
        raise SetupError(f"git knows no commit {revision} in {folder}: {error}") from None
    try:
        base = git("merge-base", commit, "HEAD").strip()
    except PipelineError:
        raise SetupError(
            f"git knows no common ancestor of {revision} and HEAD: fetch more of the history "
            "(in GitHub's checkout: fetch-depth: 0)"
        ) from None
    listed = git("-c", "core.quotePath=off", "diff", "--name-only", "--no-renames", "-z", base)
    new = git("ls-files", "--others", "--exclude-standard", "-z", "--full-name", ":/")
    names = dict.fromkeys(filter(None, f"{listed}{new}".split("\0")))
    return [f"{top}/{name}" for name in names]
