"""What `doit doctor` says of cargo's own configuration, and that the plan does as it says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from doit_cargo.core.cargo import command
from doit_cargo.core.cargo.overrides import overrides, render
from doit_cargo.core.context import read_context
from doit_cargo.core.model import Context
from helpers.machines import LINUX, TRIPLE, Machine, program, usual
from helpers.workspaces import app, virtual, write

CONFIG = ".cargo/config.toml"
PIPELINE = "workspace: .\ntargets: {x86_64: x86_64-unknown-linux-musl}\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """With a workspace of one program."""
    made = usual(tmp_path)
    files = {"Cargo.toml": virtual('"alpha"'), "config/pipeline.yaml": PIPELINE}
    write(made.workspace, {**files, **app("alpha")})
    monkeypatch.syspath_prepend(made.site)
    return made


def context(machine: Machine, text: str = "", env: str = "", **shell: str) -> Context:
    """Of a configuration of cargo's, and an `env:` of ours."""
    more = f"env: {env}\n" if env else ""
    write(machine.workspace, {CONFIG: text, "config/pipeline.yaml": PIPELINE + more})
    return read_context(machine.workspace, {**machine.env, **shell}, host=LINUX)


def lines(ctx: Context) -> list[str]:
    return render(overrides(ctx, ctx.config.targets)).splitlines()


def settings(ctx: Context) -> dict[str, str]:
    return command.settings(ctx, ctx.config.targets[0])


def argv(ctx: Context) -> str:
    return " ".join(command.argv(ctx, ctx.config.targets[0], ["alpha"]))


def test_nothing_to_say(machine: Machine) -> None:
    ctx = context(machine, '[build]\nrustflags = ["--cfg", "a"]\n[env]\nPKG_CONFIG = "1"\n')

    assert lines(ctx) == []


def test_linkers_of_another_machine(machine: Machine) -> None:
    ctx = context(
        machine,
        f'[target.{LINUX}]\nlinker = "x86_64-linux-gnu-ld"\nrunner = "a"\n'
        '[target.x86_64-unknown-linux-musl]\nlinker = "x86_64-linux-musl-gcc"\n'
        "[target.'cfg(unix)']\nlinker = \"clang\"\n[target.'cfg(windows)']\nlinker = \"link\"\n",
    )

    assert lines(ctx) == [
        (
            f'override  {CONFIG}:2: target.{LINUX}.linker = "x86_64-linux-gnu-ld": '
            "build scripts are linked by cc"
        ),
        (
            f'override  {CONFIG}:5: target.{TRIPLE}.linker = "x86_64-linux-musl-gcc": '
            "zig links for musl"
        ),
        f"override  {CONFIG}:7: target.'cfg(unix)'.linker = \"clang\": zig links for musl",
    ]
    made = settings(ctx)
    assert made["CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER"] == "cc"
    wrapper = "/x86_64-unknown-linux-musl-cc"
    assert made["CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER"].endswith(wrapper)


def test_linkers_that_our_configuration_names(machine: Machine) -> None:
    text = f'[target.{LINUX}]\nlinker = "clang"\n'
    ctx = context(machine, text, env="{CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER: gcc}")

    assert lines(ctx) == []
    assert settings(ctx)["CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER"] == "gcc"


def test_flags(machine: Machine) -> None:
    ctx = context(
        machine,
        "[build]\nrustflags = [\n  '--cfg', 'a', '-C', 'linker=clang',\n"
        "  '-Ctarget-cpu=native', '-Ctarget-feature=+aes,-crt-static',\n]\n",
    )

    assert lines(ctx) == [
        f"override  {CONFIG}:2: build.rustflags: -Clinker=clang: zig links for musl",
        (
            f"warning   {CONFIG}:2: build.rustflags: -Ctarget-cpu=native: the binaries need a "
            "processor like this machine's, and another machine builds others"
        ),
        (
            f"override  {CONFIG}:2: build.rustflags: -Ctarget-feature=+aes,-crt-static: "
            "what is shipped is static"
        ),
    ]
    flags = settings(ctx)["CARGO_ENCODED_RUSTFLAGS"].split("\x1f")
    assert flags[:5] == [
        "--cfg", "a", "-Ctarget-cpu=native", "-Ctarget-feature=+aes",
        "-Ctarget-feature=+crt-static",
    ]  # fmt: skip
    assert "-Clink-self-contained=no" in flags


