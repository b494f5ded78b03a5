"""Decodes `config/policy.yaml`: how strictly each rule is applied, and the sizes allowed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from doit_cargo.core.elf.policy import RULE_NAMES, default_levels
from doit_cargo.core.model import Policy
from doit_cargo.core.settings import places
from doit_cargo.core.settings.faults import Faults, nearest
from doit_cargo.core.settings.node import Node
from doit_cargo.core.settings.settings_file import read_yaml
from doit_cargo.core.settings.shapes import (
    NAME,
    NAME_HINT,
    Choice,
    Field,
    MapOf,
    Record,
    Size,
    Text,
)

if TYPE_CHECKING:
    from pathlib import Path

    from doit_cargo.core.model import Config, Target
    from doit_cargo.core.settings.settings_file import Read

MIN_SIZE: Final = 64 * 1024
MAX_SIZE: Final = 256 * 1024**2

# what tells the binaries of one target from those of another
_IDENTITY: Final = ("machine", "class", "endianness")
_DOCS: Final = {
    "machine": "The file is for the target's processor. Always deny.",
    "class": "The file is 64-bit or 32-bit, as the target is. Always deny.",
    "endianness": "The file has the target's byte order. Always deny.",
    "os_abi": "The file is for Linux, not for another system.",
    "type": "The file is an executable: no object, library or core file.",
    "static": "The file needs no shared library and no dynamic loader.",
    "pie": "The executable can be loaded anywhere (position-independent).",
    "nx": "The stack is not executable.",
    "relro": "The file asks for all relocated data to be read-only (full RELRO).",
    "wx": "No memory is both writable and executable.",
    "textrel": "No relocation writes into code.",
    "loads": "Every segment is mapped as it is written, in pages of its own.",
    "overlay": "Every byte of the file belongs to a segment or a section.",
    "rpath": "The file names no folder to search for libraries.",
    "filters": "The file names no filter and no audit library.",
    "entry": "The program starts in executable code.",
    "stripped": "The file has no symbol table.",
    "size": "The size is within 'size' and the binary's budget.",
    "build_path": "The file does not contain paths of the machine that built it.",
}


class _Identity(Choice):
    """The level of an identity rule."""

    def complaint(self, text: str) -> str:
        """Say that such a rule stays."""
        return f"{text} is not allowed: a binary for another machine never ships, the level is deny"


def _level(rule: str) -> Choice:
    return _Identity("deny") if rule in _IDENTITY else Choice("deny", "warn", "off")


_RULES: Final = Record({rule: Field(_level(rule), _DOCS.get(rule, "")) for rule in RULE_NAMES})
_SIZE: Final = Record(
    {
        "min": Field(Size(), "The smallest size of a binary. Default: 64 KiB."),
        "max": Field(Size(), "The largest size of a binary. Default: 256 MiB."),
    }
)
_SETTINGS: Final = {
    "rules": Field(
        _RULES, "The level of each rule: deny fails, warn only reports, off skips the rule."
    ),
    "size": Field(_SIZE, "The sizes that the rule 'size' allows."),
}
POLICY: Final = Record(
    {
        **_SETTINGS,
        "targets": Field(
            MapOf(Text("an architecture name", NAME, NAME_HINT), Record(_SETTINGS)),
            "What differs for one architecture, by its name in pipeline.yaml.",
            {},
        ),
        "budgets": Field(
            MapOf(Text("a binary name", NAME, NAME_HINT), Size()),
            "The largest size of one binary, on every architecture.",
            {},
        ),
    }
)


def load_policies(
    path: Path, root: Path, config: Config | None = None, *, read: Read = read_yaml
) -> dict[str, Policy]:
    """Read `config/policy.yaml` and return the policy of every target of `config`.

    Where there is no file, and for what it does not say, the defaults hold. Without a config only
    the file itself is checked. Raises ConfigError with every fault of the file.
    """
    faults = Faults(places.shown(path, root))
    tree = read(path, faults) if os.path.lexists(path) else Node({}, "map", 1)
    values = POLICY.read(tree, faults)
    _check_sizes(tree, values, faults)
    if config:
        _check_names(tree, values, config, faults)
    faults.check()
    return {target.arch: _policy(target, values) for target in config.targets} if config else {}


def _policy(target: Target, values: dict[str, Any]) -> Policy:
    section = values["targets"].get(target.arch) or POLICY.defaults()
    size = _size(values["size"], section["size"])
    return Policy(
        levels=default_levels(target.triple) | _given(values["rules"]) | _given(section["rules"]),
        min_size=size["min"],
        max_size=size["max"],
        budgets=dict(values["budgets"]),
    )


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _size(*layers: dict[str, Any]) -> dict[str, int]:
    size = {"min": MIN_SIZE, "max": MAX_SIZE}
    for layer in layers:
        size |= _given(layer)
    return size


def _check_sizes(tree: Node, values: dict[str, Any], faults: Faults) -> None:
    layers: dict[tuple[str, ...], dict[str, int]] = {("size",): _size(values["size"])}
    for arch, section in values["targets"].items():
        layers["targets", arch, "size"] = _size(values["size"], section["size"])
    for keys, size in layers.items():
        if size["min"] > size["max"]:
            tree.fault(faults, f"min {size['min']} is above max {size['max']}", *keys)


def _check_names(tree: Node, values: dict[str, Any], config: Config, faults: Faults) -> None:
    archs = tuple(target.arch for target in config.targets)
    for arch in values["targets"]:
        if arch not in archs:
            text = f"pipeline.yaml has no such target, {nearest(arch, archs)}"
            tree.fault(faults, text, "targets", arch)
    shipped = tuple(binary.name for binary in config.ship or ())
    for name in values["budgets"]:
        if shipped and name not in shipped:
            text = f"pipeline.yaml ships no such binary, {nearest(name, shipped)}"
            tree.fault(faults, text, "budgets", name)
