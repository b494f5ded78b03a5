"""Decodes `config/pipeline.yaml`: what to build, for which targets, and what to ship."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_cargo.core.errors import ConfigError
from doit_cargo.core.settings import places
from doit_cargo.core.settings.config_keys import PIPELINE
from doit_cargo.core.settings.config_values import Reader
from doit_cargo.core.settings.faults import Faults
from doit_cargo.core.settings.policy_file import load_policies
from doit_cargo.core.settings.ship import ship_faults
from doit_cargo.core.settings.yamlfile import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from doit_cargo.core.model import Config, CrateGraph, Policy


def load(config_path: Path, policy_path: Path, root: Path) -> tuple[Config, dict[str, Policy]]:
    """Read both configuration files. Raises ConfigError with the faults of both."""
    try:
        config = load_config(config_path, root)
    except ConfigError as error:
        try:
            load_policies(policy_path, root)
        except ConfigError as other:
            raise ConfigError(error.faults + other.faults) from None
        raise
    return config, load_policies(policy_path, root, config)


def load_config(path: Path, root: Path) -> Config:
    """Read `config/pipeline.yaml`; where it names no root, paths are relative to `root`.

    Raises ConfigError with every fault of the file.
    """
    root = places.real(root)
    path = places.real(path.parent) / path.name
    faults = Faults(places.shown(path, root))
    tree = read_yaml(path, faults)
    config = Reader(tree, PIPELINE.read(tree, faults), faults).config(path, root)
    faults.check()
    return config


def check_ship(config: Config, graph: CrateGraph) -> Config:
    """Check the configuration against the workspace and return it as it is.

    Raises ConfigError with every fault: a crate or a binary that the workspace does not have,
    nothing to ship, two binaries of one name, an output folder over a crate's or cargo's.
    """
    if not (found := ship_faults(config, graph)):
        return config
    # only a fault needs its line, so only then is the file read again
    faults = Faults(places.shown(config.path, config.root))
    tree = read_yaml(config.path, faults)
    for keys, text in found:
        tree.fault(faults, text, *keys)
    raise ConfigError(faults.lines())
