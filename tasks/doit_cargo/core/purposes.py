"""What each command and each stage is for, in words that fit a line of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COMMANDS: Final[Mapping[str, str]] = {
    "run": "make all that is shipped ready, or what is named",
    "list": "list what is shipped, and the stages; --all: every task",
    "info": "show what a task needs and makes, and why it would run",
    "show": "show the binaries: size, SHA-256, verdict, when built",
    "size": "show how large the binaries are, and what fills them",
    "audit": "check all that lies on disk again, compiling nothing",
    "env": "print what cargo gets, environment and command, for a shell",
    "init": "put doit-cargo's files into a Cargo workspace",
    "setup": "install what is missing: Rust, std, linker wrappers",
    "doctor": "check that everything that a build needs is there",
    "hooks": "install git's pre-push hook: audit, then verify",
    "completions": "print the script that completes words in a shell",
    "clean": "remove what tasks made; without a name also the packages",
    "forget": "forget that a task has run",
    "reset-dep": "take the files as they are for those of the last run",
    "help": "show this page, or the one of a command",
}
"""Command → what it is for."""

STAGES: Final[Mapping[str, str]] = {
    "build": "compile",
    "verify": "compile, and check every binary",
    "package": "put verified binaries and their manifest in one folder",
    "stage": "copy the packages into the Docker build context",
    "image": "make an image of each binary",
    "verify-image": "check what is inside every image",
    "smoke": "start every image, probe it, and stop it",
    "index": "put the images of all platforms under one index",
    "push": "push them to the registry",
}
"""Stage → what is done up to there."""
