"""The keys of `config/pipeline.yaml`, as a table: the decoder and the schema follow it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from doit_cargo.core.model import RELEASE
from doit_cargo.core.settings.image_keys import IMAGES, Optional
from doit_cargo.core.settings.shapes import (
    NAME,
    NAME_HINT,
    Choice,
    Either,
    Field,
    Flag,
    ListOf,
    MapOf,
    Record,
    Short,
    Text,
)
from doit_cargo.core.settings.triples import Triple

_PATH: Final = Text("a path", r"[^\n\t]+")
_FEATURE: Final = Text(
    "a feature",
    f"({NAME}/)?[A-Za-z0-9_][A-Za-z0-9_+.-]{{0,63}}",
    "'name' or 'crate/name'",
)
_TARGET: Final = Record(
    {
        "triple": Field(Triple(), "The target triple that cargo builds for."),
        "platform": Field(
            Text(
                "a Docker platform",
                "linux/[a-z0-9]+(/v[0-9]+)?",
                "linux/ and a processor, such as linux/arm64",
            ),
            "The Docker platform of the images. Default: taken from the triple.",
        ),
        "default": Field(Flag(), "Whether a plain `doit` builds it.", default=True),
    },
    required=("triple",),
)
_OUTPUT: Final = Record(
    {
        "state": Field(_PATH, "doit's state, the step records, the logs.", ".doit-cargo"),
        "binaries": Field(_PATH, "The packages: <arch>/<crate>/<binary>.", "docker/binaries"),
        "context": Field(_PATH, "The Docker build contexts.", "docker/context"),
        "images": Field(_PATH, "The images of all platforms, as OCI layouts.", "docker/images"),
        "debug": Field(
            _PATH, "What split_debug keeps: <arch>/<crate>/<binary>.debug.", "docker/debug"
        ),
    }
)
OUTPUTS: Final[Mapping[str, str]] = MappingProxyType(_OUTPUT.defaults())
"""Key of `output` → where that folder lies unless the file says otherwise."""

_FEATURES: Final = Record(
    {
        "names": Field(ListOf(_FEATURE), "Features to switch on.", []),
        "all": Field(Flag(), "Switch every feature on.", default=False),
        "default": Field(Flag(), "Keep the default features on.", default=True),
    }
)
_CARGO: Final = Record(
    {
        "locked": Field(
            Flag(), "Whether Cargo.lock must be up to date. Default: where there is one."
        ),
        "offline": Field(Flag(), "Run cargo without network access.", default=False),
        "trust_wrapper": Field(
            Flag(),
            "Push what a rustc wrapper of cargo's configuration, such as sccache, has compiled.",
            default=False,
        ),
    }
)
_VARIABLE: Final = Text("a variable name", "[A-Za-z_][A-Za-z0-9_]*", "letters, digits, '_'")
_FROM_SHELL: Final = Record(
    {
        "from": Field(_VARIABLE, "The shell variable to take the value from."),
        "default": Field(
            Text("text"), "Its value if the shell variable is not set. Default: that is an error."
        ),
    },
    required=("from",),
)
PIPELINE: Final = Record(
    {
        "title": Field(
            Text("a title", r"\S([^\n\t]{0,98}\S)?", "one line of at most 100 characters"),
            "The name in the manifest's first line. Default: the workspace folder's.",
        ),
        "root": Field(
            _PATH,
            "The folder that every other path is relative to, itself relative to this file's "
            "folder. Default: the folder of dodo.py.",
        ),
        "workspace": Field(_PATH, "The folder of the workspace's Cargo.toml."),
        "output": Field(_OUTPUT, "Where the outputs go."),
        "targets": Field(
            MapOf(Text("an architecture name", NAME, NAME_HINT), Short("triple", _TARGET), least=1),
            "The architectures to build for: a name, and a target triple or a mapping.",
        ),
        "ship": Field(
            MapOf(
                Text("a crate name", NAME, NAME_HINT),
                ListOf(Text("a binary name", NAME, NAME_HINT), least=1),
                least=1,
            ),
            "The crates and their binaries, in the order of the manifest. Default: all.",
        ),
        "profile": Field(
            Text("a profile name", NAME, NAME_HINT), "The Cargo profile to build with.", RELEASE
        ),
        "split_debug": Field(
            Flag(),
            "Whether to strip what is shipped, and keep symbols and debug information beside it.",
            default=False,
        ),
        "features": Field(_FEATURES, "Cargo features, for the whole workspace."),
        "env": Field(
            MapOf(
                _VARIABLE,
                Either(Text("text"), _FROM_SHELL),
            ),
            "Environment variables for cargo, build scripts and rustc: a value, or a shell "
            "variable by its name.",
            {},
        ),
        "inputs": Field(
            MapOf(
                Text("a crate name", NAME, NAME_HINT),
                ListOf(_PATH, least=1),
            ),
            "Further inputs of a crate, by its name, besides its own folder and what the compiler "
            "reports: files and whole folders, relative to the crate's folder.",
            {},
        ),
        "cargo": Field(_CARGO, "How cargo is run."),
        "rerun": Field(
            MapOf(Text("a crate name", NAME, NAME_HINT), Choice("ask", "never")),
            "How to treat a build script that reruns in every build, by its crate: 'ask' runs it "
            "alone and compiles only if its output changed, 'never' does not run it. "
            "Default: ask.",
            {},
        ),
        "images": Field(Optional(IMAGES), "The images built from the binaries."),
    },
    required=("workspace", "targets"),
)
