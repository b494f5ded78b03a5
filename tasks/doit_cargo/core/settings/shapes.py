"""The shapes of a configuration file, as data: decoder and JSON Schema come from them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Protocol

from doit_cargo.core.settings.faults import BAD, nearest, quote
from doit_cargo.core.settings.node import Node, misread

if TYPE_CHECKING:
    from doit_cargo.core.settings.faults import Faults

NAME: Final = "[A-Za-z0-9_][A-Za-z0-9_-]{0,63}"
NAME_HINT: Final = "letters, digits, '_' and '-', at most 64"

_SIZE: Final = "(0|[1-9][0-9]{0,11})( ?(KiB|MiB|GiB))?"
_UNITS: Final = {None: 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_MAX_BYTES: Final = 10**12 - 1
_KINDS: Final = {"map": "a mapping", "seq": "a list"}

Schema = dict[str, Any]


class Shape(Protocol):
    """One kind of value: `decode` gives it, or adds a fault and gives BAD."""

    def decode(self, node: Node, faults: Faults) -> object:
        """Return the value of a node."""

    def schema(self) -> Schema:
        """Return the JSON Schema that says the same."""


class Text:
    """Text, of a pattern if there is one. `what` names it in messages, `hint` explains it."""

    def __init__(self, what: str, pattern: str | None = None, hint: str = "") -> None:
        self.what, self.pattern, self.hint = what, pattern, hint

    def decode(self, node: Node, faults: Faults) -> object:
        """Return the text."""
        if not isinstance(node.value, str):
            return _mismatch(node, faults, self.what)
        if surprise := misread(node):
            return node.fault(faults, surprise)
        if self.pattern and not re.fullmatch(self.pattern, node.value):
            return node.fault(faults, self.complaint(node.value))
        return node.value

    def complaint(self, text: str) -> str:
        """Say why a text does not match the pattern."""
        return f"{quote(text)} is not {self.what}" + (f": {self.hint}" if self.hint else "")

    def schema(self) -> Schema:
        """Return a string schema."""
        return {"type": "string"} | ({"pattern": f"^{self.pattern}$"} if self.pattern else {})


class Flag:
    """`true` or `false`; YAML 1.1's other words for them mean something else in YAML 1.2."""

    def decode(self, node: Node, faults: Faults) -> object:
        """Return the truth value."""
        if node.tag == "bool" and node.value in ("true", "false"):
            return node.value == "true"
        return _mismatch(node, faults, "true or false")

    def schema(self) -> Schema:
        """Return a boolean schema."""
        return {"type": "boolean"}


class Choice:
    """One of some words, quoted or not: `off` is a word here, whatever YAML 1.1 says."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def decode(self, node: Node, faults: Faults) -> object:
        """Return the word."""
        if node.value in self.words:
            return node.value
        if isinstance(node.value, str) and node.value:
            return node.fault(faults, self.complaint(quote(node.value)))
        return _mismatch(node, faults, " or ".join(self.words))

    def complaint(self, text: str) -> str:
        """Say why a word, in quotes, is refused."""
        return f"{text} is not one of {', '.join(self.words)}"

    def schema(self) -> Schema:
        """Return an enumeration."""
        return {"enum": list(self.words)}


class Size:
    """A number of bytes, as a number or as text with KiB, MiB or GiB."""

    def decode(self, node: Node, faults: Faults) -> object:
        """Return the number of bytes."""
        found = re.fullmatch(_SIZE, node.value) if isinstance(node.value, str) else None
        if found is None:
            return _mismatch(node, faults, "a size such as 65536, '64 KiB' or '8 MiB'")
        return int(found[1]) * _UNITS[found[3]]

    def schema(self) -> Schema:
        """Return a schema for both ways to write it."""
        number = {"type": "integer", "minimum": 0, "maximum": _MAX_BYTES}
        return {"anyOf": [number, {"type": "string", "pattern": f"^{_SIZE}$"}]}


class ListOf:
    """A list whose items have one shape."""

    def __init__(self, item: Shape, least: int = 0) -> None:
        self.item, self.least = item, least

    def decode(self, node: Node, faults: Faults) -> object:
        """Return the items that are well-formed."""
        if not isinstance(node.value, list):
            return _mismatch(node, faults, "a list")
        if len(node.value) < self.least:
            return node.fault(faults, "the list is empty")
        values = [self.item.decode(child, faults) for child in node.value]
        return [value for value in values if value is not BAD]

    def schema(self) -> Schema:
        """Return an array schema."""
        least = {"minItems": self.least} if self.least else {}
        return {"type": "array", "items": self.item.schema()} | least


class MapOf:
    """A mapping from names to values of one shape."""

    def __init__(self, key: Text, value: Shape, least: int = 0) -> None:
        self.key, self.value, self.least = key, value, least

    def decode(self, node: Node, faults: Faults) -> object:
        """Return the entries that are well-formed, in the order of the file."""
        if not isinstance(node.value, dict):
            return _mismatch(node, faults, "a mapping")
        if len(node.value) < self.least:
            return node.fault(faults, "the mapping is empty")
        found = {}
        for name, child in node.value.items():
            key = self.key.decode(Node(name, "str", child.line, child.keys), faults)
            value = self.value.decode(child, faults)
            if BAD not in (key, value):
                found[name] = value
        return found

    def schema(self) -> Schema:
        """Return an object schema."""
        least = {"minProperties": self.least} if self.least else {}
        return {
            "type": "object",
            "propertyNames": self.key.schema(),
            "additionalProperties": self.value.schema(),
        } | least


class Field:
    """A key of a record: its shape, what it is for, and its default."""

    def __init__(self, shape: Shape, doc: str, default: object = None) -> None:
        self.shape, self.doc, self.default = shape, doc, default

    def schema(self) -> Schema:
        """Return the shape's schema with the description and the default."""
        default = {} if self.default is None else {"default": self.default}
        return {"description": self.doc} | default | self.shape.schema()


