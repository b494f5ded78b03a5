"""Decodes `config/pipeline.yaml`: what to build, for which targets, and what to ship."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_cargo.core.errors import ConfigError
from doit_cargo.core.settings import places
from doit_cargo.core.settings.config_keys import PIPELINE
from doit_cargo.core.settings.config_values import Reader
from doit_cargo.core.settings.faults import Faults
from doit_cargo.core.settings.policy_file import load_policies
from doit_cargo.core.settings.settings_file import read_yaml
from doit_cargo.core.settings.ship import ship_faults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from doit_cargo.core.model import Config, CrateGraph, Policy
    from doit_cargo.core.settings.settings_file import Read
    from doit_cargo.core.settings.ship import Fault


def load(
    config_path: Path, policy_path: Path, root: Path, *, read: Read = read_yaml
) -> tuple[Config, dict[str, Policy]]:
    """Read both configuration files. Raises ConfigError with the faults of both."""
    try:
        config = load_config(config_path, root, read=read)
    except ConfigError as error:
        try:
            load_policies(policy_path, root, read=read)
        except ConfigError as other:
            raise ConfigError(error.faults + other.faults) from None
        raise
    return config, load_policies(policy_path, root, config, read=read)


def load_config(path: Path, root: Path, *, read: Read = read_yaml) -> Config:
    """Read `config/pipeline.yaml`; where it names no root, paths are relative to `root`.

    Raises ConfigError with every fault of the file.
    """
    root = places.real(root)
    path = places.real(path.parent) / path.name
    faults = Faults(places.shown(path, root))
    tree = read(path, faults)
    config = Reader(tree, PIPELINE.read(tree, faults), faults).config(path, root)
    faults.check()
    return config


def check_ship(config: Config, graph: CrateGraph) -> Config:
    """Check the configuration against the workspace and return it as it is.

    Raises ConfigError with every fault: a crate or a binary that the workspace does not have,
    nothing to ship, two binaries of one name, an output folder over a crate's or cargo's.
    """
    _refuse(config, ship_faults(config, graph))
    return config


def take_env(config: Config, env: Mapping[str, str]) -> Config:
    """Return the configuration with what it asks of the shell's variables.

    Raises ConfigError for each that is not set and has no default.
    """
    wanted = config.from_shell
    taken = {key: env.get(wanted[key].name, wanted[key].default) for key in wanted}
    text = "the shell has no variable '{}', and no default is given"
    unset = [key for key, value in taken.items() if value is None]
    _refuse(config, [(("env", key), text.format(wanted[key].name)) for key in unset])
    found = {key: value for key, value in taken.items() if value is not None}
    return config._replace(env={**config.env, **found}) if found else config


def _refuse(config: Config, found: Sequence[Fault]) -> None:
    if not found:
        return
    # only a fault needs its line, so only then is the file read again
    faults = Faults(places.shown(config.path, config.root))
    tree = read_yaml(config.path, faults)
    for keys, text in found:
        tree.fault(faults, text, *keys)
    raise ConfigError(faults.lines())
