"""Projects with workspaces of odd shapes, and what each shipped program must print.

Paths are relative to the project's root, a folder of its own; `../` leads to folders beside it.
"""

from __future__ import annotations

import shutil
import subprocess  # noqa: TID251
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from helpers.odd_workspaces import dependencies
from helpers.project import Project
from helpers.workspaces import package, virtual, write

# Quick to build, and without the symbols for which zig would compile its libraries once more.
RELEASE = "[profile.release]\nopt-level = 0\nstrip = true\n"


@dataclass(frozen=True, kw_only=True)
class Odd:
    """A project: its files, its programs (`crate/binary`) and what they print.

    `prepare` gets the project's root when the files are there. In `env`, `ROOT` stands for it.
    """

    files: dict[str, str]
    says: dict[str, str]
    config: str = ""
    folder: str = "project"
    workspace: str = "."
    target: str = "target"
    profile: str = "release"
    env: dict[str, str] = field(default_factory=dict)
    prepare: Callable[[Path], None] | None = None


def lib(folder: str, body: str, more: str = "", name: str = "") -> dict[str, str]:
    """A library whose `say()` gives that expression, a `String`."""
    return {
        f"{folder}/Cargo.toml": package(name or Path(folder).name, more),
        f"{folder}/src/lib.rs": f"pub fn say() -> String {{ {body} }}\n",
    }


def app(folder: str, *said: str, more: str = "", name: str = "") -> dict[str, str]:
    """A program that prints the values of these expressions."""
    return {
        f"{folder}/Cargo.toml": package(name or Path(folder).name, more),
        f"{folder}/src/main.rs": main(*said),
    }


def main(*said: str) -> str:
    """A main file that prints the values of these expressions."""
    form = " ".join(["{}"] * len(said))
    return f'fn main() {{ println!("{form}", {", ".join(said)}); }}\n'


def text(words: str) -> str:
    """An expression for these words."""
    return f'"{words}".to_string()'


NOT_TO_BE_COMPILED = 'compile_error!("nobody asked for this");\n'

ROOT_PACKAGE = Odd(
    files={
        "Cargo.toml": package(
            "root",
            "[workspace]\nmembers = ['crates/*', 'tools/t?']\ndefault-members = ['crates/b']\n"
            "exclude = ['nested', 'crates/old']\n" + dependencies("crates/a", "nested/x") + RELEASE,
        ),
        "src/main.rs": main("a::say()", "x::say()"),
        **lib("crates/a", text("a"), dependencies("../b", table="dev-dependencies")),
        **app("crates/b", "b::say()", more=dependencies("../a")),
        "crates/b/src/lib.rs": "pub fn say() -> String { a::say() + a::say().as_str() }\n",
        "crates/old/src/main.rs": NOT_TO_BE_COMPILED,
        "nested/Cargo.toml": virtual('"*"', "[workspace.package]\nversion = '7.8.9'"),
        "nested/x/Cargo.toml": "[package]\nname = 'x'\nversion.workspace = true\nedition = '2021'",
        "nested/x/src/lib.rs": 'pub fn say() -> &\'static str { env!("CARGO_PKG_VERSION") }\n',
        **app("tools/t1", text("t1")),
        **app("tools/other", text("no member")),
    },
    says={"b/b": "aa", "root/root": "a 7.8.9", "t1/t1": "t1"},
)