class Record:
    """A mapping with known keys; the ones in `required` must be there."""

    def __init__(self, fields: dict[str, Field], required: tuple[str, ...] = ()) -> None:
        self.fields, self.required = fields, required

    def defaults(self) -> dict[str, Any]:
        """Return what the record is where nothing is written."""
        return {
            key: field.shape.defaults() if isinstance(field.shape, Record) else field.default
            for key, field in self.fields.items()
        }

    def decode(self, node: Node, faults: Faults) -> object:
        """Return every key's value or default; a faulty one counts as not written."""
        if not isinstance(node.value, dict):
            return _mismatch(node, faults, "a mapping")
        found = self.defaults()
        for key, child in node.value.items():
            value = self._value(key, child, faults)
            if value is not BAD:
                found[key] = value
        for key in self.required:
            if key not in node.value:
                node.fault(faults, "the key is missing", key)
        return found

    def read(self, tree: Node, faults: Faults) -> dict[str, Any]:
        """Decode the top of a file; one that is no mapping has the defaults."""
        values = self.decode(tree, faults)
        return values if isinstance(values, dict) else self.defaults()

    def _value(self, key: str, node: Node, faults: Faults) -> object:
        if field := self.fields.get(key):
            return field.shape.decode(node, faults)
        return node.fault(faults, f"unknown key, {nearest(key, tuple(self.fields))}")

    def schema(self) -> Schema:
        """Return an object schema that allows no other keys."""
        required = {"required": list(self.required)} if self.required else {}
        return {
            "type": "object",
            "properties": {key: field.schema() for key, field in self.fields.items()},
            "additionalProperties": False,
        } | required


class Short:
    """A record, or in its place the value of one of its keys."""

    def __init__(self, key: str, record: Record) -> None:
        self.key, self.record = key, record

    def decode(self, node: Node, faults: Faults) -> object:
        """Return the record."""
        if isinstance(node.value, dict):
            return self.record.decode(node, faults)
        value = self.record.fields[self.key].shape.decode(node, faults)
        return BAD if value is BAD else self.record.defaults() | {self.key: value}

    def schema(self) -> Schema:
        """Return a schema for both ways to write it."""
        return {"anyOf": [self.record.fields[self.key].schema(), self.record.schema()]}


class Either:
    """A plain value, or a record in its place."""

    def __init__(self, plain: Shape, record: Record) -> None:
        self.plain, self.record = plain, record

    def decode(self, node: Node, faults: Faults) -> object:
        """Return the value, or the record."""
        shape = self.record if isinstance(node.value, dict) else self.plain
        return shape.decode(node, faults)

    def schema(self) -> Schema:
        """Return a schema for both."""
        return {"anyOf": [self.plain.schema(), self.record.schema()]}


def _mismatch(node: Node, faults: Faults, meant: str) -> object:
    found = _KINDS.get(node.tag) or (quote(str(node.value)) if node.value else "nothing")
    return node.fault(faults, f"expected {meant}, found {found}")
