"""What zig links, as it says, and the file that remembers what that was."""

from __future__ import annotations

import pytest

from doit_cargo.core.record import encode
from doit_cargo.core.toolchain import runtime

HASH = "0123456789abcdef0123456789abcdef"
SAID = f"""\
ar rcs zig/o/{HASH}/libc.a zig/o/{HASH}/abs.o
ld.lld -r -o /c/zig/o/{HASH}/crt1.o
ld.lld -static -o hello /c/zig/o/{HASH}/rcrt1.o x/relro.o hello.o -L/ zig/o/{HASH}/libc.a a.o
"""


def test_the_last_line_says_what_is_linked() -> None:
    assert runtime.linked(SAID) == {f"o/{HASH}/rcrt1.o", f"o/{HASH}/libc.a", "relro.o"}
    assert runtime.linked("") == frozenset()
    assert runtime.linked("error: no such file") == frozenset()


def test_a_record_is_read_as_it_was_written() -> None:
    record = {f"o/{HASH}/libc++.a": "1" * 64, "relro.o": "2" * 64}

    assert runtime.decode(encode(record)) == record
    assert encode(record) == encode(dict(reversed(record.items())))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 50_000,
        b'{"relro.o": 3}',
        b'{"../relro.o": "1"}',
        b'{"/etc/passwd": "1"}',
        b'{"o/1/libc.a": "1"}',
    ],
)
def test_what_is_no_record_is_empty(data: bytes) -> None:
    assert runtime.decode(data) == {}
