"""Plans for machines that are not this one: macOS and Linux, Intel and Arm, as values.

Nothing here has run on those machines: it says that what would be run there is what should be.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from doit_cargo.core import hosts
from doit_cargo.core.cargo import command as cargo_plan
from doit_cargo.core.cargo.overrides import overrides, render
from doit_cargo.core.context import read_context
from doit_cargo.core.errors import MissingToolError
from doit_cargo.core.model import Context
from doit_cargo.core.toolchain.locate import survey, wrapper_files
from doit_cargo.tools.machine import doctor
from doit_cargo.tools.machine.setup import setup
from helpers.machines import LINUX, TRIPLE, ZIG, Machine, add_std, program, usual
from helpers.project import Project
from helpers.workspaces import app, virtual, write

ARM_LINUX, MAC, ARM_MAC = "aarch64-unknown-linux-gnu", "x86_64-apple-darwin", "aarch64-apple-darwin"
HOSTS = (LINUX, ARM_LINUX, MAC, ARM_MAC)
ARM = "aarch64-unknown-linux-musl"
PIPELINE = f"workspace: .\ntargets: {{x86_64: {TRIPLE}, aarch64: {ARM}}}\n"
# As its users' own machine would want it, and no other.
CONFIG = """\
target.aarch64-apple-darwin.linker = "of_arm_mac"
target.x86_64-apple-darwin.linker = "of_mac"
target.aarch64-unknown-linux-gnu.linker = "of_arm_linux"
target.x86_64-unknown-linux-gnu.linker = "of_linux"
"""
SAYS = '#!/bin/sh\necho "tool 1.2"\n'

RUSTUP = """\
lib="$HOME/.rustup/toolchains/$4/lib/rustlib/$5/lib"
mkdir -p "$lib" && : > "$lib/libstd-1.rlib"
"""


@pytest.fixture(params=HOSTS)
def machine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Machine:
    """With a workspace of one program, everything installed but std."""
    made = usual(tmp_path, request.param)
    write(made.workspace, {"Cargo.toml": virtual('"alpha"'), "config/pipeline.yaml": PIPELINE})
    write(made.workspace, {**app("alpha"), ".cargo/config.toml": CONFIG})
    program(made.site / "ziglang" / "zig", ZIG)
    for path in (
        made.usr / "bin/cc",
        made.root / "venv/bin/protoc",
        *toolchain(made).glob("bin/*"),
    ):
        program(path, SAYS)
    monkeypatch.syspath_prepend(made.site)
    monkeypatch.setenv("HOME", str(made.home))
    monkeypatch.setenv("PATH", f"{made.usr}/bin:/usr/bin:/bin")
    return made


def toolchain(machine: Machine) -> Path:
    return machine.home / ".rustup/toolchains" / f"stable-{machine.host}"


def context(machine: Machine) -> Context:
    return read_context(machine.workspace, machine.env, host=machine.host)


def is_mac(machine: Machine) -> bool:
    return "apple" in machine.host


@pytest.mark.parametrize(
    ("system", "processor", "triple"),
    [
        ("Darwin", "arm64", ARM_MAC),
        ("Darwin", "x86_64", MAC),
        ("Linux", "aarch64", ARM_LINUX),
        ("Linux", "x86_64", LINUX),
    ],
)
def test_what_uname_says(
    system: str, processor: str, triple: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "_MUSL_LOADERS", "/nonexistent/{}")

    assert hosts.this_host(system, processor) == triple


@pytest.mark.parametrize(
    ("loader", "libc", "host"),
    [
        ("ld-musl.so", "glibc 2.36", "gnu"),  # Debian with musl-tools
        ("ld-musl.so", None, "musl"),  # Alpine
        ("none", "glibc 2.36", "gnu"),
        ("none", None, "gnu"),
    ],
)
def test_which_c_library_this_host_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loader: str, libc: str | None, host: str
) -> None:
    """That of the programs here, not whose loader happens to be installed."""
    (tmp_path / "ld-musl.so").touch()

    def confstr(name: str) -> str | None:
        if libc is None:
            raise ValueError(f"unrecognized configuration name {name}")
        return libc

    monkeypatch.setattr(hosts, "_MUSL_LOADERS", str(tmp_path / loader))
    monkeypatch.setattr("os.confstr", confstr)

    assert hosts.this_host("Linux", "x86_64") == f"x86_64-unknown-linux-{host}"


def test_a_compiler_for_another_host(machine: Machine) -> None:
    """Intel's on Apple's processor: its name tells what it is, and its linker is overridden."""
    (machine.home / ".rustup/settings.toml").write_text(
        'default_host_triple = "x86_64-apple-darwin"\ndefault_toolchain = "stable"\n'
    )
    if machine.host != MAC:
        machine.add(f"stable-{MAC}")

    assert context(machine).toolchains["x86_64"].host == MAC


def test_the_toolchain(machine: Machine) -> None:
    """Of that machine's rustup, with the driver as its system calls a shared library."""
    lib = add_std(toolchain(machine), TRIPLE)
    chain = context(machine).toolchains["x86_64"]

    driver = f"librustc_driver-77.{'dylib' if is_mac(machine) else 'so'}"
    assert chain.rustup_toolchain == f"stable-{machine.host}"
    wanted = {
        toolchain(machine) / "lib" / driver,
        chain.cargo,
        chain.rustc,
        lib / "libstd-0123.rlib",
    }
    assert wanted <= {*chain.identity}


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_the_command(machine: Machine, arch: str) -> None:
    """The same everywhere but for the paths and the host's linker."""
    ctx = context(machine)
    (target,) = [target for target in ctx.config.targets if target.arch == arch]
    argv = cargo_plan.argv(ctx, target, ["alpha"])
    env = cargo_plan.cargo_env(ctx, target)

    assert argv == (
        f"{toolchain(machine)}/bin/cargo", "build", "--workspace", "--target", target.triple,
        "--profile", "release", "--target-dir", f"{ctx.graph.target_directory}",
        "--bin", "alpha", "--message-format=json",
    )  # fmt: skip
    linkers = {name: value for name, value in env.items() if name.endswith("_LINKER")}
    wrapper = f"{ctx.toolchains[arch].wrappers}/{target.triple}-cc"
    assert linkers == {
        f"CARGO_TARGET_{machine.host.upper().replace('-', '_')}_LINKER": "cc",
        f"CARGO_TARGET_{target.triple.upper().replace('-', '_')}_LINKER": wrapper,
    }
    assert env["PATH"].split(":")[0] == f"{toolchain(machine)}/bin"
    assert env["CARGO_ENCODED_RUSTFLAGS"].split("\x1f")[:2] == [
        "-Ctarget-feature=+crt-static", "-Clink-self-contained=no",
    ]  # fmt: skip


