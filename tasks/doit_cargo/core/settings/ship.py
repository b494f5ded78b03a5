"""Checks the configuration against the workspace, once its crates are known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doit_cargo.core.settings.faults import nearest
from doit_cargo.core.settings.image_keys import COMPONENT
from doit_cargo.core.settings.places import input_fault, inside, overlap
from doit_cargo.core.settings.profiles import profile_fault
from doit_cargo.core.settings.shapes import NAME, NAME_HINT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doit_cargo.core.model import Config, Crate, CrateGraph

Fault = tuple[tuple[str | int, ...], str]  # the keys of what is wrong, and what is


def ship_faults(config: Config, graph: CrateGraph) -> list[Fault]:
    """Return what the configuration names and the workspace does not have, and the like."""
    members = {name: crate for name, crate in graph.crates.items() if crate.member}
    shipped = _unknown(config, members) if config.ship is not None else _unfit(members)
    further = (_outputs, _images, _rerun, _inputs, _profile)
    return [*shipped, *(fault for check in further for fault in check(config, graph))]


def _inputs(config: Config, graph: CrateGraph) -> Iterator[Fault]:
    made = (*config.filled.values(), graph.target_directory)
    for name, texts in config.inputs.items():
        if name not in graph.crates:
            text = f"the workspace has no crate '{name}', {nearest(name, tuple(graph.crates))}"
            yield ("inputs", name), text
            continue
        for i, text in enumerate(texts):
            if fault := input_fault(graph.crates[name].directory, text, config.root, made):
                yield ("inputs", name, i), fault


def _profile(config: Config, graph: CrateGraph) -> Iterator[Fault]:
    if fault := profile_fault(config, graph):
        yield ("profile",), fault


def _rerun(config: Config, graph: CrateGraph) -> Iterator[Fault]:
    scripts = tuple(name for name, crate in graph.crates.items() if crate.build_script)
    for name in config.rerun:
        if name not in scripts:
            yield ("rerun", name), f"no crate '{name}' has a build script, {nearest(name, scripts)}"


def _unknown(config: Config, members: dict[str, Crate]) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for binary in config.ship or ():
        index = seen[binary.crate] = seen.get(binary.crate, -1) + 1
        crate = members.get(binary.crate)
        if crate is None and index == 0:
            known = tuple(name for name, crate in members.items() if crate.bins)
            text = f"the workspace has no crate '{binary.crate}', {nearest(binary.crate, known)}"
            yield ("ship", binary.crate), text
        if crate is not None and binary.name not in crate.bins:
            text = f"no binary of this crate is '{binary.name}', {nearest(binary.name, crate.bins)}"
            yield ("ship", binary.crate, index), text
    yield from _taken(config, members)


def _taken(config: Config, members: dict[str, Crate]) -> Iterator[Fault]:
    """Refuse what cargo would link into a shipped binary's file: `--bin` names no crate."""
    crate_of = {binary.name: binary.crate for binary in config.ship or ()}
    for name in dict.fromkeys(crate_of.values()):
        for other in members[name].bins if name in members else ():
            if crate_of.get(other, name) != name:
                text = f"it has a binary '{other}' too, as '{crate_of[other]}': rename one of them"
                yield ("ship", name), text


def _unfit(members: dict[str, Crate]) -> Iterator[Fault]:
    """Where nothing is named, everything is shipped: it must be there, once, with a usable name."""
    crate_of: dict[str, str] = {}
    for crate in members.values():
        for name in crate.bins:
            if not (re.fullmatch(NAME, crate.name) and re.fullmatch(NAME, name)):
                rule = f"its names must consist of {NAME_HINT}; name what to ship"
                yield ("ship",), f"'{crate.name}/{name}' cannot be shipped, {rule}"
            if name in crate_of:
                both = f"'{crate_of[name]}' and '{crate.name}'"
                yield ("ship",), f"{both} have a binary '{name}' each, name what to ship"
            crate_of.setdefault(name, crate.name)
    if not crate_of:
        yield ("workspace",), "it has no binary to ship"


def _outputs(config: Config, graph: CrateGraph) -> Iterator[Fault]:
    """Keep outputs apart from crates: there they would be sources, and no build up to date."""
    folders = {"cargo's target directory": graph.target_directory} | {
        f"the crate '{crate.name}'": crate.directory
        for crate in graph.crates.values()
        if not inside(graph.root, crate.directory)
    }
    for key, output in config.filled.items():
        for what, folder in folders.items():
            if overlap(output, folder):
                yield ("output", key), f"overlaps {what}"


def _images(config: Config, graph: CrateGraph) -> Iterator[Fault]:
    """An image's name holds that of its binary, and a binary has one only if it is shipped."""
    if config.images is None:
        return
    shipped = (
        [binary.name for binary in config.ship]
        if config.ship is not None
        else [name for crate in graph.crates.values() if crate.member for name in crate.bins]
    )
    services = config.images.services
    for name in shipped if services is None else services:
        keys = ("images",) if services is None else ("images", "services", name)
        if name not in shipped:
            yield keys, f"'{name}' is not shipped, {nearest(name, tuple(shipped))}"
        elif not re.fullmatch(COMPONENT, name):
            yield (
                keys,
                f"'{name}' cannot name an image, it must be lower case and start plainly",
            )