def test_flags_of_our_own_configuration(machine: Machine) -> None:
    ctx = context(machine, "build.rustflags = '-Clinker=a'", env="{RUSTFLAGS: -Clinker=b --cfg a}")

    assert lines(ctx) == [
        "override  config/pipeline.yaml: RUSTFLAGS: -Clinker=b: zig links for musl"
    ]
    assert settings(ctx)["CARGO_ENCODED_RUSTFLAGS"].startswith("--cfg\x1fa\x1f-Ctarget-feature")


def test_the_shells_flags_are_not_used(machine: Machine) -> None:
    ctx = context(machine, RUSTFLAGS="--cfg a", RUSTC_WRAPPER="")

    (line,) = lines(ctx)
    assert line == (
        'override  environment: RUSTFLAGS="--cfg a": builds do not depend on the shell; '
        "put it into `env:` of the configuration"
    )
    assert "--cfg" not in settings(ctx)["CARGO_ENCODED_RUSTFLAGS"]
    assert "RUSTFLAGS" not in command.cargo_env(ctx, ctx.config.targets[0])


def test_a_wrapper_that_is_not_installed(machine: Machine) -> None:
    text = 'build.rustc-wrapper = "sccache"\nbuild.rustc-workspace-wrapper = "./mine"\n'
    ctx = context(machine, text)

    assert lines(ctx) == [
        (
            f'override  {CONFIG}:1: build.rustc-wrapper = "sccache": not installed here: '
            "rustc is called without it"
        ),
        (
            f'override  {CONFIG}:2: build.rustc-workspace-wrapper = "./mine": not installed here: '
            "rustc is called without it"
        ),
    ]
    made = settings(ctx)
    assert (made["RUSTC_WRAPPER"], made["RUSTC_WORKSPACE_WRAPPER"]) == ("", "")


def test_a_wrapper_that_is_installed(machine: Machine) -> None:
    """By name on PATH, or by a path that counts from the folder of `.cargo`."""
    text = 'build.rustc-wrapper = "sccache"\nbuild.rustc-workspace-wrapper = "./mine"\n'
    installed = (program(machine.usr / "bin/sccache"), program(machine.workspace / "mine"))
    ctx = context(machine, text)

    assert lines(ctx) == [
        (
            f"warning   {CONFIG}:{number}: {key}: {path} answers for rustc: what it compiles is "
            "not pushed without `cargo: {trust_wrapper: true}`"
        )
        for number, (key, path) in enumerate(
            zip(("rustc-wrapper", "rustc-workspace-wrapper"), installed, strict=True), start=1
        )
    ]
    assert "RUSTC_WRAPPER" not in settings(ctx)
    found = command.wrappers(ctx, ctx.config.targets[0])
    assert tuple(wrapper.program for wrapper in found) == installed


def test_a_wrapper_of_our_own_configuration(machine: Machine) -> None:
    """It overrides cargo's; empty, it switches that off."""
    mine = program(machine.usr / "bin/mine")
    text = 'build.rustc-wrapper = "sccache"\n'
    ctx = context(machine, text, env="{RUSTC_WRAPPER: mine}")

    (wrapper,) = command.wrappers(ctx, ctx.config.targets[0])
    assert wrapper.program == mine
    assert lines(ctx) == [
        (
            f"warning   config/pipeline.yaml: RUSTC_WRAPPER: {mine} answers for rustc: what it "
            "compiles is not pushed without `cargo: {trust_wrapper: true}`"
        )
    ]
    ctx = context(machine, text, env='{RUSTC_WRAPPER: ""}')
    assert (command.wrappers(ctx, ctx.config.targets[0]), lines(ctx)) == ((), [])


def test_a_wrapper_of_our_own_configuration_that_is_not_installed(machine: Machine) -> None:
    """That is a mistake to be told, by cargo too."""
    ctx = context(machine, env="{RUSTC_WRAPPER: mine}")

    assert lines(ctx) == ["warning   config/pipeline.yaml: RUSTC_WRAPPER: not installed"]
    assert settings(ctx)["RUSTC_WRAPPER"] == "mine"


def test_a_condition_that_only_rustc_can_judge(machine: Machine) -> None:
    ctx = context(machine, "[target.'cfg(target_feature = \"sse2\")']\nrustflags = ['-Cx']\n")

    (line,) = lines(ctx)
    assert line.startswith(
        f"override  {CONFIG}:2: target.'cfg(target_feature = \"sse2\")'.rustflags"
    )
    assert line.endswith(": treated as false: target_feature is not known without rustc")