def test_the_linker_of_this_host_alone_is_overridden(machine: Machine) -> None:
    ctx = context(machine)
    lines = render(overrides(ctx, ctx.config.targets)).splitlines()

    number = 1 + [ARM_MAC, MAC, ARM_LINUX, LINUX].index(machine.host)
    (line,) = lines
    assert line.startswith(f"override  .cargo/config.toml:{number}: target.{machine.host}.linker")


def test_the_wrappers_are_the_same_everywhere(machine: Machine, tmp_path: Path) -> None:
    """POSIX sh around that machine's zig; nothing in them asks where they run."""
    parts = survey(machine.workspace, machine.env, host=machine.host)
    _, texts = wrapper_files(TRIPLE, parts)
    scripts = {name: text for name, text in texts.items() if name != "relro.c"}

    assert set(scripts) == {f"{TRIPLE}-{tool}" for tool in ("cc", "c++", "ar", "ranlib")}
    for text in scripts.values():
        assert text.startswith("#!/bin/sh\n")
        assert f"exec {machine.site}/ziglang/zig" in text
        rest = text.replace(str(tmp_path), "")
        assert not [word for word in ("apple", "darwin", "gnu", "uname") if word in rest]


def test_doctor(machine: Machine) -> None:
    """It names emulators where they can be had and are needed."""
    ctx = context(machine)
    found = doctor.examine(
        ctx.config.targets,
        workspace=machine.workspace,
        env=machine.env,
        stripped=True,
        host=machine.host,
    )

    emulators = [f.name for f in found if "qemu" in f.name]
    other = {LINUX: ["qemu-aarch64-static"], ARM_LINUX: ["qemu-x86_64-static"]}
    assert emulators == other.get(machine.host, [])
    missing = [f.name for f in found if not (f.found or f.optional)]
    assert missing == ["std x86_64", "std aarch64", "linker x86_64", "linker aarch64"]


