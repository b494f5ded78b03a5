"""The user's flags for rustc: those that cargo would take, less those that can't work here."""

from __future__ import annotations

import tomllib

import pytest

from doit_cargo.core.cargo.user_flags import kept, sources
from doit_cargo.core.toml_file import TomlFile

TRIPLE = "x86_64-unknown-linux-musl"
BUILD = "build.rustflags = ['--cfg', 'of_build']\n"
TARGET = f"target.{TRIPLE}.rustflags = '--cfg  of_target'\n"
UNIX = "target.'cfg(unix)'.rustflags = ['--cfg', 'of_unix']\n"
WINDOWS = "target.'cfg(windows)'.rustflags = ['--cfg', 'of_windows']\n"
ANOTHER = "target.x86_64-unknown-linux-gnu.rustflags = ['--cfg', 'of_gnu']\n"


def flags(*files: str, **env: str) -> tuple[str, ...]:
    """Of configuration files, the strongest first."""
    configs = [TomlFile(f"/{text}", tomllib.loads(text), []) for text in files]
    return kept(sources(configs, env, TRIPLE))


def test_no_flags() -> None:
    assert flags() == flags("") == flags(WINDOWS + ANOTHER) == ()


def test_one_source_counts() -> None:
    """Each is stronger than the one before, and what speaks of another target is none."""
    every = BUILD + UNIX + WINDOWS + ANOTHER

    assert flags(BUILD + WINDOWS + ANOTHER) == ("--cfg", "of_build")
    assert flags(every) == ("--cfg", "of_unix")
    assert flags(every + TARGET) == ("--cfg", "of_target", "--cfg", "of_unix")
    assert flags(every, RUSTFLAGS="--cfg a ") == ("--cfg", "a")
    encoded = {"CARGO_ENCODED_RUSTFLAGS": "--cfg\x1fb c"}
    assert flags(every, RUSTFLAGS="--cfg a", **encoded) == ("--cfg", "b c")


def test_an_empty_variable_is_a_source_and_an_empty_list_is_none() -> None:
    assert flags(BUILD, RUSTFLAGS="") == ()
    assert flags(BUILD, CARGO_ENCODED_RUSTFLAGS="") == ()
    assert flags(BUILD + f"target.{TRIPLE}.rustflags = []") == ("--cfg", "of_build")


def test_lists_are_joined_the_strongest_last() -> None:
    near, far = "build.rustflags = ['near']", "build.rustflags = ['far']"

    assert flags(near, far, CARGO_BUILD_RUSTFLAGS="variable of it") == (
        "far", "near", "variable", "of", "it",
    )  # fmt: skip


def test_a_targets_variable() -> None:
    name = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS"

    assert flags(BUILD, **{name: "--cfg a"}) == ("--cfg", "a")


@pytest.mark.parametrize("value", ["5", "[5]", "{a = 1}", "true"])
def test_what_is_no_list_is_cargos_to_refuse(value: str) -> None:
    assert flags(f"build.rustflags = {value}") == ()


@pytest.mark.parametrize(
    "flag",
    [
        "-Clinker=x86_64-linux-musl-gcc",
        "-C linker=clang",
        "--codegen linker=clang",
        "--codegen=linker=clang",
        "-Clinker-flavor=ld",
        "-Clinker_flavor=ld",
        "-C link-arg=-fuse-ld=mold",
        "-Clink-arg=-fuse-ld=lld",
        "-Clink-self-contained=yes",
        "-Cprefer-dynamic",
        "-Ctarget-feature=-crt-static",
        "-C target_feature=-crt-static",
    ],
)
def test_what_would_break_a_static_build_by_zig(flag: str) -> None:
    words = flag.split()

    assert kept(sources([], {"RUSTFLAGS": f"-g {flag} --cfg a"}, TRIPLE)) == ("-g", "--cfg", "a")
    assert flags(f"build.rustflags = {['-g', *words, '--cfg', 'a']}") == ("-g", "--cfg", "a")


@pytest.mark.parametrize(
    "flag",
    [
        "-Ctarget-cpu=native",
        "-C target-feature=+crt-static",
        "-C link-arg=-static",
        "-Clinker-plugin-lto",
        "-Zlinker-features=-lld",
        "-C",
        "-Lnative=/opt/lib",
    ],
)
def test_everything_else_is_kept_as_it_is(flag: str) -> None:
    assert flags(RUSTFLAGS=flag) == tuple(flag.split())


def test_other_features_stay() -> None:
    assert flags(RUSTFLAGS="-C target-feature=+aes,-crt-static,+avx2") == (
        "-Ctarget-feature=+aes,+avx2",
    )
