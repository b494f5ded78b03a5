"""The files that `doit-cargo init` puts into a workspace, as texts, and the remarks on them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import resources
from itertools import groupby
from string import Template
from typing import Final, NamedTuple

from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import CrateGraph
from doit_cargo.core.settings.config_keys import OUTPUTS
from doit_cargo.core.settings.shapes import NAME, NAME_HINT
from doit_cargo.core.workspace.executables import Executable, executables

IGNORE_FILE: Final = ".gitignore"
IGNORED: Final = (*(f"/{folder}/" for folder in OUTPUTS.values()), "/__pycache__/")
MADE: Final = tuple(  # folders at the root
    sorted({*(path.split("/")[1] for path in IGNORED), "config", "target"})
)

_DODO: Final = '''\
"""The tasks of this workspace: see config/pipeline.yaml, and `doit list`."""

from doit_cargo.pipeline import load

DOIT_CONFIG, task_cargo = load(__file__)
'''
_NO_BINARY: Final = (
    "no binary to ship: a crate gets one by a src/main.rs or a [[bin]] in its Cargo.toml"
)
_SHARED: Final = "another crate has a binary of that name, and cargo makes one file of both"
# YAML 1.1's words for truth values and nothing, in lower case
_WORDS: Final = frozenset({"y", "n", "yes", "no", "true", "false", "on", "off", "null"})


class Choice(NamedTuple):
    """Which binaries are shipped, the features switched on for them, and why others are not.

    `others` maps a binary to the reason, which is a part of a line.
    """

    shipped: tuple[Executable, ...]
    features: tuple[str, ...]
    others: dict[Executable, str]

    def remarks(self) -> Iterator[str]:
        """What the user should know of the choice."""
        yield from (_line(binary, reason) for binary, reason in self.others.items())
        if self.features:
            yield f"every binary needs features, so these are on: {_listed(self.features)}"


def choose(graph: CrateGraph) -> Choice:
    """Ship what a default build makes; if all need features, switch those on.

    A name that two crates use is left out. Raises SetupError if nothing is left.
    """
    found = executables(graph)
    count = Counter(binary.name for binary in found)
    single = [b for b in found if count[b.name] == 1 and _is_usable(b)]
    shipped = tuple(b for b in single if not b.needs) or tuple(single)
    others = {b: _reason(b, count[b.name] > 1) for b in found if b not in shipped}
    if not shipped:
        lines = (_line(binary, reason) for binary, reason in others.items())
        raise SetupError("\n".join((f"{graph.root}: {_NO_BINARY}", *lines)))
    return Choice(shipped, tuple(dict.fromkeys(f for b in shipped for f in features(b))), others)


def _line(binary: Executable, reason: str) -> str:
    return f"not shipped: {scalar(binary.crate)}/{scalar(binary.name)}: {reason}"


def features(binary: Executable) -> tuple[str, ...]:
    """What the binary needs, as the features of its crate that cargo is told."""
    return tuple(name if "/" in name else f"{binary.crate}/{name}" for name in binary.needs)


def _is_usable(binary: Executable) -> bool:
    """What is shipped becomes a folder, a file and a task of that name."""
    return all(re.fullmatch(NAME, name) for name in (binary.crate, binary.name))


def _reason(binary: Executable, is_shared: bool) -> str:
    if not _is_usable(binary):
        return f"its names must be of {NAME_HINT}"
    if is_shared:
        return _SHARED
    return f"needs features: {{names: [{_listed(features(binary))}]}}"


def contents(choice: Choice, profile: str) -> dict[str, str]:
    """Path → text of every file, in the order in which they are written."""
    pipeline = Template(_text("templates/pipeline.yaml")).substitute(
        ship="\n".join(_ship(choice)),
        profile=scalar(profile),
        features=f"{'' if choice.features else '# '}features: {{names: "
        f"[{_listed(choice.features or ('postgres', 'server/metrics'))}]}}",
    )
    return {
        "dodo.py": _DODO,
        "doit.cfg": _text("templates/doit.cfg"),
        "config/pipeline.yaml": pipeline,
        "config/policy.yaml": _text("templates/policy.yaml"),
        "docker/Dockerfile": _text("core/images/Dockerfile"),
    }


def ignoring(existing: bytes) -> bytes:
    """A .gitignore with what is made here, each line added unless it is there in some form."""
    there = {line.strip().strip(b"/") for line in existing.splitlines()}
    missing = [line for line in IGNORED if line.strip("/").encode() not in there]
    end = b"" if not existing or existing.endswith(b"\n") else b"\n"
    return existing + (end + "".join(f"{line}\n" for line in missing).encode() if missing else b"")


def scalar(text: str) -> str:
    """The text as a YAML value that every reader takes for text: in quotes unless it is a word."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_/-]*", text) and text.lower() not in _WORDS
    return text if plain else json.dumps(text)


def _ship(choice: Choice) -> Iterator[str]:
    """A line a crate; what is not shipped follows as a comment, with the reason."""
    every = sorted((*choice.shipped, *choice.others))
    for crate, group in groupby(every, key=lambda binary: binary.crate):
        binaries = list(group)
        if names := [binary.name for binary in binaries if binary not in choice.others]:
            yield f"  {scalar(crate)}: [{_listed(names)}]"
        for binary in binaries:
            if reason := choice.others.get(binary):
                yield f"  # {scalar(crate)}: [{scalar(binary.name)}]  # {reason}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(scalar, names))


def _text(path: str) -> str:
    """A file of the package."""
    return resources.files("doit_cargo").joinpath(path).read_text("utf-8")
