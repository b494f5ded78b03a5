"""What a rule looks at, and what it finds: values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doit_cargo.core.architectures import Architecture
    from doit_cargo.core.elf.reader import Facts
    from doit_cargo.core.model import Policy, Target


class Case(NamedTuple):
    """Everything that a rule may look at."""

    facts: Facts
    policy: Policy
    target: Target
    architecture: Architecture
    name: str
    build_paths: Sequence[str]

    @property
    def again(self) -> str:
        """The remedy for a file that this build did not make."""
        return f"remove it and run: doit build:{self.target.arch}"


class Finding(NamedTuple):
    """What a broken rule found and wanted, and the remedy."""

    found: str
    wanted: str
    remedy: str
