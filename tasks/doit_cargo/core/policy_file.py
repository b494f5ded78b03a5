"""Decodes `config/policy.yaml`: how strictly each rule is applied, and the sizes allowed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, get_args

from doit_cargo.core import places
from doit_cargo.core.faults import Faults, nearest
from doit_cargo.core.model import Level, Policy
from doit_cargo.core.policy import DEFAULT_LEVELS, RULES
from doit_cargo.core.shapes import NAME, NAME_HINT, Choice, Field, MapOf, Record, Size, Text
from doit_cargo.core.yamlfile import Node, read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from doit_cargo.core.model import Config, Target

_IDENTITY: Final = ("machine", "class", "endianness")
_LEVELS: Final = get_args(Level)


class _Identity(Choice):
    """The level of a rule that tells one target's binaries from another's."""

    def complaint(self) -> str:
        """Say that the rule stays."""
        return "deny is the only level: a binary for another machine never ships"


_RULES: Final = Record(
    {
        rule: Field(Choice("deny") if rule in _IDENTITY else Choice(*_LEVELS), doc)
        for rule, doc in RULES.items()
    }
)
_SIZE: Final = Record(
    {
        "min": Field(Size(), "The smallest size of a binary.", "64 KiB"),
        "max": Field(Size(), "The largest size of a binary.", "256 MiB"),
    }
)
_SETTINGS: Final = {
    "rules": Field(_RULES, "The level of each rule: deny stops, warn tells, off is silent."),
    "size": Field(_SIZE, "The sizes that are allowed, for the rule 'size'."),
}
POLICY: Final = Record(
    _SETTINGS
    | {
        "targets": Field(
            MapOf(Text("an architecture name", NAME, NAME_HINT), Record(_SETTINGS)),
            "What differs for one architecture.",
            {},
        ),
        "budgets": Field(
            MapOf(Text("a binary name", NAME, NAME_HINT), Size()),
            "The largest size of one binary, on every architecture.",
            {},
        ),
    }
)
