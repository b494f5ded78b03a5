"""The hint stands under the message, once."""

from __future__ import annotations

from doit_cargo.tools.run.hints import Hints

MESSAGE = "error: could not write\n  No space left on device (os error 28)\n"


def test_the_message_comes_first_and_whole() -> None:
    lines = Hints({"PATH": ""}).append_to(MESSAGE).splitlines()

    assert lines[:2] == MESSAGE.splitlines()
    assert lines[2].startswith("hint: The disk is full")
    assert lines[4] == "      see doit-cargo help memory-or-disk-run-out"


def test_what_many_crates_fail_by_is_explained_once() -> None:
    hints = Hints({"PATH": ""})
    hints.append_to(MESSAGE, "one")

    assert hints.append_to(MESSAGE, "two") == MESSAGE.rstrip()


def test_a_message_that_nothing_is_known_of_stays_as_it_is() -> None:
    assert Hints({"PATH": ""}).append_to("error: mismatched types") == "error: mismatched types"
