"""What a configuration file said is remembered; nothing that was wrong with it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from doit_cargo.core.errors import ConfigError
from doit_cargo.core.settings import settings_file, yamlfile
from doit_cargo.core.settings.faults import Faults
from doit_cargo.core.settings.node import Node
from doit_cargo.tools.run.settings_memory import SettingsMemory

TEXT = "a:\n  - b: 1\n    c: {d: on, e: ''}\n  - 2026-11-26\nf:\n"


class Place:
    """A configuration file, and a memory of its own."""

    def __init__(self, root: Path) -> None:
        self.path = root / "pipeline.yaml"
        self.path.write_text(TEXT)
        self._env = {"XDG_STATE_HOME": str(root / "state")}

    @property
    def kept(self) -> Path:
        (found,) = self.path.parent.glob("state/doit-cargo/settings-*.json")
        return found

    def read(self) -> list[object]:
        """What a run reads."""
        return SettingsMemory(self._env).read_yaml(self.path, Faults("f")).encode()

    def parsed(self) -> list[object]:
        """What the parser reads."""
        return settings_file.read_yaml(self.path, Faults("f")).encode()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def never(data: bytes, faults: Faults) -> Node:
    raise AssertionError(f"{data!r} is parsed again, {faults}")


def test_the_second_run_reads_the_same_without_the_parser(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = place.parsed()
    first = place.read()
    monkeypatch.setattr(yamlfile, "parse", never)

    assert first == parsed
    assert place.read() == parsed


@pytest.mark.parametrize("text", [TEXT.replace("1", "2"), "", "g: 1\n"])
def test_another_content_is_parsed(place: Place, text: str) -> None:
    place.read()
    place.path.write_text(text)

    assert place.read() == place.parsed()


@pytest.mark.parametrize("kept", ["", "{}", "[", "[1]", '{"key": 1, "tree": 1}', "null"])
def test_a_damaged_memory_says_nothing(place: Place, kept: str) -> None:
    place.read()
    place.kept.write_text(kept)

    assert place.read() == place.parsed()


@pytest.mark.parametrize("tree", [None, [], ["", "map"], [{"a": 1}, "map", 1, ""]])
def test_a_damaged_tree_says_nothing(place: Place, tree: object) -> None:
    place.read()
    kept = json.loads(place.kept.read_text())
    place.kept.write_text(json.dumps({**kept, "tree": tree}))

    assert place.read() == place.parsed()


def test_what_others_could_have_written_is_not_believed(place: Place) -> None:
    place.read()
    kept = json.loads(place.kept.read_text())
    place.kept.write_text(json.dumps({**kept, "tree": Node({}, "map", 1).encode()}))
    place.kept.chmod(0o666)

    assert place.read() == place.parsed()


def test_a_fault_is_told_each_time(place: Place) -> None:
    place.path.write_text("a: 1\na: 2\n")
    for _ in range(2):
        faults = Faults("f")
        SettingsMemory({"XDG_STATE_HOME": str(place.path.parent)}).read_yaml(place.path, faults)

        assert len(faults.lines()) == 1


def test_a_memory_that_cannot_be_written_is_none(place: Place) -> None:
    (place.path.parent / "state").write_text("a file where the folder belongs")

    assert place.read() == place.parsed()
    assert place.read() == place.parsed()


def test_a_file_that_is_gone_is_an_error(place: Place) -> None:
    place.read()
    place.path.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        place.read()
