"""Runs smoke tests without containers: each program in a root folder that holds nothing else.

A child does it, in a network and a process namespace of its own, so that no other program can
answer in the place of ours and nothing of it outlives the child. Where the kernel does not allow
that, as little as it allows is used, and said.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from doit_cargo.core.errors import CheckError, PipelineError
from doit_cargo.core.images import trial as trials
from doit_cargo.core.images.trial import Trial
from doit_cargo.tools import process
from doit_cargo.tools.smoke.trial import Seen

_CHILD = [sys.executable, "-P", "-m", "doit_cargo.tools.smoke.namespaces_child"]
_SPACES = ["--net", "--pid", "--fork", "--kill-child"]  # unshare(1)
_ROOT = ["--user", "--map-root-user"]
_LIMIT = 900.0  # seconds; the smoke test has its own, shorter limits


class Isolation(NamedTuple):
    """How far programs can be set apart here.

    `prefix` starts the child in namespaces of its own; `rooted`: programs get root folders of
    their own; `user`: and run as this user and group.
    """

    prefix: tuple[str, ...]
    rooted: bool
    user: str | None

    @property
    def name(self) -> str:
        """Its name in records and outcomes."""
        folder = "root" if self.rooted else "folder"
        return folder if self.prefix else f"{folder}, shared network"


def strictest(user: str) -> Isolation:
    """The strictest isolation that this machine allows; `user` runs the programs."""
    if os.geteuid() == 0:
        prefix = ("unshare", *_SPACES)
        group = user if ":" in user else f"{user}:{user}"
        return Isolation(
            prefix if _works(*prefix, "true") else (), _works("chroot", "/", "true"), group
        )
    prefix = ("unshare", *_ROOT, *_SPACES)
    return (
        Isolation(prefix, rooted=True, user=None)
        if _works(*prefix, "true")
        else Isolation((), rooted=False, user=None)
    )


def run(trial: Trial, roots: Mapping[str, Path], isolation: Isolation, *, emulated: bool) -> Seen:
    """What the smoke test saw. `roots` has the prepared folder of each program.

    Raises CheckError with the reason and the end of the logs.
    """
    if trial.needs and not isolation.rooted:
        names = ", ".join(program.name for program in trial.needs)
        raise CheckError(
            f"{trial.subject.name} needs {names} by name, and here is neither docker nor the right "
            "to have namespaces: apt-get install docker.io, or run it as root"
        )
    order = {
        "trial": trials.encode(trial),
        "roots": {name: str(path) for name, path in roots.items()},
        "private": bool(isolation.prefix),
        "rooted": isolation.rooted,
        "user": isolation.user,
        "emulated": emulated,
    }
    answer = _answer([*isolation.prefix, *_CHILD, json.dumps(order)])
    if "fault" in answer:
        raise CheckError(answer["fault"])
    return Seen(**answer)


def _answer(argv: list[str]) -> dict[str, Any]:
    done = process.run_guarded(argv, timeout=_LIMIT)
    with suppress(ValueError):
        found = json.loads(done.out)
        if (
            done.code == 0
            and isinstance(found, dict)
            and (found.keys() == set(Seen._fields) or "fault" in found)
        ):
            return dict(found)
    stderr = "\n".join(done.err.strip().splitlines()[-5:])
    raise CheckError(f"the smoke test's own process ended with {done.code}:\n{stderr}")


def _works(*argv: str) -> bool:
    try:
        return process.run_guarded(argv, timeout=20).code == 0
    except PipelineError:
        return False
