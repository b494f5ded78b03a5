"""TOML from others: the newest grammar that cargo takes, and nothing that uses up the machine."""

from pathlib import Path

import pytest

from doit_cargo.core import toml_file

DEEP = {
    "arrays in arrays": "a = " + "[" * 100_000,
    "inline tables in inline tables": "a = " + "{b = " * 100_000,
    "a key of many parts": ".".join(["a"] * 100_000) + " = 1",
    "a table of many parts": "[" + ".".join(["a"] * 100_000) + "]",
    "an endless number": "a = " + "9" * 5_000,
}


@pytest.mark.parametrize("what", DEEP)
def test_one_line_of_fault_for(what: str, tmp_path: Path) -> None:
    """It neither raises anything else, nor takes memory by the square of its size."""
    path = tmp_path / "Cargo.toml"
    path.write_text(DEEP[what])
    faults: list[str] = []

    assert toml_file.read(str(path), faults) is None
    assert len(faults) == 1
    assert faults[0].startswith(f"{path}: ")


def test_the_grammar_is_that_of_cargo() -> None:
    """TOML 1.1: inline tables over several lines, a last comma in them, new escapes."""
    text = 'a = {\n  b = 1, # why\n  c = "\\x41\\e",\n}\n'

    assert toml_file.parse(text) == {"a": {"b": 1, "c": "A\x1b"}}