def test_variables_of_another_machine(machine: Machine) -> None:
    """Ours are the stronger; those that the table forces are overridden by an option."""
    triple = "x86_64-unknown-linux-musl"
    text = (
        '[env]\nPROTOC = "/opt/homebrew/bin/protoc"\nOTHER = { value = "a", force = true }\n'
        f'CC_{triple} = "gcc"\n'
        'AR_x86_64_unknown_linux_musl = { value = "bin/ar", relative = true, force = true }\n'
    )
    ctx = context(machine, text)

    made, protoc = settings(ctx), machine.root / "venv/bin/protoc"
    tools = ctx.toolchains["x86_64"].wrappers
    assert lines(ctx) == [
        f'override  {CONFIG}:2: env.PROTOC = "/opt/homebrew/bin/protoc": it is {protoc}',
        f'override  {CONFIG}:4: env.CC_{triple} = "gcc": it is {tools}/{triple}-cc',
        (
            f'override  {CONFIG}:5: env.AR_x86_64_unknown_linux_musl.value = "bin/ar": '
            f"it is {tools}/{triple}-ar"
        ),
    ]
    assert (made["PROTOC"], made[f"CC_{triple}"]) == (str(protoc), f"{tools}/{triple}-cc")
    option = f'--config env.AR_x86_64_unknown_linux_musl.value="{tools}/{triple}-ar"'
    assert option in argv(ctx)
    assert argv(ctx).count("--config") == 1


@pytest.mark.parametrize(
    "entry",
    [
        'CFLAGS = "-DX"',
        'CFLAGS_x86_64_unknown_linux_musl = "-DX"',
        "CFLAGS_x86_64-unknown-linux-musl = { value = '-DX', force = true }",
    ],
)
def test_c_flags_are_extended(machine: Machine, entry: str) -> None:
    ctx = context(machine, f"[env]\n{entry}\n")

    flags = settings(ctx)["CFLAGS_x86_64_unknown_linux_musl"]
    assert flags.startswith("-DX -ffile-prefix-map=")
    assert lines(ctx) == []


def test_the_rest_of_build(machine: Machine) -> None:
    text = (
        "[build]\njobs = 4000\nincremental = true\ntarget = 'aarch64-apple-darwin'\n"
        "rustc = '/opt/rustc'\nbuild-dir = '/tmp'\n[profile.release]\nincremental = true\n"
        "[profile.dev]\nincremental = true\n"
    )
    ctx = context(machine, text)

    cores = os.cpu_count()
    assert [line.partition(": ")[2] for line in lines(ctx)] == [
        f"build.jobs = 4000: --jobs {cores}, the cores of this machine",
        "build.incremental = true: CARGO_INCREMENTAL=0: such builds are not reproducible",
        'build.target = "aarch64-apple-darwin": the configuration\'s `targets` say what is built',
        'build.rustc = "/opt/rustc": the compiler is the one above',
        'build.build-dir = "/tmp": everything is built in the target directory',
        "profile.release.incremental = true: CARGO_INCREMENTAL=0: such builds are not reproducible",
    ]
    assert f"--jobs {cores}" in argv(ctx)
    assert settings(ctx)["CARGO_INCREMENTAL"] == "0"


def test_what_agrees_is_not_told(machine: Machine) -> None:
    text = "[build]\njobs = 1\nincremental = false\ntarget = 'x86_64-unknown-linux-musl'\n"

    ctx = context(machine, text)

    assert lines(ctx) == []
    assert "--jobs" not in argv(ctx)


def test_files_above_the_workspace_and_included_ones(machine: Machine) -> None:
    """A file's key counts for what it is the strongest of; paths outside are shown whole."""
    above = machine.root / ".cargo"
    write(above, {"config.toml": 'include = ["more.toml"]\n', "more.toml": "build.jobs = 4000\n"})

    assert lines(context(machine))[0].startswith(f"override  {above}/more.toml:1: build.jobs")
    assert lines(context(machine, "build.jobs = 1")) == []


@pytest.mark.parametrize("text", ["target = []", "env = 'a'", "env.A = 5", "target.a = 1"])
def test_what_cargo_refuses_is_left_to_it(machine: Machine, text: str) -> None:
    assert lines(context(machine, text)) == []


def test_a_value_is_shown_on_one_line(machine: Machine) -> None:
    (line,) = lines(context(machine, f'build.rustc-wrapper = "a\\u001b\\n{"b" * 100}"'))

    assert f'build.rustc-wrapper = "a\\u001b\\n{"b" * 50}…: not installed' in line
