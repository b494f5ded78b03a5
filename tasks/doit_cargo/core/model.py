"""The nouns: frozen values, decoded at the edge and trusted inside. Made by keyword.

Named tuples, since all of these are defined at each start: a frozen dataclass takes eight times
as long to define, which a run with nothing to do would spend mostly on that.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from doit_cargo.core.image_settings import Images
from doit_cargo.core.reach import reachable

if TYPE_CHECKING:
    from doit_cargo.core.toml_file import Table, TomlFile

Level = Literal["deny", "warn", "off"]
_NOTHING: Mapping[str, Any] = MappingProxyType({})
PROFILES: Mapping[str, Table] = MappingProxyType(
    {
        "dev": {"debug": True},
        "release": {},
        "test": {"inherits": "dev"},
        "bench": {"inherits": "release"},
    }
)
"""Cargo's own profiles. Source: The Cargo Book, "Profiles"."""

RELEASE = "release"
"""The profile of which everything is built unless the configuration names another."""


class Target(NamedTuple):
    """An architecture to build for: its short name, target triple and Docker platform."""

    arch: str
    triple: str
    platform: str
    default: bool = True


class Binary(NamedTuple):
    """A shipped binary: an executable target of a crate. Names are unique in the ship list."""

    crate: str
    name: str


class Features(NamedTuple):
    """Cargo features, for the whole workspace: `--features`, `--all-features`, and so on."""

    names: tuple[str, ...] = ()
    all: bool = False
    default: bool = True


class Outputs(NamedTuple):
    """Every folder that runs write, beside cargo's own, by its key in the file.

    `state`: doit's state, records, logs. `binaries`: packages. `context`: Docker build contexts.
    `images`: OCI layouts. `debug`: symbols split off.
    """

    state: Path
    binaries: Path
    context: Path
    images: Path
    debug: Path

    @staticmethod
    def unused(*, images: bool, split_debug: bool) -> frozenset[str]:
        """The keys of those in which nothing will lie, given what the configuration asks for."""
        asked = {"images": images, "debug": split_debug}
        return frozenset(key for key, wanted in asked.items() if not wanted)


class ShellVariable(NamedTuple):
    """A variable of the shell by its name, and what stands for it where there is none."""

    name: str
    default: str | None


class Config(NamedTuple):
    """`config/pipeline.yaml`, decoded. Every path is absolute and below `root`.

    Without `images` there is no task about images. `env` has the values of `from_shell` too, once
    it is read. `inputs` maps a crate to paths that count from its folder, `rerun` a crate to
    "never" if its build script is not asked again, though it wants to run always.
    """

    path: Path
    root: Path
    title: str
    workspace: Path
    outputs: Outputs
    targets: tuple[Target, ...]
    ship: tuple[Binary, ...] | None
    profile: str = RELEASE
    features: Features = Features()
    env: Mapping[str, str] = _NOTHING
    locked: bool | None = None
    offline: bool = False
    trust_wrapper: bool = False
    split_debug: bool = False
    images: Images | None = None
    rerun: Mapping[str, str] = _NOTHING
    from_shell: Mapping[str, ShellVariable] = _NOTHING
    inputs: Mapping[str, tuple[str, ...]] = _NOTHING

    @property
    def filled(self) -> dict[str, Path]:
        """The outputs that this configuration fills: key → folder. They are never sources."""
        unused = Outputs.unused(images=self.images is not None, split_debug=self.split_debug)
        return {key: path for key, path in self.outputs._asdict().items() if key not in unused}


class Policy(NamedTuple):
    """What an executable of one target must look like: a level for each rule, and sizes in bytes.

    `levels` has every name of `policy.RULE_NAMES`; `budgets` maps a binary's name to its maximum
    size.
    """

    levels: Mapping[str, Level]
    min_size: int
    max_size: int
    budgets: Mapping[str, int] = _NOTHING


class Crate(NamedTuple):
    """A package of the workspace, or a path dependency outside it, as its manifest says.

    `dependencies` are the names of the path packages that it links or runs (normal and build
    dependencies of every target, not dev-dependencies). `bins` are its executable targets.
    """

    name: str
    version: str
    manifest: Path
    dependencies: tuple[str, ...]
    bins: tuple[str, ...]
    has_lib: bool
    build_script: Path | None
    member: bool = True

    @property
    def directory(self) -> Path:
        """The package's folder: where its Cargo.toml lies."""
        return self.manifest.parent


class CrateGraph(NamedTuple):
    """The workspace's crates in dependency order: a crate comes after those it depends on.

    `patched` are the packages that a `[patch]` takes from a folder of this machine: a crate may
    be built upon them by way of third-party ones, which its manifest does not tell. `vendored`
    are the lists of checksums by which cargo knows third-party sources that lie in a folder.
    `folders_elsewhere` are those of sources beyond the root, each with what stands for it in a
    binary, `roots_elsewhere` the manifests of workspaces that those inherit from. `configs` are
    cargo's own configuration files that count there, parsed, strongest first; `profiles` cargo's
    profiles, by name, each with what is said of it.
    """

    root: Path
    target_directory: Path
    crates: Mapping[str, Crate]
    patched: frozenset[str] = frozenset()
    vendored: tuple[Path, ...] = ()
    folders_elsewhere: tuple[tuple[str, str], ...] = ()
    roots_elsewhere: tuple[Path, ...] = ()
    configs: tuple[TomlFile, ...] = ()
    profiles: Mapping[str, Table] = PROFILES

    def closure(self, *names: str) -> tuple[str, ...]:
        """The crates and every crate below them, in dependency order."""
        below = reachable(names, lambda name: self.crates[name].dependencies)
        return tuple(crate for crate in self.crates if crate in below)


class Toolchain(NamedTuple):
    """What compiles for one target, found from files alone (no process is started).

    `identity` names the files whose bytes decide what comes out (compiler, driver library, the
    target's std, zig, wrappers, what zig links, protoc); `stripped` tells whether the linker
    strips; the records say what setup compiled (core/toolchain/runtime.py); `missing` holds one
    line for each thing that is not there, with the command that fixes it.
    """

    target: Target
    host: str
    rustup_toolchain: str | None
    cargo: Path | None
    rustc: Path | None
    sysroot: Path | None
    private_sysroot: bool
    wrappers: Path
    zig_cache: Path
    stripped: bool
    zig_record: Path
    std_record: Path | None
    protoc: Path | None
    identity: tuple[Path, ...] = ()
    missing: tuple[str, ...] = ()


class Context(NamedTuple):
    """All that the steps need to know, made once when the tasks are loaded.

    `ship` is what is shipped, in manifest order: as configured, else every binary of the
    workspace, by crate graph and then by name.
    """

    config: Config
    graph: CrateGraph
    policies: Mapping[str, Policy]
    toolchains: Mapping[str, Toolchain]
    env: Mapping[str, str]
    ship: tuple[Binary, ...]