INHERITED = Odd(
    files={
        "Cargo.toml": '[workspace]\nresolver = "3"\nmembers = ["crates/*"]\n'
        '[workspace.package]\nversion = "4.5.6"\nedition = "2024"\n[workspace.dependencies]\n'
        'util = { path = "crates/util", default-features = false }\n'
        'alias = { package = "long-name", path = "crates/long" }\n' + RELEASE,
        "crates/server/Cargo.toml": "[package]\nname = 'server'\nversion.workspace = true\n"
        "edition.workspace = true\n[dependencies]\nutil = { workspace = true, features = ['x'] }\n"
        "alias.workspace = true\nopt = { path = '../opt', optional = true }\n"
        "never = { path = '../never', optional = true }\n"
        "[features]\ndefault = ['dep:opt']\n"
        "[target.'cfg(target_env = \"musl\")'.dependencies]\nmusl = { path = '../musl' }\n"
        "[target.'cfg(windows)'.dependencies]\nwin = { path = '../win' }\n"
        "[build-dependencies]\ngen = { path = '../gen', package = 'gen-code' }\n"
        "[dev-dependencies]\ntester = { path = '../tester' }\n",
        "crates/server/build.rs": "fn main() {\n"
        '    println!("cargo::rerun-if-changed=build.rs");\n'
        '    println!("cargo::rustc-env=MADE={}", r#gen::say());\n}\n',
        "crates/server/src/lib.rs": "pub fn say() -> String { alias::say() + &util::say() }\n",
        "crates/server/src/main.rs": main(
            "server::say()", "opt::say()", "musl::say()", 'env!("MADE")',
            'env!("CARGO_PKG_VERSION")',
        ),
        **lib(
            "crates/util",
            'if cfg!(feature = "x") { "x" } else { "no x" }.to_string()',
            "[features]\nx = []\ny = []\ndefault = ['y']",
        ),
        **lib("crates/long", text("long"), name="long-name"),
        **lib("crates/opt", text("opt")),
        **lib("crates/musl", text("musl")),
        **lib("crates/gen", text("generated"), name="gen-code"),
        **lib("crates/tester", "server::say()", dependencies("../server")),
        "crates/never/Cargo.toml": package("never"),
        "crates/never/src/lib.rs": NOT_TO_BE_COMPILED,
        "crates/win/Cargo.toml": package("win"),
        "crates/win/src/lib.rs": NOT_TO_BE_COMPILED,
    },
    says={"server/server": "longx opt musl generated 4.5.6"},
)  # fmt: skip

BINARIES = Odd(
    files={
        "Cargo.toml": virtual('"tools", "quiet", "spare*"', RELEASE),
        "tools/Cargo.toml": package(
            "tools",
            "[[bin]]\nname = 'first-tool'\npath = '../any where/it is.rs'\n"
            "[[bin]]\nname = 'gated'\nrequired-features = ['extra']\n[features]\nextra = []\n",
        ),
        "any where/it is.rs": "mod part;\n" + main("part::SAID"),
        "any where/part.rs": 'pub const SAID: &str = "first";\n',
        "tools/src/bin/one.rs": main(text("one")),
        "tools/src/bin/two/main.rs": "mod part;\n" + main("part::SAID"),
        "tools/src/bin/two/part.rs": 'pub const SAID: &str = "two";\n',
        "tools/src/bin/gated.rs": main(text("gated")),
        "quiet/Cargo.toml": package("quiet", "autobins = false\n[[bin]]\nname = 'first_tool'"),
        "quiet/src/bin/first_tool.rs": main('cfg!(feature = "extra")'),
        "quiet/src/bin/ignored.rs": NOT_TO_BE_COMPILED,
        "spare1/Cargo.toml": package("spare1", "[[bin]]\nname = 'my tool'\npath = 'x.rs'"),
        "spare1/x.rs": NOT_TO_BE_COMPILED,
        "spare1/src/bin/one.rs": main(text("another one")),
        "spare1/src/bin/same.rs": main(text("same")),
        "spare2/Cargo.toml": package("spare2"),
        "spare2/src/bin/same.rs": main(text("same")),
    },
    config="ship: {quiet: [first_tool], tools: [two, one, gated, first-tool]}\n"
    "features: {names: [tools/extra]}\n",
    says={
        "quiet/first_tool": "false",
        "tools/two": "two",
        "tools/one": "one",
        "tools/gated": "gated",
        "tools/first-tool": "first",
    },
)


def _need_cargos_git(folder: Path, url: str) -> None:
    """Skip the test where cargo reads no git repository: Debian 12's 1.96, with its libgit2."""
    probe = folder / "probe"
    write(probe, app(".", "1", name="probe", more=f"[dependencies]\nleaf.git = '{url}'\n"))
    env = Project.environment({"CARGO_HOME": str(folder / "cargo-of-the-probe")})
    done = subprocess.run(
        ["cargo", "fetch"], cwd=probe, env=env, capture_output=True, text=True, check=False
    )
    if "invalid version 0 on git_proxy_options" in done.stderr:
        pytest.skip("this cargo cannot read git repositories")


