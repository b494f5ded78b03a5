"""Debian's packages: which are known, how big they are, and their installation."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from doit_cargo.core.errors import PipelineError
from doit_cargo.tools import process
from doit_cargo.tools.machine.cache import Say

_MEGA = 1_000_000
_UPDATE = ("apt-get", "update", "-q")
# Debian 12 keeps a current Rust beside its old one, for browsers: rustc-web and so on.
_RUST = (("rustc-web", "cargo-web", "rust-web-src"), ("rustc", "cargo", "rust-src"))
HOST_LINKER = ("gcc", "libc6-dev")


def usable() -> bool:
    """Tell whether packages can be installed here: apt, and the rights to use it."""
    return process.find("apt-get") is not None and os.geteuid() == 0


def present() -> bool:
    """Tell whether this is a system with apt, whichever user this is."""
    return process.find("apt-get") is not None


def rust_packages() -> tuple[str, ...]:
    """The newest compiler, cargo and std source that apt knows; () if it knows none."""
    return next((names for names in _RUST if all(map(_known, names))), ())


def source_package(rustc: Path) -> str:
    """The package with the std source of an installed compiler; "" if it came from elsewhere."""
    try:
        owner = process.run(["dpkg-query", "-S", rustc], timeout=60).partition(":")[0]
    except PipelineError:
        return ""
    return next((names[2] for names in _RUST if names[0] == owner), "")


def update(say: Say) -> None:
    """Fetch the list of packages."""
    say(f"running {process.quoted(_UPDATE)}")
    process.run(_UPDATE, env=_environment(), capture=False)


def install_command(packages: Sequence[str]) -> tuple[str, ...]:
    """The command, as run and as shown."""
    return ("apt-get", "install", "-y", "-q", "--no-install-recommends", *packages)


def install(packages: Sequence[str], say: Say) -> None:
    """Install them, saying what is fetched and how much before it starts."""
    argv = install_command(packages)
    say(f"fetching {download_size(packages) / _MEGA:.0f} MB of packages, into /usr")
    say(f"running {process.quoted(argv)}")
    process.run(argv, env=_environment(), capture=False)


def download_size(packages: Sequence[str]) -> int:
    """What apt would fetch, in bytes: the third word of each line is a file's size."""
    argv = (*install_command(packages), "--print-uris", "-qq")
    lines = process.run(argv, env=_environment(), timeout=120).splitlines()
    words = (line.split() for line in lines if line.startswith("'"))
    return sum(int(word[2]) for word in words if len(word) > 2 and word[2].isdigit())  # noqa: PLR2004


def _known(package: str) -> bool:
    try:
        return bool(process.run(["apt-cache", "show", "--no-all-versions", package], timeout=60))
    except PipelineError:
        return False


def _environment() -> dict[str, str]:
    return {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
