"""A small random workspace, its configuration, and the facts that a step needs to change it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from random import Random

from helpers.project import CONFIG, Project
from helpers.workspaces import write

# A version number in a source file: an edit gives it another digit and keeps the file's size.
VERSION = re.compile(r"(?<=V: u32 = )\d|(?<=version )\d")

ROOT = """\
[workspace]
members = ["crates/*"]
resolver = "RESOLVER"

[profile.release]
opt-level = 0
strip = true

[profile.fast]
inherits = "release"
"""

MACRO = """\
use proc_macro::TokenStream;
const V: u32 = 1;
/// A literal of the macro's own version and of a variable that it reads.
#[proc_macro]
pub fn word(_: TokenStream) -> TokenStream {
    let said = std::env::var("MACRO_WORD").unwrap_or_default();
    format!("\\"macro{V}{said}\\"").parse().unwrap()
}
"""

# Watches a folder and a variable, and reads variables that it does not watch.
WATCHING = """\
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../../assets");
    println!("cargo:rerun-if-env-changed=WATCHED");
    if std::path::Path::new("../../slow").exists() {
        std::thread::sleep(std::time::Duration::from_millis(700));
    }
    let mut found: Vec<_> = std::fs::read_dir("../../assets").unwrap()
        .map(|e| e.unwrap().path()).collect();
    found.sort();
    let mut said = String::new();
    for path in found {
        said += path.file_name().unwrap().to_str().unwrap();
        said += std::fs::read_to_string(path).unwrap().trim();
    }
    for name in ["WATCHED", "PLAIN", "FROMCFG", "SOURCE_DATE_EPOCH"] {
        said += &std::env::var(name).unwrap_or_default();
    }
    println!("cargo:rustc-env=FOUND={said}");
}
"""

# Makes code of a file outside all crates.
GENERATING = """\
fn main() {
    println!("cargo:rerun-if-changed=../../proto/api.proto");
    let text = std::fs::read_to_string("../../proto/api.proto").unwrap();
    let out = std::env::var("OUT_DIR").unwrap() + "/api.rs";
    std::fs::write(out, format!("pub const API: &str = {:?};\\n", text.trim())).unwrap();
}
"""

# Says a word that lies in FILE, of which `WATCH` may or may not tell; and what it finds in OUT_DIR.
SAYING = """\
use std::io::Write;
fn main() {
    std::io::stdout().write_all(b"WATCH\\n").unwrap();
    let word = std::fs::read_to_string("FILE").unwrap_or_default().replace(char::is_whitespace, "");
    let out = std::env::var("OUT_DIR").unwrap();
    std::fs::write(format!("{out}/{word}.txt"), &out).unwrap();
    let mut found: Vec<_> = std::fs::read_dir(&out).unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    println!("cargo:rustc-env=OPT={}", found.concat());
}
"""

# What each kind of library says, beside its version and what it builds upon.
SAYS = {
    "core": 'include_str!("../../../shared/text.txt").trim()',
    "watch": 'env!("FOUND")',
    "protos": "api::API",
    "plain": 'option_env!("OPT").unwrap_or("")',
}


class World:
    """The project in `root`, made from the seed; `user` is what the user's shell exports."""

    def __init__(self, root: Path, seed: int) -> None:
        shutil.rmtree(root, ignore_errors=True)
        shutil.rmtree(root.parent / ".cargo", ignore_errors=True)  # of a step in an earlier play
        root.mkdir(parents=True)
        rng = Random(seed)  # noqa: S311 - the same world every time is the point
        resolver = rng.choice("122")
        self.root = root
        self.user: dict[str, str] = {}
        self.settings: dict[str, str] = {}
        self.config_env: dict[str, str] = {}
        self.project = Project(root, {"Cargo.toml": ROOT.replace("RESOLVER", resolver)})
        self._outside()
        kinds = ["core", *rng.sample(["macros", "watch", "protos", "plain"], rng.choice([1, 1, 2]))]
        below: list[str] = []
        for kind in kinds:
            self.add_library(kind, [name for name in below if rng.random() < 0.5])
            below.append(kind)
        for i in range(rng.choice([2, 2, 3])):
            wanted = [name for name in below if rng.random() < 0.8]
            self.add_program(f"app{i}", wanted or below)
        self.configure()

    def _outside(self) -> None:
        write(self.root, {
            "shared/text.txt": "text version 1\n",
            "proto/api.proto": "api version 1\n",
            "assets/one": "one version 1\n",
            "said/word": "word 1\n",
        })  # fmt: skip
        (self.root / "linked").symlink_to("said")

    def add_library(self, kind: str, below: list[str]) -> None:
        """Write a library (or the macro crate) of that kind."""
        folder = f"crates/{kind}"
        if kind == "macros":
            self._write(folder, [], "[lib]\nproc-macro = true\n", {"src/lib.rs": MACRO})
            return
        files = {"src/lib.rs": _library(kind, below), "src/m0.rs": _module()}
        scripts = {"watch": WATCHING, "protos": GENERATING}
        if kind in scripts:
            files["build.rs"] = scripts[kind]
        self._write(folder, below, "[features]\nloud = []\n", files)

    def add_program(self, name: str, below: list[str]) -> None:
        """Write a crate with a program, and one more in src/bin."""
        files = {"src/main.rs": _main(name, below), "src/m0.rs": _module()}
        self._write(f"crates/{name}", below, "[features]\nloud = []\n", files)

    def _write(self, folder: str, below: list[str], more: str, files: dict[str, str]) -> None:
        needs = "".join(f'{name} = {{ path = "../{name}" }}\n' for name in below)
        name = Path(folder).name
        manifest = f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n\n{more}'
        write(self.root / folder, {"Cargo.toml": f"{manifest}\n[dependencies]\n{needs}", **files})

    def configure(self) -> None:
        """Write the pipeline's configuration from `settings` and `config_env`."""
        lines = [f"{key}: {value}\n" for key, value in sorted(self.settings.items())]
        pairs = ", ".join(f'{key}: "{value}"' for key, value in sorted(self.config_env.items()))
        env = f"env: {{{pairs}}}\n" if pairs else ""
        write(self.root, {"config/pipeline.yaml": CONFIG + "".join(lines) + env})

    def crates(self) -> list[str]:
        """The crates' names."""
        return sorted(path.parent.name for path in self.root.glob("crates/*/Cargo.toml"))

    def programs(self) -> list[str]:
        """The crates that have programs."""
        return [name for name in self.crates() if name.startswith("app")]

    def libraries(self) -> list[str]:
        """The crates that only others use, without the macro crate."""
        return [n for n in self.crates() if not n.startswith("app") and n != "macros"]

    def binaries(self) -> list[str]:
        """`crate/binary` of each program."""
        main = [f"{name}/{name}" for name in self.programs()]
        more = self.root.glob("crates/app*/src/bin/*.rs")
        return sorted([*main, *(f"{path.parts[-4]}/{path.stem}" for path in more)])

    def editable(self) -> list[Path]:
        """Every file with a version number in it: of the crates, and outside them."""
        files = [*self.root.glob("crates/*/src/**/*.rs"), *self.outside()]
        return sorted(path for path in files if VERSION.search(path.read_text()))

    def outside(self) -> list[Path]:
        """The files that belong to no crate."""
        return sorted(self.root.glob("[sap][hsr]*/*"))


def _library(kind: str, below: list[str]) -> str:
    head = "mod m0;\npub const V: u32 = 1;\n"
    if kind == "protos":
        head += 'mod api { include!(concat!(env!("OUT_DIR"), "/api.rs")); }\n'
    loud = 'if cfg!(feature = "loud") { "LOUD" } else { "" }'
    parts = [f'"{kind}"', "V", "m0::V", loud, SAYS[kind], *_calls(below)]
    return head + f"pub fn value() -> String {{\n    {_joined(parts)}\n}}\n"


def _main(name: str, below: list[str]) -> str:
    parts = [f'"{name}"', "V", "m0::V", 'option_env!("OPT").unwrap_or("")', *_calls(below)]
    return (
        f'mod m0;\nconst V: u32 = 1;\nfn main() {{\n    println!("{{}}", {_joined(parts)});\n}}\n'
    )


def _calls(below: list[str]) -> list[str]:
    return ["macros::word!()" if name == "macros" else f"::{name}::value()" for name in below]


def _joined(parts: list[str]) -> str:
    return f'format!("{" ".join(["{}"] * len(parts))}", {", ".join(parts)})'


def _module() -> str:
    return "pub const V: u32 = 1;\n"
