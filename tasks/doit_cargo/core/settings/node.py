"""The small tree of a configuration file: every value knows its line and key path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from doit_cargo.core.settings.faults import clip

if TYPE_CHECKING:
    from doit_cargo.core.settings.faults import Faults

_READ_AS: Final = {
    "bool": "true or false",
    "float": "a number",
    "int": "a number",
    "null": "nothing",
    "timestamp": "a date",
}

Value: TypeAlias = "str | list[Node] | dict[str, Node]"


class Node:
    """A value, the 1-based line of its key (or of itself) and its key path, `a.b[0]`.

    `value` is a scalar's text as it is written, and `tag` what YAML 1.1 takes it for: "str",
    "bool", "int", "float", "null", "timestamp". Mappings have the tag "map", lists "seq".
    """

    __slots__ = ("keys", "line", "tag", "value")

    def __init__(self, value: Value, tag: str, line: int, keys: str = "") -> None:
        self.value = value
        self.tag = tag
        self.line = line
        self.keys = keys

    def child(self, key: str | int) -> Node | None:
        """Return the value at a key or an index, or None."""
        if isinstance(self.value, dict):
            return self.value.get(str(key))
        if isinstance(self.value, list) and isinstance(key, int) and key < len(self.value):
            return self.value[key]
        return None

    def fault(self, faults: Faults, text: str, *keys: str | int) -> object:
        """Add a fault of this value, or of the one below it at these keys. Return BAD.

        Its line is that of the nearest value above it where it is not written.
        """
        node: Node | None = self
        line, where = self.line, self.keys
        for key in keys:
            node = node.child(key) if node else None
            line = node.line if node else line
            where = f"{where}[{key}]" if isinstance(key, int) else f"{where}.{key}".lstrip(".")
        return faults.add(line, where, text)

    def encode(self) -> list[Any]:
        """As JSON has it."""
        value: Any = self.value
        if isinstance(value, dict):
            value = {key: node.encode() for key, node in value.items()}
        elif isinstance(value, list):
            value = [node.encode() for node in value]
        return [value, self.tag, self.line, self.keys]

    @classmethod
    def decode(cls, encoded: list[Any]) -> Node:
        """The node that `encode` made this of."""
        value, tag, line, keys = encoded
        if isinstance(value, dict):
            value = {key: cls.decode(node) for key, node in value.items()}
        elif isinstance(value, list):
            value = [cls.decode(node) for node in value]
        return cls(value, tag, line, keys)


def misread(node: Node) -> str:
    """Say what is wrong with a scalar where text is meant and YAML takes it for something else."""
    if node.tag == "str":
        return ""
    if node.value == "":
        return "the value is missing"
    read_as = _READ_AS.get(node.tag, "something special")
    return f"{clip(str(node.value))} is read as {read_as}, write it in quotes"
