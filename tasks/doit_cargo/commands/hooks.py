"""`doit hooks`: a pre-push hook that lets nothing unverified or stale be pushed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doit.cmd_base import Command

from doit_cargo.core.errors import SetupError
from doit_cargo.core.project import CONFIG_FILE, has_our_dodo
from doit_cargo.core.purposes import COMMANDS
from doit_cargo.doit_ext.options import flag
from doit_cargo.tools import console
from doit_cargo.tools.run.exit_codes import guarded

if TYPE_CHECKING:
    from doit_cargo.tools.git_hooks import Repository

_FORCE = flag("force", "replace or remove a hook that doit hooks did not write")


class Hooks(Command):
    """Works on git's hooks folder alone: no configuration, no tasks, no state."""

    doc_purpose = COMMANDS["hooks"]
    doc_usage = "[install | uninstall]"
    doc_description = "Without an argument it says what is installed."
    cmd_options = (_FORCE,)

    def execute(self, opt_values: Any, pos_args: list[str]) -> int:
        """Do what the word says; a user's mistake is one message."""
        # doit takes options before the words only
        words = [word for word in pos_args if word != "--force"]
        force = opt_values["force"] or words != pos_args
        return guarded(lambda: _work(words, force=force))


def _work(words: list[str], *, force: bool) -> int:
    from doit_cargo.tools import git_hooks

    project = Path.cwd()
    repository = git_hooks.find(project, os.environ)
    if words == ["install"]:
        git_hooks.install(repository, doit=_doit(project), force=force)
        console.say(f"installed {repository.hook}: a push runs doit audit and doit verify first")
    elif words == ["uninstall"]:
        gone = git_hooks.uninstall(repository, force=force)
        console.say(f"removed {repository.hook}" if gone else "there is no pre-push hook")
    elif words:
        raise SetupError(f"doit hooks {' '.join(words)}: expected install, uninstall, or nothing")
    else:
        console.say(_status(repository))
    return 0


def _status(repository: Repository) -> str:
    from doit_cargo.tools import git_hooks

    found = git_hooks.status(repository)
    return {
        None: "no pre-push hook: doit hooks install",
        "ours": f"installed: {repository.hook}",
        "edited": f"installed, and edited since: {repository.hook}",
        "foreign": f"not ours: {repository.hook}",
    }[found]


def _doit(project: Path) -> str:
    """The executable beside this interpreter: a push may come from a shell without its venv.

    Raises SetupError for a folder with no project of ours.
    """
    by_doit = has_our_dodo(project)
    if not by_doit and not (project / CONFIG_FILE).is_file():
        raise SetupError(f"no {CONFIG_FILE} in {project}: start it in the project's folder")
    return str(Path(sys.executable).with_name("doit" if by_doit else "doit-cargo"))
