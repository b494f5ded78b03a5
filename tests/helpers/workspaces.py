"""Writes Cargo workspaces: small odd ones from literals, and large synthetic ones."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path


def write(root: Path, files: Mapping[str, str]) -> Path:
    """Write the files (path → text) below the root, which is returned."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def package(name: str, more: str = "", edition: str = "2021") -> str:
    """A Cargo.toml: the usual `[package]` table, and what follows it."""
    return f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "{edition}"\n{more}\n'


def virtual(members: str = '"*"', more: str = "") -> str:
    """The Cargo.toml of a workspace without a root package."""
    return f'[workspace]\nresolver = "2"\nmembers = [{members}]\n{more}\n'


def lib(folder: str, more: str = "", edition: str = "2021") -> dict[str, str]:
    """A library package, named as its folder."""
    name = Path(folder).name
    return {
        f"{folder}/Cargo.toml": package(name, more, edition),
        f"{folder}/src/lib.rs": "",
    }


def app(folder: str, more: str = "", edition: str = "2021") -> dict[str, str]:
    """A package with one binary, named as its folder."""
    name = Path(folder).name
    return {
        f"{folder}/Cargo.toml": package(name, more, edition),
        f"{folder}/src/main.rs": "fn main() {}\n",
    }


def generate(
    root: Path, *, crates: int, files: int, dependencies: int, binaries: int, seed: int,
    dense: bool = False,
) -> Path:  # fmt: skip
    """Write a workspace of that many crates, each with that many files besides its Cargo.toml.

    Crate i depends on `dependencies` earlier ones drawn at random, and `dense` on the one before
    it, so that the last one is built upon all; each of the last `binaries`
    crates has a `src/main.rs`. Everything compiles, and every crate has a library.
    """
    draw = random.Random(seed)  # noqa: S311 - the same workspace every time is the point
    write(root, {"Cargo.toml": virtual('"crates/*"')})
    for i in range(crates):
        below = sorted({*draw.sample(range(i), min(i, dependencies)), *[i - 1] * (dense and i > 0)})
        with_main = i >= crates - binaries
        write(root / "crates" / _name(i), _crate(i, below, files, with_main=with_main))
    return root


def _name(i: int) -> str:
    return f"crate_{i:04}"


def _crate(i: int, below: list[int], files: int, *, with_main: bool) -> dict[str, str]:
    paths = "".join(f'{_name(j)} = {{ path = "../{_name(j)}" }}\n' for j in below)
    modules = range(max(0, files - 1 - with_main))
    calls = "".join(f" + {_name(j)}::value()" for j in below)
    lib_rs = "".join(f"mod m{k};\n" for k in modules)
    lib_rs += "/// A value.\npub fn value() -> u64 {\n    1"
    lib_rs += "".join(f" + m{k}::VALUE" for k in modules) + calls + "\n}\n"
    text = {"Cargo.toml": package(_name(i), f"\n[dependencies]\n{paths}"), "src/lib.rs": lib_rs}
    text |= {f"src/m{k}.rs": f"pub const VALUE: u64 = {i + k};\n" for k in modules}
    if with_main:
        text["src/main.rs"] = f'fn main() {{\n    println!("{{}}", {_name(i)}::value());\n}}\n'
    return text
