"""A seal holds for the very data, kind, place and key that it was made for."""

import pytest

from doit_cargo.core.seal import Seal

MINE = Seal(b"k" * 32, "/work/.doit-cargo")
MAC = MINE.mac("row", b"data")
OTHERS = {
    "another key": (MINE._replace(key=b"l" * 32), "row", b"data", MAC),
    "another workspace": (MINE._replace(place="/other/.doit-cargo"), "row", b"data", MAC),
    "another kind": (MINE, "index", b"data", MAC),
    "other data": (MINE, "row", b"date", MAC),
    "no seal": (MINE, "row", b"data", ""),
    "half a seal": (MINE, "row", b"data", MAC[:16]),
    "no text": (MINE, "row", b"data", None),
    "odd text": (MINE, "row", b"data", "\udc80é"),
    "one that a trusting run made": (
        MINE, "row", b"data", MINE._replace(trusting=True).mac("row", b"data"),
    ),
}  # fmt: skip


def test_it_holds_for_what_it_was_made_for() -> None:
    assert MINE.holds("row", b"data", MAC)
    assert MINE.opened("row", MINE.sealed("row", b"data\nmore")) == b"data\nmore"
    assert MINE.holds_of("row", {"b": 1, "a": 2}, MINE.mac_of("row", {"a": 2, "b": 1}))


@pytest.mark.parametrize(("seal", "kind", "data", "mac"), OTHERS.values(), ids=OTHERS.keys())
def test_it_does_not_hold_for(seal: Seal, kind: str, data: bytes, mac: object) -> None:
    assert not seal.holds(kind, data, mac)


@pytest.mark.parametrize("file", [b"", b"\n", b"data", MAC.encode(), b"\xff\n\xff"])
def test_a_file_without_a_seal_says_nothing(file: bytes) -> None:
    assert MINE.opened("row", file) is None


def test_a_run_that_trusts_takes_everything() -> None:
    assert MINE._replace(trusting=True).holds("row", b"data", "")
