"""`cfg(...)` expressions are judged as cargo judges them."""

from __future__ import annotations

import subprocess  # noqa: TID251 - asks the real rustc

import pytest

from doit_cargo.core.cargo.cfg import facts, speaks_of, unknown

TRIPLE = "x86_64-unknown-linux-musl"
TRIPLES = (
    TRIPLE, "aarch64-unknown-linux-musl", "i686-unknown-linux-musl",
    "armv7-unknown-linux-musleabihf", "riscv64gc-unknown-linux-musl",
    "powerpc64le-unknown-linux-musl", "s390x-unknown-linux-musl",
)  # fmt: skip


@pytest.mark.parametrize("triple", TRIPLES)
def test_what_is_known_is_what_rustc_says(triple: str) -> None:
    """And of the kinds of fact that we know, rustc knows no more."""
    argv = ["rustc", "--print", "cfg", "--target", triple]
    said = set(subprocess.run(argv, text=True, capture_output=True, check=True).stdout.split())

    assert facts(triple) - {"true"} <= said
    kinds = {fact.partition("=")[0] for fact in facts(triple)}
    assert {fact for fact in said if fact.partition("=")[0] in kinds} <= facts(triple)


@pytest.mark.parametrize(
    "name",
    [
        TRIPLE,
        "cfg(unix)",
        "cfg(all())",
        'cfg( all( unix , target_os = "linux" , ) )',
        'cfg(any(windows, target_env = "musl"))',
        "cfg(not(windows))",
        'cfg(all(target_arch = "x86_64", not(any(windows, target_endian = "big"))))',
        'cfg(target_pointer_width = r"64")',
        "cfg(true)",
    ],
)
def test_what_holds(name: str) -> None:
    assert speaks_of(name, TRIPLE)


@pytest.mark.parametrize(
    "name",
    [
        "x86_64-unknown-linux-gnu",
        "cfg(windows)",
        "cfg(any())",
        "cfg(not(unix))",
        'cfg(all(unix, target_arch = "aarch64"))',
        "cfg(false)",
        # no expressions; cargo refuses them
        "cfg()", "cfg(unix", "cfg(unix))", "cfg(all(unix)", "cfg(unix unix)", "cfg(xor(unix))",
        "cfg(target_os = )", "cfg(=)", "cfg(all(,))", "cfg(unix;)", "cfg(not unix)",
    ],
)  # fmt: skip
def test_what_does_not(name: str) -> None:
    assert not speaks_of(name, TRIPLE)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ('cfg(all(unix, target_feature = "sse2"))', "target_feature"),
        ('cfg(not(target_has_atomic = "64"))', "target_has_atomic"),
        ('cfg(any(windows, target_os = "target_feature", feature = "a"))', ""),
        ("target_feature", ""),
    ],
)
def test_what_only_rustc_knows(name: str, word: str) -> None:
    assert unknown(name) == word
