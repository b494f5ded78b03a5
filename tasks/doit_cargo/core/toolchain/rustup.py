"""Which toolchain rustup would run in a folder, found from its files as rustup itself does.

The rules: https://rust-lang.github.io/rustup/overrides.html. Directory overrides and toolchain
files are preferred by their nearness to the folder; at one folder the override goes first.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from doit_cargo.core import bounded, toml_file
from doit_cargo.core.errors import SetupError

_FILES = ("rust-toolchain", "rust-toolchain.toml")  # if both are there, rustup takes the first


class Choice(NamedTuple):
    """The toolchain rustup would run: what it is called, its folder, and who chose it."""

    name: str
    folder: Path
    source: str


def home(env: Mapping[str, str]) -> Path | None:
    """Rustup's own folder, if it can be known."""
    if env.get("RUSTUP_HOME"):
        return Path(env["RUSTUP_HOME"])
    return Path(env["HOME"], ".rustup") if env.get("HOME") else None


def is_proxy(program: Path) -> bool:
    """Tell whether a cargo or rustc is rustup in disguise: a link, hard link or copy of it."""
    real = Path(os.path.realpath(program))
    if real.name.startswith("rustup"):
        return True
    try:
        here, rustup = os.stat(real), os.stat(real.with_name("rustup"))
    except OSError:
        return False
    return os.path.samestat(here, rustup) or here.st_size == rustup.st_size


def choose(folder: Path, env: Mapping[str, str], *, host: str) -> Choice | None:
    """The toolchain for commands run in that folder; None if rustup has no default either.

    Raises SetupError for a name or a path that rustup refuses.
    """
    base = home(env)
    if base is None:
        return None
    settings = _toml(base / "settings.toml")
    host = _text(settings.get("default_host_triple")) or host
    found = _environment(env) or _nearest(folder, settings) or _default(base, settings)
    if found is None:
        return None
    name, source = found
    _check(name, source)
    return Choice(name=name, folder=_folder(base, name, host), source=source)


def _environment(env: Mapping[str, str]) -> tuple[str, str] | None:
    name = env.get("RUSTUP_TOOLCHAIN", "")
    return (name, "RUSTUP_TOOLCHAIN") if name else None


def _default(base: Path, settings: Mapping[str, Any]) -> tuple[str, str] | None:
    name = _text(settings.get("default_toolchain"))
    return (name, f"the default in {base / 'settings.toml'}") if name else None


def _nearest(folder: Path, settings: Mapping[str, Any]) -> tuple[str, str] | None:
    overrides = settings.get("overrides")
    overrides = overrides if isinstance(overrides, dict) else {}
    real = Path(os.path.realpath(folder))
    for place in (real, *real.parents):
        if name := _text(overrides.get(str(place))):
            return name, f"the override for {place}"
        for file in _FILES:
            if name := _named_in(place / file):
                return name, str(place / file)
    return None


def _named_in(file: Path) -> str:
    """What a toolchain file names: a channel, or a path; "" for nothing."""
    try:
        text = bounded.read_text(file)
    except (OSError, UnicodeDecodeError):
        return ""
    if file.suffix != ".toml" and len(text.split()) == 1 and "[" not in text:
        return text.strip()  # the old form: the name alone
    table = _parse(text).get("toolchain")
    table = table if isinstance(table, dict) else {}
    return _text(table.get("path")) or _text(table.get("channel"))


def _check(name: str, source: str) -> None:
    """Refuse what is neither a name nor an absolute path, as rustup does since 1.26.

    A path below the workspace would make a program of its sources the compiler, at first sight.
    """
    if not os.path.isabs(name) and ("/" in name or name in {".", ".."}):
        raise SetupError(
            f"{source} chooses the toolchain `{name}`: rustup takes a name or an absolute path\n"
            f"write the channel's name, for example stable, or the whole path"
        )


def _folder(base: Path, name: str, host: str) -> Path:
    """The toolchain's folder: custom names are whole, channels go on with the host."""
    if os.path.isabs(name):
        return Path(name)
    exact = base / "toolchains" / name
    return exact if exact.is_dir() else base / "toolchains" / f"{name}-{host}"


def _toml(path: Path) -> dict[str, Any]:
    try:
        return _parse(bounded.read_text(path))
    except (OSError, UnicodeDecodeError):
        return {}


def _parse(text: str) -> dict[str, Any]:
    try:
        return toml_file.parse(text)
    except ValueError:
        return {}  # rustup itself refuses it, with the place


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
