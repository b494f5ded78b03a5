"""The keys of the section `images` of `config/pipeline.yaml`, and the shapes that only it has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from doit_cargo.core.images import engines
from doit_cargo.core.settings.faults import quote
from doit_cargo.core.settings.shapes import (
    NAME,
    NAME_HINT,
    Choice,
    Field,
    Flag,
    ListOf,
    MapOf,
    Record,
    Schema,
    Shape,
    Text,
)

if TYPE_CHECKING:
    from doit_cargo.core.settings.faults import Faults
    from doit_cargo.core.settings.node import Node

# A component of a repository's name, as the distribution reference grammar has it.
COMPONENT: Final = r"[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*"

_TAG: Final = r"([A-Za-z0-9_]|\{version\}|\{revision\})([A-Za-z0-9_.-]|\{version\}|\{revision\})*"
_REGISTRY: Final = r"(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+|[a-z0-9-]+(?=:))(:[0-9]{1,5})?"
_ZONE: Final = "[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}"


class Number:
    """A whole number within bounds."""

    def __init__(self, what: str, low: int, high: int) -> None:
        self.what, self.low, self.high = what, low, high

    def decode(self, node: Node, faults: Faults) -> object:
        """Return the number."""
        text = node.value if isinstance(node.value, str) and node.tag == "int" else ""
        if re.fullmatch("0|[1-9][0-9]{0,8}", text) and self.low <= int(text) <= self.high:
            return int(text)
        found = quote(node.value) if isinstance(node.value, str) else "this"
        meant = f"a whole number from {self.low} to {self.high}"
        return node.fault(faults, f"{found} is not {self.what}: {meant}")

    def schema(self) -> Schema:
        """Return an integer schema."""
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


class Optional:
    """A record that may be left out whole: then there is none, not one of defaults."""

    def __init__(self, record: Shape) -> None:
        self.record = record

    def decode(self, node: Node, faults: Faults) -> object:
        """Return the record."""
        return self.record.decode(node, faults)

    def schema(self) -> Schema:
        """Return the record's schema."""
        return self.record.schema()


_ENV: Final = MapOf(
    Text("a variable name", "[A-Za-z_][A-Za-z0-9_]*", "letters, digits, '_'"), Text("text")
)
_BINARY: Final = Text("a binary name", NAME, NAME_HINT)
_ARGUMENTS: Final = ListOf(Text("text"), least=1)
_HTTP: Final = Record(
    {
        "path": Field(Text("a path", r"/[!-~]*", "starting with '/'"), "The path to request."),
        "status": Field(Number("a status", 100, 599), "The expected status.", 200),
        "body": Field(Text("text"), "Text that the response must contain."),
    },
    required=("path",),
)
_EXEC: Final = Record(
    {
        "argv": Field(_ARGUMENTS, "The arguments of the image's program."),
        "code": Field(Number("an exit code", 0, 255), "The expected exit code.", 0),
    },
    required=("argv",),
)
_SMOKE: Final = Record(
    {
        "http": Field(Optional(_HTTP), "Start it, and send this request to its port."),
        "exec": Field(Optional(_EXEC), "Run it until it exits."),
        "needs": Field(ListOf(_BINARY), "The services that must run beside it.", []),
        "env": Field(_ENV, "Environment variables of the test; they override the image's.", {}),
    }
)
_SERVICE: Final = Record(
    {
        "port": Field(Number("a port", 1, 65535), "The TCP port that it listens on."),
        "health": Field(_ARGUMENTS, "The arguments with which the program checks its own health."),
        "env": Field(_ENV, "Environment variables of the image.", {}),
        "smoke": Field(Optional(_SMOKE), "How the image is smoke-tested: `http` or `exec`."),
        "stop": Field(
            Number("a time", 1, 3600), "Seconds that it may take to exit after SIGTERM.", 10
        ),
    }
)
IMAGES: Final = Record(
    {
        "engine": Field(
            Choice(engines.AUTO, *engines.KINDS),
            "What builds the images; auto uses buildah if it is installed, else docker.",
            "auto",
        ),
        "default": Field(Flag(), "Whether a plain `doit` builds them.", default=False),
        "dockerfile": Field(
            Text("a path", r"[^\n\t]+"),
            "The Dockerfile of every image. Default: docker/Dockerfile, else doit-cargo's own.",
        ),
        "prefix": Field(
            Text(
                "a repository prefix",
                f"{COMPONENT}(/{COMPONENT})*",
                "lower-case letters, digits, and '.', '_', '-', '/' between them",
            ),
            "Prefix of each image's name, before the binary's name, such as the project.",
        ),
        "registry": Field(
            Text("a registry", _REGISTRY, "a host with a domain or a port, nothing more"),
            "The registry that `doit push` pushes to. Credentials come from the engine.",
        ),
        "insecure": Field(Flag(), "Whether the registry speaks plain HTTP.", default=False),
        "tags": Field(
            ListOf(Text("a tag", _TAG, "letters, digits, '_.-', {version}, {revision}"), least=1),
            "The tags; {version} is the crate's, {revision} the git commit.",
            ["{version}"],
        ),
        "user": Field(
            Text(
                "a user",
                "[1-9][0-9]{0,8}(:[0-9]{1,9})?",
                "a numeric user, not root, and perhaps a group: 65532:65532",
            ),
            "The user that the program runs as.",
            "65532:65532",
        ),
        "labels": Field(
            MapOf(
                Text("a label", r"[a-z0-9]+([._-][a-z0-9]+)*", "lower case, digits, '.', '_', '-'"),
                Text("text"),
            ),
            "Labels of the images beside their title and version; they may have no others.",
            {},
        ),
        "certificates": Field(
            Text("a path", r"[^\n\t]+"),
            "A file of CA certificates of this machine, for the images. Default: none.",
        ),
        "timezones": Field(
            ListOf(Text("a time zone", _ZONE, "such as Europe/Berlin")),
            "The time zones of this machine that the images get.",
            [],
        ),
        "services": Field(
            MapOf(_BINARY, _SERVICE, least=1),
            "The binaries that get an image. Default: all that is shipped.",
        ),
    }
)
