"""What `-vv` adds to cargo's words is taken out, and the commands of build scripts are learned."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from doit_cargo.tools import process
from doit_cargo.tools.cargo.verbose import Command, Verbose, is_echo
from helpers.workspaces import lib, package, virtual, write

SCRIPT = "/t/release/build/a-0123456789abcdef/build-script-build"
RUSTC = "/r/bin/rustc --crate-name a --check-cfg 'cfg(docsrs,test)' -C metadata=1"


def heard(text: str) -> tuple[list[str], dict[str, Command]]:
    verbose = Verbose()
    said = [kept for line in text.split("\n") for kept in verbose.feed(line)]
    return said, verbose.commands


WORDS = {
    "what cargo says without it": (
        "   Compiling a v0.1.0 (/ws/a)\nwarning: unused\n    Finished `release`",
        ["   Compiling a v0.1.0 (/ws/a)", "warning: unused", "    Finished `release`"],
    ),
    "a compiler": (f"     Running `CARGO=/x A='' {RUSTC}`\nnext", ["next"]),
    "a compiler, values on several lines": (
        f"     Running `A='it'\\''s\n`two`\nlines'\\!'' B=1 {RUSTC}`\nnext", ["next"],
    ),
    "in colours, after a progress bar": (
        f"    Building [=>  ] 1/3: a\r\x1b[K\x1b[1m\x1b[92m     Running\x1b[0m `A=1 {RUSTC}`\nx",
        ["    Building [=>  ] 1/3: a", "x"],
    ),
    "a progress bar": ("  Building [=> ] 1/3: a\r\x1b[K   Compiling b",
                       ["  Building [=> ] 1/3: a", "\x1b[K   Compiling b"]),
    "a script's own words": ("[a 0.1.0] error: no\n[a-b 1.0.0-rc.1] \n[note] x", ["[note] x"]),
    "a script's own words after a progress bar": (
        "  Building [=> ] 1/3: a\r\x1b[K[a 0.1.0] hello", ["  Building [=> ] 1/3: a"],
    ),
    "warnings of others' crates": ("warning: `x` (lib) generated 3 warnings (run `y`)", []),
    "a script that fails": (
        (
            "error: failed to run custom build command for `a v0.1.0 (/ws/a)`\n\nCaused by:\n"
            "  process didn't exit successfully: "
            f"`A='x\ny' OUT_DIR=/t {SCRIPT}` (exit status: 101)\n  --- stderr\n  no"
        ),
        [
            "error: failed to run custom build command for `a v0.1.0 (/ws/a)`", "Caused by:",
            f"  process didn't exit successfully: `{SCRIPT}` (exit status: 101)",
            "  --- stderr", "  no",
        ],
    ),
    "a compiler that is killed": (
        f"  process didn't exit successfully: `A=1 {RUSTC}` (signal: 9, SIGKILL: kill)",
        [f"  process didn't exit successfully: `{RUSTC}` (signal: 9, SIGKILL: kill)"],
    ),
    "a command that is not understood takes nothing else with it": (
        "     Running `A='never\nended\nerror: could not compile `a`",
        ["error: could not compile `a`"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WORDS.values(), ids=WORDS)
def test_what_is_left(text: str, expected: list[str]) -> None:
    assert heard(text)[0] == expected


def test_a_scripts_command() -> None:
    """Every value as it was; what cargo could not print is not known at all."""
    odd = "A='' B='it'\\''s\n\ttwo lines'\\!'' C=a=b D='$x' CARGO_FEATURE_C++=1 CC_x-y=z"
    texts = (f"{odd} OUT_DIR=/t/one {SCRIPT}", f"OUT_DIR=/t/two A=\ufffd {SCRIPT}")

    assert heard("\n".join(f"     Running `{text}`" for text in texts))[1] == {
        "/t/one": Command(
            SCRIPT,
            {
                "A": "", "B": "it's\n\ttwo lines!", "C": "a=b", "D": "$x",
                "CARGO_FEATURE_C++": "1", "CC_x-y": "z", "OUT_DIR": "/t/one",
            },
        )
    }  # fmt: skip


def test_a_program_in_a_folder_with_odd_letters() -> None:
    program = f"/o'neil a=b/{SCRIPT}"

    assert heard(f"     Running `OUT_DIR=/t {program}`")[1] == {
        "/t": Command(program, {"OUT_DIR": "/t"})
    }


def test_an_echo_of_a_script() -> None:
    assert is_echo("[a 0.1.0] cargo:rerun-if-changed=x")
    assert not is_echo('{"reason":"x"}')


PRINTS = """\
fn main() {
    let mut said = Vec::new();
    for (name, value) in std::env::vars_os() {
        use std::os::unix::ffi::OsStrExt;
        said.extend_from_slice(name.as_bytes());
        said.push(b'=');
        said.extend_from_slice(value.as_bytes());
        said.push(0);
    }
    std::fs::write(std::env::var_os("OUT_DIR").unwrap().to_str().unwrap().to_owned() + "/env", said)
        .unwrap();
}
"""


@pytest.mark.integration
def test_a_script_that_is_run_alone_has_the_environment_that_cargo_gave_it(tmp_path: Path) -> None:
    """But for the jobserver's pipes, and certificates that cargo looks for in its own process."""
    more = 'description = """it\'s\n`two` lines!\n"""\n[features]\ndefault = ["c"]\nc = []'
    root = write(tmp_path / "o'neil a=b", {"Cargo.toml": virtual('"a"'), **lib("a")})
    write(root, {"a/Cargo.toml": package("a", more), "a/build.rs": PRINTS})
    write(root, {".cargo/config.toml": '[env]\nODD = "x\\ty\'\\"$"\n'})
    env = {name: os.environ[name] for name in ("PATH", "HOME")}
    rustup = process.find("rustup")
    cargo = process.run([rustup, "which", "cargo"]).strip() if rustup else "cargo"
    done = process.run_guarded([cargo, "build", "-vv", "--offline"], cwd=root, env=env, timeout=60)
    ((out, command),) = heard(done.err)[1].items()
    theirs = Path(out, "env").read_bytes()

    process.run([command.program], cwd=root / "a", env={**env, **command.env})

    lines = set(theirs.split(b"\0")) ^ set(Path(out, "env").read_bytes().split(b"\0"))
    assert {line.partition(b"=")[0] for line in lines} <= {
        b"CARGO_MAKEFLAGS", b"SSL_CERT_DIR", b"SSL_CERT_FILE",
    }  # fmt: skip