def test_doctor_without_a_compiler(machine: Machine) -> None:
    """Macs have a `cc` that only asks for the compiler's installation: it is to be tried."""
    remedy = "xcode-select --install" if is_mac(machine) else "doit setup"
    program(machine.usr / "bin/cc", "#!/bin/sh\necho 'no developer tools were found' >&2; exit 1\n")

    found = doctor.examine(
        (), workspace=machine.workspace, env=machine.env, stripped=True, host=machine.host
    )
    (linker,) = [f for f in found if f.name.startswith("cc ")]
    assert (linker.found, linker.remedy) == (False, remedy)

    (machine.usr / "bin/cc").unlink()
    missing = context(machine).toolchains["x86_64"].missing
    assert f"cc, which links build scripts, is not installed: {remedy}" in missing


def run_setup(machine: Machine) -> list[str]:
    """What it says, with an apt-get on PATH that must not be called on a Mac."""
    log = f'#!/bin/sh\necho "$(basename "$0") $*" >> {machine.root}/log\n'
    for name in ("apt-get", "apt-cache", "dpkg-query"):
        program(machine.usr / "bin" / name, log)
    (machine.home / ".cargo/bin/rustup").write_text(log + RUSTUP)
    said: list[str] = []
    setup(
        context(machine).config.targets, workspace=machine.workspace, env=machine.env,
        stripped=True, say=said.append, host=machine.host,
    )  # fmt: skip
    return said


def log(machine: Machine) -> list[str]:
    path = machine.root / "log"
    return path.read_text().splitlines() if path.exists() else []


def test_setup(machine: Machine) -> None:
    """Rustup fetches both standard libraries, the wrappers are made, nothing else is called."""
    said = run_setup(machine)

    add = f"rustup target add --toolchain stable-{machine.host}"
    assert log(machine) == [f"{add} {TRIPLE}", f"{add} {ARM}"]
    assert said[-1] == f"x86_64, aarch64: everything is installed, in {machine.cache}"
    assert {path.name.rpartition("-")[0] for path in (machine.cache / "wrappers").iterdir()} == {
        TRIPLE, ARM,
    }  # fmt: skip
    assert all(chain.missing == () for chain in context(machine).toolchains.values())


def test_setup_without_a_compiler(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apt is Debian's; on a Mac it is no business of ours even if it is there."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (machine.usr / "bin/cc").unlink()

    with pytest.raises(MissingToolError) as caught:
        run_setup(machine)

    command = "xcode-select --install" if is_mac(machine) else "sudo apt-get install"
    assert command in str(caught.value)
    assert log(machine) == []


def test_setup_without_rust(machine: Machine) -> None:
    for name in ("cargo", "rustc"):
        (machine.home / ".cargo/bin" / name).unlink()

    with pytest.raises(MissingToolError, match=r"rustup \(https://rustup.rs\)"):
        run_setup(machine)

    assert any(line.startswith("apt") for line in log(machine)) is not is_mac(machine)


# What Python has on Linux and not on macOS, of the modules used here.
LINUX_ONLY = {
    "os": (
        "memfd_create", "sched_getaffinity", "sched_setaffinity", "getrandom", "eventfd", "splice",
        "copy_file_range", "pidfd_open", "posix_fadvise", "posix_fallocate", "fdatasync", "pipe2",
        "waitid", "listxattr", "getxattr", "setxattr", "removexattr", "getresuid", "setresuid",
        "setns", "unshare", "O_PATH", "O_TMPFILE", "O_DIRECT", "O_NOATIME", "O_LARGEFILE",
        "O_RSYNC", "SCHED_BATCH", "P_PIDFD", "MFD_CLOEXEC",
    ),
    "select": ("epoll", "EPOLLIN"),
    "signal": ("sigwaitinfo", "sigtimedwait", "SIGPWR", "SIGSTKFLT", "SIGRTMIN"),
    "resource": ("prlimit",),
    "fcntl": ("F_SETPIPE_SZ", "F_GETPIPE_SZ", "F_ADD_SEALS"),
    "time": ("CLOCK_BOOTTIME",),
}  # fmt: skip


@pytest.mark.integration
def test_the_pipeline_runs_without_what_only_linux_has(tmp_path: Path) -> None:
    """A real build, in a Python from which those names were taken."""
    lines = [f"import {', '.join(LINUX_ONLY)}"]
    for module, names in LINUX_ONLY.items():
        lines.append(f"for name in {names}:\n    vars({module}).pop(name, None)")
    write(tmp_path / "mac", {"sitecustomize.py": "\n".join([*lines, "print('taken')"])})
    project = Project(tmp_path / "project")

    done = project.doit(env={"PYTHONPATH": str(tmp_path / "mac")})

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("taken\n")
    assert "2 built" in done.stdout
