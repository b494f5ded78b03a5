"""One row an architecture, and everything that is asked of it."""

from __future__ import annotations

import pytest

from doit_cargo.core import architectures, hosts
from doit_cargo.core.errors import SetupError
from doit_cargo.core.toolchain.zig_scripts import zig_target

LINUX, ARM, MAC = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin"


@pytest.mark.parametrize(
    ("triple", "host", "expected"),
    [
        ("x86_64-unknown-linux-musl", LINUX, ""),
        ("i586-unknown-linux-musl", LINUX, ""),
        ("i686-unknown-linux-musl", LINUX, ""),
        ("i686-unknown-linux-musl", ARM, "qemu-i386-static"),
        ("aarch64-unknown-linux-musl", ARM, ""),
        ("aarch64-unknown-linux-musl", LINUX, "qemu-aarch64-static"),
        ("x86_64-unknown-linux-musl", ARM, "qemu-x86_64-static"),
        ("armv7-unknown-linux-musleabihf", LINUX, "qemu-arm-static"),
        ("arm-unknown-linux-musleabi", LINUX, "qemu-arm-static"),
        ("riscv64gc-unknown-linux-musl", LINUX, "qemu-riscv64-static"),
        ("powerpc64le-unknown-linux-musl", LINUX, "qemu-ppc64le-static"),
        ("s390x-unknown-linux-musl", LINUX, "qemu-s390x-static"),
        ("x86_64-unknown-linux-musl", MAC, ""),
    ],
)
def test_what_runs_a_target_on_a_host(triple: str, host: str, expected: str) -> None:
    """The names are those of the files in Debian's qemu-user-static."""
    assert hosts.emulator(host, triple) == expected


@pytest.mark.parametrize(
    ("triple", "expected"),
    [
        ("x86_64-unknown-linux-musl", "x86_64-linux-musl"),
        ("riscv64gc-unknown-linux-musl", "riscv64-linux-musl"),
        ("armv7-unknown-linux-musleabihf", "arm-linux-musleabihf"),
        ("i686-unknown-linux-musl", "x86-linux-musl"),
        ("s390x-unknown-linux-musl", "s390x-linux-musl"),
    ],
)
def test_what_zig_calls_a_target(triple: str, expected: str) -> None:
    assert zig_target(triple) == expected


@pytest.mark.parametrize(
    ("platform", "machines"),
    [
        ("linux/amd64", {62}),
        ("linux/arm64", {183}),
        ("linux/arm/v7", {40}),
        ("linux/riscv64", {243}),
        ("linux/386", {3}),
        ("linux/s390x", {22}),
        ("linux/mips64le", set()),
        ("linux", set()),
    ],
)
def test_which_programs_an_image_may_hold(platform: str, machines: set[int]) -> None:
    assert architectures.machines_of(platform) == machines


def test_an_architecture_without_a_row_is_named() -> None:
    with pytest.raises(SetupError, match=r"^sparc64-unknown-linux-musl: the architecture sparc64 "):
        architectures.of("sparc64-unknown-linux-musl")


def test_rows_differ_in_their_names() -> None:
    rows = architectures.ARCHITECTURES

    assert [row.triple for row in rows.values()] == list(rows)
