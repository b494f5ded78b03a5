"""What of foreign text a terminal gets to see."""

from __future__ import annotations

import pytest

from doit_cargo.core.text import one_line, plain

RED = "\x1b[31m"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "two\nlines\tand a tab",
        "Größe 大小 🙂",
        f"{RED}error\x1b[0m: no",
        "\x1b[m",
        "\x1b[1m\x1b[38;5;9merror\x1b[0m",
        "\x1b[1;31;48;2;1;2;3mx",
        "\x1b[92m+\x1b[4;2m",
    ],
)
def test_text_and_colours_stay(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb", "a\nb"),
        ("a\rb", r"a\rb"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x1b]52;c;aGk=\x07", r"\x1b]52;c;aGk=\x07"),
        ("\x1b[8mhidden", r"\x1b[8mhidden"),
        ("\x1b[5m\x1b[7m", r"\x1b[5m\x1b[7m"),
        ("\x1b[31;8m", r"\x1b[31;8m"),
        ("\x1b[38;5;9;8m", r"\x1b[38;5;9;8m"),
        ("\x1b[31", r"\x1b[31"),
        ("\x1b(0\x0e", r"\x1b(0\x0e"),
        ("\x9b2J", r"\x9b2J"),
        ("\x08\x7f\0", r"\x08\x7f\x00"),
        ("a\u202eb\u2066c\u200fd\u061c", r"a\u202eb\u2066c\u200fd\u061c"),
        ("a\u2028b\u2029", r"a\u2028b\u2029"),
        (b"\xff".decode(errors="surrogateescape"), r"\udcff"),
    ],
)
def test_what_else_a_terminal_would_do_is_written_out(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("src/main.rs", "src/main.rs"),
        ("a\nverified x86_64 bot", r"a\nverified x86_64 bot"),
        ("a\tb\r\n", r"a\tb\r\n"),
        (f"{RED}a", r"\x1b[31ma"),
        ("Größe", "Größe"),
    ],
)
def test_a_name_is_one_line_without_colours(name: str, shown: str) -> None:
    assert one_line(name) == shown