def repository(folder: Path, files: dict[str, str]) -> str:
    """Make a git repository with one commit; its address."""
    write(folder, files)
    me = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    for words in (["init", "-q"], ["add", "-A"], [*me, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
    return folder.resolve().as_uri()


def _repositories(root: Path) -> None:
    """Two packages in git, one built upon the other. `URL` in the manifests leads there."""
    git = root.parent / "git"
    leaf = repository(git / "leaf", lib(".", text("leaf"), name="leaf"))
    _need_cargos_git(root.parent, leaf)
    more = f"[dependencies]\nleaf.git = '{leaf}'\n"
    repository(git / "upper", lib(".", 'leaf::say() + " upper"', more, name="upper"))
    for path in root.glob("**/Cargo.toml"):
        path.write_text(path.read_text().replace("URL", git.as_uri()))


def _vendor(root: Path) -> None:
    """The same in a folder, and the repositories gone."""
    _repositories(root)
    home = root.parent / "cargo"
    done = subprocess.run(
        ["cargo", "vendor", "third party"], cwd=root, check=True, capture_output=True,
        text=True, env={**Project.environment(None), "CARGO_HOME": str(home)},
    )  # fmt: skip
    write(root, {".cargo/config.toml": done.stdout})
    shutil.rmtree(root.parent / "git")
    shutil.rmtree(home)


HOME = {"CARGO_HOME": "ROOT/../cargo"}

GIT = Odd(
    files={
        "Cargo.toml": virtual('"a", "b"', RELEASE),
        **app("a", "upper::say()", "leaf::say()", more="[dependencies]\nupper.git = 'URL/upper'\n"
              "leaf.git = 'URL/leaf'\n"),
        **app("b", text("b")),
    },
    says={"a/a": "leaf upper leaf", "b/b": "b"},
    env=HOME,
    prepare=_repositories,
)  # fmt: skip

# `a` is built upon the fork by way of `upper` alone, and `b` not at all.
PATCHED = Odd(
    files={
        "Cargo.toml": virtual(
            '"a", "b"', f"[patch.'URL/leaf']\nleaf = {{ path = '../fork' }}\n{RELEASE}"
        ),
        **app("a", "upper::say()", more="[dependencies]\nupper.git = 'URL/upper'\n"),
        **app("b", text("b")),
        **lib("../fork", text("fork"), name="leaf"),
    },
    says={"a/a": "fork upper", "b/b": "b"},
    env=HOME,
    prepare=_repositories,
)

VENDORED = Odd(
    files={
        "Cargo.toml": package("a", f"[dependencies]\nupper.git = 'URL/upper'\n{RELEASE}"),
        "src/main.rs": main("upper::say()"),
    },
    config="cargo: {offline: true}\n",
    says={"a/a": "leaf upper"},
    env=HOME,
    prepare=_vendor,
)

ELSEWHERE = Odd(
    files={
        "deep/ws/Cargo.toml": virtual('"a", "../beside", "linked"', RELEASE),
        "deep/ws/.cargo/config.toml": "[build]\ntarget-dir = '../../made/here'\n",
        **app("deep/ws/a", "beside::say()", "linked::say()",
              more=dependencies("../../beside", "../linked")),
        **lib("deep/beside", text("beside"), "workspace = '../ws'"),
        **lib("real", text("linked"), name="linked"),
    },
    workspace="deep/ws",
    target="made/here",
    says={"a/a": "beside linked"},
    prepare=lambda root: (root / "deep/ws/linked").symlink_to("../../real"),
)  # fmt: skip

NAMES = Odd(
    folder="Größe & mehr",
    files={
        "Cargo.toml": virtual('"ein Ordner/*", "[0-9]*"', RELEASE),
        **app("ein Ordner/élan vital", "run::say()", more=dependencies("../run"), name="list"),
        **lib("ein Ordner/run", "groesse::say()",
              "[dependencies]\n'größe' = { path = '../../1 (größe)#' }"),
        **lib("1 (größe)#", 'include_str!("was es sagt").trim().to_string()',
              "[lib]\nname = 'groesse'", name="größe"),
        "1 (größe)#/src/was es sagt": "groß",
        **app("2%20", text("clean"), name="clean"),
    },
    says={"clean/clean": "clean", "list/list": "groß"},
    target="../ziel ordner",
    env={"CARGO_TARGET_DIR": "../ziel ordner"},
)  # fmt: skip

BUILDS = Odd(
    files={
        "Cargo.toml": virtual('"app", "thing-sys", "macros", "abi"', RELEASE),
        **app(
            "app", "macros::word!()", 'env!("FOUND")', "thing_sys::MADE", "abi::say()",
            more=dependencies("../macros", "../thing-sys", "../abi"),
        ),
        "app/build.rs": "fn main() {\n"
        '    println!("cargo:rustc-env=FOUND={}", std::env::var("DEP_THING_WORD").unwrap());\n}\n',
        "thing-sys/Cargo.toml": package("thing-sys", "links = 'thing'\nbuild = 'make/it.rs'"),
        "thing-sys/make/it.rs": "fn main() {\n"
        '    println!("cargo:rerun-if-changed=make/it.rs\\ncargo:WORD=linked");\n'
        '    let out = std::env::var("OUT_DIR").unwrap();\n'
        '    std::fs::write(out + "/made.rs", "pub const MADE: u8 = 7;").unwrap();\n}\n',
        "thing-sys/build.rs": NOT_TO_BE_COMPILED,
        "thing-sys/src/lib.rs": 'include!(concat!(env!("OUT_DIR"), "/made.rs"));\n',
        "macros/Cargo.toml": package("macros", "[lib]\nproc-macro = true"),
        "macros/src/lib.rs": "use proc_macro::TokenStream;\n#[proc_macro]\n"
        'pub fn word(_: TokenStream) -> TokenStream { "\\"macro\\"".parse().unwrap() }\n',
        **lib("abi", text("abi"),
              "build = false\n[lib]\ncrate-type = ['cdylib', 'staticlib', 'rlib']"),
        "abi/build.rs": NOT_TO_BE_COMPILED,
    },
    says={"app/app": "macro linked 7 abi"},
)  # fmt: skip

SINGLE = Odd(
    files={
        "Cargo.toml": package("single", dependencies("below", "../far/out") + RELEASE),
        "src/main.rs": main("below::say()", "out::say()"),
        **lib("below", text("below")),
        **lib("../far/out", 'format!("{} {}", file!(), in_::say())',
              "[dependencies]\nin_ = { package = 'in', path = 'in' }\n"),
        **lib("../far/out/in", "file!().to_string()"),
    },
    says={"single/single": "below /outside/out/src/lib.rs /outside/in/src/lib.rs"},
)  # fmt: skip

FEATURES = Odd(
    files={
        "Cargo.toml": "[workspace]\nresolver = '1'\nmembers = ['*']\n"
        "exclude = ['config', 'docker', '.doit-cargo', 'target', '__pycache__']\n"
        f"{RELEASE}[profile.tiny]\ninherits = 'release'\nopt-level = 'z'\npanic = 'abort'\n",
        **app("a", "core_lib::say()", 'cfg!(feature = "loud")',
              more=dependencies("../core_lib") + "[features]\nloud = ['core_lib/x']\nusual = []\n"
              "default = ['usual']"),
        **app("b", "core_lib::say()", 'cfg!(feature = "usual")', more=dependencies("../core_lib")
              + "[features]\nloud = []\nusual = []\ndefault = ['usual']"),
        **lib("core_lib", 'if cfg!(feature = "x") { "x" } else { "-" }.to_string()',
              "[features]\nx = []"),
    },
    config="profile: tiny\nfeatures: {names: [a/loud], default: false}\n",
    profile="tiny",
    says={"a/a": "x true", "b/b": "x false"},
)  # fmt: skip

OLD = Odd(
    files={
        "Cargo.toml": virtual('"a", "b"', RELEASE),
        "a/Cargo.toml": "[project]\nname = 'a'\nversion = '0.1.0'\n[[bin]]\nname = 'one'\n"
        "[dependencies.b]\npath = '../b'\n",
        "a/src/main.rs": NOT_TO_BE_COMPILED,
        "a/src/bin/one.rs": "extern crate b;\n" + main("b::say()", "b::async"),
        "b/Cargo.toml": "\ufeff[package]\r\nname = 'b'\r\nversion = '0.1.0'\r\n"
        "[lib]\r\npath = 'code.rs'\r\n",
        "b/code.rs": "#![allow(non_upper_case_globals)]\npub const async: u8 = 5;\n"
        'pub fn say() -> &\'static str { "old" }\n',
    },
    says={"a/one": "old 5"},
)

ODD_PROJECTS = {
    "a root package with patterns, exclude and a nested workspace": ROOT_PACKAGE,
    "dependencies of every kind, inherited": INHERITED,
    "binaries of every kind, and namesakes": BINARIES,
    "git dependencies": GIT,
    "a patch below a git dependency": PATCHED,
    "vendored sources, offline": VENDORED,
    "a workspace and a target folder elsewhere, members beside it": ELSEWHERE,
    "names with blanks, signs and other letters": NAMES,
    "build scripts, links, macros, libraries of every kind": BUILDS,
    "a single package with path dependencies": SINGLE,
    "features, an old resolver, a custom profile": FEATURES,
    "edition 2015, an old spelling, other line ends": OLD,
}
