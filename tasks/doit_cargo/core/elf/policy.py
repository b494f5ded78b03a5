"""Which rules hold for which target, how strictly, and the verdict on an executable's facts."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from doit_cargo.core import architectures
from doit_cargo.core.elf.case import Case
from doit_cargo.core.elf.rules import RULES
from doit_cargo.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doit_cargo.core.architectures import Architecture
    from doit_cargo.core.elf.reader import Facts
    from doit_cargo.core.model import Level, Policy, Target

RULE_NAMES: tuple[str, ...] = tuple(RULES)
RELEASE_ONLY = frozenset({"stripped", "size", "build_path"})
"""The rules that a program with debug information has to break."""


class Violation(NamedTuple):
    """A broken rule: what was found, what was wanted, and how to fix it."""

    rule: str
    level: Level
    found: str
    wanted: str
    remedy: str

    def __str__(self) -> str:
        """Put it in one line."""
        return f"{self.rule}: found {one_line(self.found)}, wanted {self.wanted}: {self.remedy}"


def default_levels(triple: str) -> dict[str, Level]:
    """Give the level of every rule for a target triple.

    Only some musl targets of rustc make position-independent static executables
    (`static_position_independent_executables` in `rustc_target`'s specs): elsewhere `pie` and
    `relro` are off. Raises SetupError if the architecture is not known.
    """
    return _levels(architectures.of(triple))


def for_development(policy: Policy) -> Policy:
    """The policy for a development build: what only a release must have is not required."""
    levels = policy.levels.items()
    softened = {
        rule: "warn" if rule in RELEASE_ONLY and level == "deny" else level
        for rule, level in levels
    }
    return policy._replace(levels=softened)


def judge(
    facts: Facts, *, policy: Policy, target: Target, binary_name: str, build_paths: Sequence[str]
) -> tuple[Violation, ...]:
    """Hold the facts against the policy: the broken rules, in the order of `RULE_NAMES`.

    `build_paths` is what `find_build_paths` found in the same bytes. Rules that are off are not
    looked at. Raises SetupError if the target's architecture is not known.
    """
    case = Case(
        facts=facts, policy=policy, target=target, architecture=architectures.of(target.triple),
        name=binary_name, build_paths=build_paths,
    )  # fmt: skip
    return tuple(
        Violation(rule=rule, level=level, **finding._asdict())
        for rule, check in RULES.items()
        if (level := policy.levels[rule]) != "off" and (finding := check(case))
    )


def _levels(architecture: Architecture) -> dict[str, Level]:
    levels: dict[str, Level] = dict.fromkeys(RULE_NAMES, "deny")
    levels |= {"stripped": "warn", "build_path": "warn"}
    return levels if architecture.static_pie else levels | {"pie": "off", "relro": "off"}


DEFAULT_LEVELS: Mapping[str, Mapping[str, Level]] = MappingProxyType(
    {
        name: MappingProxyType(_levels(architecture))
        for name, architecture in architectures.ARCHITECTURES.items()
    }
)
