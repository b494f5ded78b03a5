"""Reads configuration files, and remembers what it read: a no-op needs no YAML parser.

Loading the parser takes a tenth of a no-op's time. What a file says is kept in a file of this
user's own, with the SHA-256 of the bytes that said it and of the code that read them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from doit_cargo.core import user_state
from doit_cargo.core.settings import node, settings_file
from doit_cargo.core.settings.node import Node
from doit_cargo.tools import private

if TYPE_CHECKING:
    from doit_cargo.core.settings.faults import Faults

_PARSERS = (Path(node.__file__), Path(node.__file__).with_name("yamlfile.py"))


class SettingsMemory:
    """One for a run; `env` says where the user's own files are."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._folder = user_state.folder(env)

    def read_yaml(self, path: Path, faults: Faults) -> Node:
        """As `settings_file.read_yaml`. A file with a fault is never remembered."""
        data = settings_file.read_bytes(path, faults)
        place = self._folder / f"settings-{_sha256(bytes(path))[:32]}.json"
        key = _sha256(data, *(parser.read_bytes() for parser in _PARSERS))
        return _known(place, key) or _parsed(data, faults, place, key)


def _known(place: Path, key: str) -> Node | None:
    with suppress(ValueError, TypeError, KeyError, RecursionError):
        found = json.loads(private.read(place) or b"{}")
        if found["key"] == key:
            return Node.decode(found["tree"])
    return None


def _parsed(data: bytes, faults: Faults, place: Path, key: str) -> Node:
    from doit_cargo.core.settings import yamlfile  # noqa: PLC0415 - a tenth of a no-op's time

    tree = yamlfile.parse(data, faults)
    if not faults.lines():
        with suppress(OSError):  # then it is parsed the next time as well
            private.write(place, json.dumps({"key": key, "tree": tree.encode()}).encode())
    return tree


def _sha256(*parts: bytes) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8) + part)
    return found.hexdigest()
