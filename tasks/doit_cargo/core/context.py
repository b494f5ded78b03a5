"""Reads everything that a run, a listing or a reader needs to know: the frozen Context."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from doit_cargo.core.elf.policy import for_development
from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import Binary, Context, CrateGraph
from doit_cargo.core.project import CONFIG_FILE
from doit_cargo.core.settings import config as configuration
from doit_cargo.core.settings.profiles import is_for_development, links_stripped, profile_fault
from doit_cargo.core.settings.settings_file import read_yaml
from doit_cargo.core.settings.shapes import NAME
from doit_cargo.core.toolchain import locate
from doit_cargo.core.workspace import crates

if TYPE_CHECKING:
    from doit_cargo.core.settings.settings_file import Read

CONFIG_VARIABLE = "DOIT_CARGO_CONFIG"
POLICY_FILE = "policy.yaml"


def read_context(
    root: Path,
    env: Mapping[str, str],
    *,
    config_file: str = "",
    profile: str = "",
    host: str = "",
    read: Read = read_yaml,
) -> Context:
    """The configuration, the workspace and the toolchain below `root`, the dodo.py's folder.

    The configuration is `config_file`, else what the environment variable names, else
    config/pipeline.yaml; the policy lies beside it. A `profile` overrides the configured one.
    `host` (a triple) stands for another machine. `read` makes a tree of a configuration file.
    Starts no process. Raises SetupError with every fault that was found.
    """
    path = root / (config_file or env.get(CONFIG_VARIABLE) or CONFIG_FILE)
    config, policies = configuration.load(path, path.with_name(POLICY_FILE), root, read=read)
    config = configuration.take_env(config, env)
    if profile and not re.fullmatch(NAME, profile):
        raise SetupError(f"profile={profile}: not a valid name of a cargo profile")
    graph = crates.load_graph(config.workspace, env, made=config.filled.values())
    if profile:
        config = config._replace(profile=profile)
        if fault := profile_fault(config, graph):
            raise SetupError(f"profile={profile}: {fault}")
    if is_for_development(config, graph):
        policies = {arch: for_development(policy) for arch, policy in policies.items()}
    parts = locate.survey(config.workspace, env, host=host)
    stripped = links_stripped(config, graph)
    chains = {
        target.arch: locate.assemble(target, parts, stripped=stripped) for target in config.targets
    }
    config = configuration.check_ship(config, graph)
    return Context(
        config=config,
        graph=graph,
        policies=policies,
        toolchains=chains,
        env=dict(env),
        ship=config.ship if config.ship is not None else every_binary(graph),
    )


def every_binary(graph: CrateGraph) -> tuple[Binary, ...]:
    """The executables of the workspace's members."""
    return tuple(
        Binary(crate=crate.name, name=name)
        for crate in graph.crates.values()
        if crate.member
        for name in sorted(crate.bins)
    )
