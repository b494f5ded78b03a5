"""The files that `doit-cargo init` puts into a workspace, as texts, and the remarks on them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from itertools import groupby
from string import Template
from typing import Final, NamedTuple

from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import CrateGraph
from doit_cargo.core.plugin_lines.files import INI_FILE
from doit_cargo.core.project import DODO, loads_us
from doit_cargo.core.settings.config_keys import OUTPUTS
from doit_cargo.core.settings.faults import nearest
from doit_cargo.core.settings.shapes import NAME, NAME_HINT
from doit_cargo.core.settings.triples import Triple
from doit_cargo.core.workspace.executables import Executable, executables

IGNORE_FILE: Final = ".gitignore"
DOCKERFILE: Final = "docker/Dockerfile"
IGNORED: Final = (*(f"/{folder}/" for folder in OUTPUTS.values()), "/__pycache__/")
MADE: Final = tuple(  # folders at the root
    sorted({*(path.split("/")[1] for path in IGNORED), "config", "target"})
)

_DODO: Final = '''\
"""The tasks of this workspace: see config/pipeline.yaml, and `doit list`."""

from doit_cargo.pipeline import load

DOIT_CONFIG, task_cargo = load(__file__)
'''
_BESIDE_DODO: Final = """\
is yours, and `doit-cargo` works beside it. For one doit with the tasks of both, add
      from doit_cargo.pipeline import load
      config, task_cargo = load(__file__)
      DOIT_CONFIG = {**config, **DOIT_CONFIG}
    to it, and run `doit-cargo init --keep`"""
_BESIDE_DOCKERFILE: Final = "is yours: for a binary add `COPY binaries/CRATE/BINARY /BINARY`"
_NO_BINARY: Final = (
    "no binary to ship: a crate gets one by a src/main.rs or a [[bin]] in its Cargo.toml"
)
_NOT_ASKED: Final = "not among --services"
_SHARED: Final = "another crate has a binary of that name, and cargo makes one file of both"
# YAML 1.1's words for truth values and nothing, in lower case
_WORDS: Final = frozenset({"y", "n", "yes", "no", "true", "false", "on", "off", "null"})


# Name → triple: what is offered, the first of them built.
_TARGETS: Final = {
    "x86_64": "x86_64-unknown-linux-musl",
    "aarch64": "aarch64-unknown-linux-musl",
    "riscv64": "riscv64gc-unknown-linux-musl",
    "armv7": "armv7-unknown-linux-musleabihf",
}
SCHEMAS: Final = {
    f"config/{name}.schema.json": f"config/{name}.yaml" for name in ("pipeline", "policy")
}
"""The schemas that an editor reads, each with the file that it is for."""
_VSCODE: Final = ".vscode/tasks.json"


class Wanted(NamedTuple):
    """What the command line asks for: see `doit-cargo init --help`.

    `workspace` is the folder of the workspace, as it is from the project's root.
    """

    profile: str = "release"
    targets: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    workspace: str = "."
    vscode: bool = False


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


def choose(graph: CrateGraph, services: Sequence[str] = ()) -> Choice:
    """Ship what a default build makes; if all need features, switch those on.

    `services` names the binaries to ship, and no other. A name that two crates use is left out.
    Raises SetupError if nothing is left, or for a name that no binary has.
    """
    found = executables(graph)
    count = Counter(binary.name for binary in found)
    single = [b for b in found if count[b.name] == 1 and _is_usable(b)]
    known = tuple(binary.name for binary in single)
    if unknown := [name for name in services if name not in known]:
        faults = [f"--services: no binary {name}, {nearest(name, known)}" for name in unknown]
        raise SetupError("\n".join(faults))
    shipped = (
        tuple(b for b in single if b.name in services)
        if services
        else (tuple(b for b in single if not b.needs) or tuple(single))
    )
    others = {
        b: _NOT_ASKED if services and b in single else _reason(b, count[b.name] > 1)
        for b in found
        if b not in shipped
    }
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
        return f"its names must consist of {NAME_HINT}"
    if is_shared:
        return _SHARED
    return f"needs features: {{names: [{_listed(features(binary))}]}}"


def contents(choice: Choice, wanted: Wanted) -> dict[str, str]:
    """Path → text of every file, in the order in which they are written."""
    pipeline = Template(_text("templates/pipeline.yaml")).substitute(
        workspace=scalar(wanted.workspace),
        targets="\n".join(_targets(wanted.targets)),
        ship="\n".join(_ship(choice)),
        profile=scalar(wanted.profile),
        features=f"{'' if choice.features else '# '}features: {{names: "
        f"[{_listed(choice.features or ('postgres', 'server/metrics'))}]}}",
    )
    return {
        DODO: _DODO,
        INI_FILE: _text("templates/doit.cfg"),
        "config/pipeline.yaml": pipeline,
        "config/policy.yaml": _text("templates/policy.yaml"),
        **{schema: _text(schema.replace("config", "templates", 1)) for schema in SCHEMAS},
        DOCKERFILE: _text("core/images/Dockerfile"),
        **({_VSCODE: _text("templates/vscode.json")} if wanted.vscode else {}),
    }  # fmt: skip


def own_files(there: Mapping[str, bytes]) -> dict[str, str]:
    """The user's own files that stand where ours would, each with what to add to it.

    `there` has the files that differ from ours. A dodo.py that does not load us is its owner's,
    and so is the doit.cfg beside it: `doit-cargo` needs neither.
    """
    found = {}
    if DODO in there and not loads_us(there[DODO]):
        found[DODO] = _BESIDE_DODO
    if DOCKERFILE in there:
        found[DOCKERFILE] = _BESIDE_DOCKERFILE
    return found


def _targets(wanted: Sequence[str]) -> Iterator[str]:
    """The targets that are built, and as comments those that could be.

    Raises SetupError for one that there is not.
    """
    triples = {_TARGETS.get(name, name): None for name in wanted or ("x86_64",)}
    if faults := [f"--target {triple}: {fault}" for triple in triples if (fault := _unfit(triple))]:
        raise SetupError("\n".join(faults))
    names = {triple: name for name, triple in _TARGETS.items()}
    for triple in triples:
        yield f"  {scalar(names.get(triple) or triple.partition('-')[0])}: {triple}"
    for triple, name in names.items():
        if triple not in triples:
            yield f"  # {name}: {{triple: {triple}, default: false}}"


def _unfit(triple: str) -> str:
    shape = Triple()
    return "" if re.fullmatch(shape.pattern or "", triple) else shape.complaint(triple)


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
