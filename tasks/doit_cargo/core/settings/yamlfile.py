"""Reads YAML strictly: bytes to a small tree whose nodes know their line and key path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import yaml

from doit_cargo.core.settings.faults import clip, quote
from doit_cargo.core.settings.node import Node, misread

if TYPE_CHECKING:
    from collections.abc import Callable

    from doit_cargo.core.settings.faults import Faults

MAX_DEPTH: Final = 16

# libyaml where PyYAML was built with it: ten times as fast, and a no-op run waits for it
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(data: bytes, faults: Faults) -> Node:
    """Read a file's bytes; none give an empty mapping.

    Duplicate keys, keys that are no text, anchors and tags are added to `faults`. Raises
    ConfigError, with the faults so far, for what cannot be read: not UTF-8, not YAML, aliases,
    more than one document, nested deeper than 16.
    """
    text = _text(data, faults)
    loader = None
    try:
        loader = _LOADER(text)
        return _Tree(loader, faults).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        context = f" ({error.context})" if error.context else ""
        faults.stop(mark.line + 1 if mark else 1, f"not YAML: {error.problem}{context}")
    except yaml.YAMLError as error:
        faults.stop(1, f"not YAML: {quote(str(error))}")
    finally:
        if loader is not None:
            loader.dispose()


def _text(data: bytes, faults: Faults) -> str:
    try:
        text = data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        faults.stop(error.object.count(b"\n", 0, error.start) + 1, "not UTF-8 text")
    if found := yaml.reader.Reader.NON_PRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        faults.stop(line, f"a control character (U+{ord(found[0]):04X})")
    return text


class _Tree:
    """Builds nodes from the parser's events: one pass, and no deeper than MAX_DEPTH.

    PyYAML's own composer would recurse as deep as the file says, and follow aliases.
    """

    def __init__(self, loader: yaml.SafeLoader, faults: Faults) -> None:
        self._next: Callable[[], yaml.Event] = loader.get_event
        self._resolve: Callable[..., str] = loader.resolve
        self._faults = faults

    def document(self) -> Node:
        self._next()  # the start of the stream
        if isinstance(self._next(), yaml.StreamEndEvent):
            return Node({}, "map", 1)
        root = self._node(self._next(), "", 0)
        self._next()  # the end of the document
        end = self._next()
        if not isinstance(end, yaml.StreamEndEvent):
            self._faults.stop(_line(end), "a second document; only one is allowed")
        return Node({}, "map", 1) if root.tag == "null" else root

    def _node(self, event: yaml.Event, keys: str, depth: int) -> Node:
        self._refuse(event, keys, depth)
        line = _line(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, keys)
        if isinstance(event, yaml.MappingStartEvent):
            return Node(self._mapping(keys, depth), "map", line, keys)
        return Node(self._list(keys, depth), "seq", line, keys)

    def _refuse(self, event: yaml.Event, keys: str, depth: int) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._faults.stop(_line(event), "an alias (*); write the value out", keys)
        if depth > MAX_DEPTH:
            self._faults.stop(_line(event), f"nested deeper than {MAX_DEPTH} levels")
        if getattr(event, "anchor", None) is not None:
            self._faults.add(_line(event), keys, "an anchor (&); leave it out")
        if getattr(event, "tag", None) is not None:
            self._faults.add(_line(event), keys, "a tag (!); leave it out")

    def _scalar(self, event: yaml.ScalarEvent, keys: str) -> Node:
        tag = self._resolve(yaml.ScalarNode, event.value, event.implicit)
        if not event.value.isprintable() and any(map(_is_control, event.value)):
            self._faults.add(_line(event), keys, f"a control character in {quote(event.value)}")
        return Node(event.value, tag.rpartition(":")[2], _line(event), keys)

    def _list(self, keys: str, depth: int) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, f"{keys}[{len(items)}]", depth + 1))
        return items

    def _mapping(self, keys: str, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            name, where = self._key(event, keys, depth + 1)
            node = self._node(self._next(), where, depth + 1)
            node.line = _line(event)
            if name in found:
                first = found[name].line
                self._faults.add(node.line, where, f"duplicate key, first on line {first}")
            found.setdefault(name, node)
        return found

    def _key(self, event: yaml.Event, keys: str, depth: int) -> tuple[str, str]:
        self._refuse(event, keys, depth)
        if not isinstance(event, yaml.ScalarEvent):
            self._faults.stop(_line(event), "a mapping or a list as a key; keys must be text", keys)
        name = event.value
        key = self._scalar(event, f"{keys}.{_shown(name)}" if keys else _shown(name))
        if surprise := misread(key):
            key.fault(self._faults, surprise)
        return name, key.keys


def _shown(name: str) -> str:
    word = name.replace("-", "").replace("_", "")
    return name if word.isascii() and word.isalnum() and clip(name) == name else quote(name)


def _is_control(letter: str) -> bool:
    r"""Tell what an escape (`\0`, `\x1b`) brings in and the reader refuses in plain sight."""
    return (
        (letter < " " and letter not in "\t\n")
        or "\x7f" <= letter <= "\x9f"
        or "\ud800" <= letter <= "\udfff"
    )


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
