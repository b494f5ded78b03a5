"""What each command and each stage is for, in words that fit a line of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COMMANDS: Final[Mapping[str, str]] = {
    "run": "build, verify and stage all that ships, or what is named",
    "list": "list what is shipped, and the stages; --all: every task",
    "info": "show a task's inputs and outputs, and why it would run",
    "why": "say what makes a task run: the first cause, and the way",
    "plan": "say what a run would do, without doing it",
    "affected": "list the binaries that a range of commits touches",
    "history": "list the runs that did something, or a binary's sizes",
    "show": "show the binaries: size, SHA-256, verdict, when built",
    "size": "show how large the binaries are, and what fills them",
    "audit": "check everything on disk again, without compiling",
    "env": "print cargo's environment and command line for a shell",
    "init": "put doit-cargo's files into a Cargo workspace",
    "setup": "install what is missing: Rust, std, linker wrappers",
    "doctor": "check that everything a build needs is installed",
    "hooks": "install git's pre-push hook: audit, then verify",
    "completions": "print the completion script of a shell",
    "clean": "remove what tasks made; without a name also the packages",
    "forget": "forget that a task has run",
    "reset-dep": "record the files as they are now as up to date",
    "help": "show this page, or the page of a command",
}
"""Command → what it is for."""

STAGES: Final[Mapping[str, str]] = {
    "build": "compile the shipped binaries and their crates, in one cargo",
    "verify": "compile, and check every binary against config/policy.yaml",
    "package": "put verified binaries and their manifest into docker/binaries",
    "stage": "copy the packages into the Docker build context",
    "image": "build an image of each binary",
    "verify-image": "check what is inside every image",
    "smoke": "start every image, probe it, and stop it",
    "index": "put the images of all platforms under one index",
    "push": "push the images to the registry",
}
"""Stage → what is done up to there."""

INTERNAL_STAGES: Final[Mapping[str, str]] = {
    "toolchain": "what every build depends on: compiler, std, linker, settings",
    "strip": "split symbols and debug information off what ships, and keep them",
}
"""The stages that nobody asks for by name."""
