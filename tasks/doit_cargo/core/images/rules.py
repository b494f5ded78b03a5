"""The rules for an image of one static binary: everything that is wrong with one, in words.

Every file of every layer counts, also one that a later layer hides: who pulls the image has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from doit_cargo.core import architectures, secrets
from doit_cargo.core.images.contents import Entry, Image

if TYPE_CHECKING:
    from doit_cargo.core.images.oci_json import Settings

_BINARY_MODES: Final = (0o755, 0o555)
_FILE_MODES: Final = (0o644, 0o444, *_BINARY_MODES)
_FOLDER_MODES: Final = (0o755, 0o555)
_SHELLS: Final = frozenset({"sh", "ash", "bash", "dash", "zsh", "ksh", "fish", "busybox", "toybox"})
_NUMERIC: Final = re.compile(r"[1-9][0-9]{0,9}(:[0-9]{1,10})?")


class Expected(NamedTuple):
    """What an image has to be: id and SHA-256 of the binary in hex, paths below the root.

    `files` are the further files that the configuration puts in: path → SHA-256. `user`, `env`,
    `labels`, `ports` (`6687/tcp`) and `health` (the `Test` of a health check, which only Docker's
    images have) are the configured ones; `entry_point` and `command` are argv lists.
    """

    id: str
    platform: str
    binary: str
    sha256: str
    user: str
    entry_point: tuple[str, ...]
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = {}
    files: Mapping[str, str] = {}
    labels: Mapping[str, str] = {}
    ports: tuple[str, ...] = ()
    health: tuple[str, ...] = ()

    @property
    def allowed(self) -> dict[str, str]:
        """Every file that may be in it: path → SHA-256."""
        return {**self.files, self.binary: self.sha256}


def faults(image: Image, expected: Expected) -> tuple[str, ...]:
    """Say what is wrong, a line each; none if the image is what is expected."""
    return (
        *_identity(image, expected),
        *_settings(image.settings, expected),
        *_env(image.settings, expected),
        *_secrets(image.settings),
        *_layers(image, expected),
        *_again(image),
        *_missing(image, expected),
    )


def _identity(image: Image, expected: Expected) -> Iterator[str]:
    if image.id != expected.id:
        yield f"its id is {image.id}, not {expected.id} as was recorded"
    found = {"config": image.settings.platform}
    if image.platform is not None:
        found["index"] = image.platform
    for place, platform in found.items():
        # a variant is optional: OCI image index, "Platform Variants"
        if platform not in (expected.platform, _without_variant(expected.platform)):
            yield f"its {place} says platform {platform!r}, not {expected.platform}"


def _without_variant(platform: str) -> str:
    return "/".join(platform.split("/")[:2])


def _settings(found: Settings, expected: Expected) -> Iterator[str]:
    if not _NUMERIC.fullmatch(found.user):
        yield f"its user is {found.user!r}: a number other than 0 is wanted: {expected.user}"
    elif found.user != expected.user:
        yield f"its user is {found.user}, not {expected.user}"
    if found.entry_point != expected.entry_point:
        yield f"its Entrypoint is {list(found.entry_point)}, not {list(expected.entry_point)}"
    if found.command != expected.command:
        yield f"its Cmd is {list(found.command)}, not {list(expected.command)}"
    if found.folder not in ("", "/"):
        yield f"its WorkingDir is {found.folder!r}, and there is no such folder"
    if found.ports != expected.ports:
        yield f"its ExposedPorts are {list(found.ports)}, not {list(expected.ports)}"
    if found.health not in ((), expected.health):
        yield f"its Healthcheck is {list(found.health)}, not {list(expected.health)}"
    for name, value in found.labels.items():
        if expected.labels.get(name) != value:  # which may be secret: the name is enough
            yield f"its label {name} is not as configured"


def _env(found: Settings, expected: Expected) -> Iterator[str]:
    """PATH is what every engine adds."""
    variables = dict(variable.partition("=")[::2] for variable in found.env)
    if len(variables) < len(found.env):  # a program may take the first, another the last
        yield "it has a variable twice"
    for name in variables.keys() - expected.env.keys() - {"PATH"}:
        yield f"its variable {name} is not configured"
    for name, value in expected.env.items():
        if variables.get(name) != value:
            yield f"its variable {name} is not as configured"


def _secrets(found: Settings) -> Iterator[str]:
    """The values are not shown: a log is read by more people than an image."""
    for variable in found.env:
        name, _, value = variable.partition("=")
        if secrets.secret_variable(name, value):
            yield f"its variable {name} looks like a secret"
    for name, value in found.labels.items():
        if secrets.secret_variable(name, value):
            yield f"its label {name} looks like a secret"
    if any(secrets.secret_text(text) for text in found.texts):
        yield "its history contains something that looks like a secret"


def _layers(image: Image, expected: Expected) -> Iterator[str]:
    folders = {above for path in expected.allowed for above in _parents(path)}
    user = re.sub(r"^(\d+)$", r"\1:\1", expected.user)
    for number, layer in enumerate(image.layers, 1):
        for entry in layer:
            place = f"layer {number}: /{entry.path}"
            if entry.kind == "folder":
                yield from (f"{place} {text}" for text in _folder(entry, folders))
            elif entry.kind == "file":
                yield from (f"{place} {text}" for text in _file(entry, expected, user))


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(len(parts))]


def _folder(entry: Entry, known: set[str]) -> Iterator[str]:
    if entry.path not in known:
        yield "is a folder that nothing shipped lies in"
    if entry.mode not in _FOLDER_MODES:
        yield f"has mode {entry.mode:04o}, not 0755"
    if (entry.uid, entry.gid) != (0, 0):
        yield f"belongs to {entry.uid}:{entry.gid}, not to 0:0"


def _file(entry: Entry, expected: Expected, user: str) -> Iterator[str]:
    yield from _executable(entry, expected)
    wanted = expected.allowed.get(entry.path)
    if wanted is None:
        yield _extra(entry.path)
        return
    if entry.sha256 != wanted:
        source = "the manifest says" if entry.path == expected.binary else "is configured"
        yield f"has SHA-256 {entry.sha256}, not {wanted} as {source}"
    if entry.path == expected.binary and entry.elf is None:
        yield "is not an ELF file"
    modes = _BINARY_MODES if entry.path == expected.binary else _FILE_MODES
    if entry.mode not in modes:
        yield f"has mode {entry.mode:04o}, not {modes[0]:04o}"
    if f"{entry.uid}:{entry.gid}" not in ("0:0", user):
        yield f"belongs to {entry.uid}:{entry.gid}, not to 0:0 or {user}"


def _executable(entry: Entry, expected: Expected) -> Iterator[str]:
    if entry.elf is None:
        return
    if entry.elf.machine is None:
        yield f"starts like an ELF file but is not a valid one: {entry.elf.fault}"
    elif entry.elf.machine not in architectures.machines_of(expected.platform):
        machine = architectures.machine_name(entry.elf.machine)
        yield f"is for {machine}, the image for {expected.platform}"


def _extra(path: str) -> str:
    if path.rpartition("/")[2] in _SHELLS:
        return "is a shell, and an image of one static binary has none"
    if secrets.secret_file(path):
        return "looks like a secret, by its name"
    return "is not configured: an image contains only the binary and what the configuration names"


def _missing(image: Image, expected: Expected) -> Iterator[str]:
    seen = {entry.path for layer in image.layers for entry in layer if entry.kind == "file"}
    yield from (f"/{path} is missing" for path in expected.allowed if path not in seen)


def _again(image: Image) -> Iterator[str]:
    """Two layers may have the same folder, and nothing else."""
    seen: dict[str, str] = {}
    for number, layer in enumerate(image.layers, 1):
        for entry in layer:
            if {seen.get(entry.path, "folder"), entry.kind} != {"folder"} and entry.path in seen:
                yield f"layer {number}: /{entry.path} is in a lower layer too"
        seen |= {entry.path: entry.kind for entry in layer}
