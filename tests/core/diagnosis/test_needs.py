"""What crates will need, foretold from what cargo says is compiled."""

from __future__ import annotations

from pathlib import Path

import pytest

from doit_cargo.core.diagnosis import needs
from doit_cargo.core.diagnosis.needs import Packages
from doit_cargo.core.diagnosis.sections import sections
from helpers.machines import program

TABLE = needs.load()
TRIPLE = "x86_64-unknown-linux-musl"
TREE = """\
0|web v0.1.0 (/ws/web)|
1|libz-ng-sys v1.1.32|
2|cmake v0.1.58|
3|cc v1.2.0|parallel
1|serde v1.0.0|default,derive,std
2|serde_derive v1.0.0 (proc-macro)|default (*)

0|tool v0.1.0 (/ws/tool)|
1|openssl-sys v0.9.110|openssl-src,vendored
2|openssl-src v300.6.1+3.6.3|
1|serde v1.0.0|default,derive,std (*)
"""


def test_what_a_shipped_crate_is_made_of() -> None:
    """A subtree is printed once; a crate that is not shipped counts for nothing."""
    web, both = needs.parse(TREE, ["web"]), needs.parse(TREE, ["web", "tool"])

    assert web.features == {
        "web": frozenset(),
        "libz-ng-sys": frozenset(),
        "cmake": frozenset(),
        "cc": {"parallel"},
        "serde": {"default", "derive", "std"},
        "serde_derive": {"default"},
    }
    assert web.users["cmake"] == {"libz-ng-sys"}
    assert both.features["openssl-sys"] == {"openssl-src", "vendored"}
    assert both.users["serde"] == {"web", "tool"}


def said(path: Path, *crates: str, triple: str = TRIPLE, **env: str) -> list[str]:
    """What is said of `name` or `name+feature+feature`, each used by a crate `web`."""
    features = {name: frozenset(on) for name, *on in (crate.split("+") for crate in crates)}
    users = dict.fromkeys(features, frozenset({"web"}))
    return [*needs.unmet(Packages(features, users), triple, {"PATH": str(path), **env}, TABLE)]


def test_a_program_is_told_once_with_all_who_need_it(tmp_path: Path) -> None:
    see = "(see doit-cargo help openssl)"
    both = "openssl-src, tikv-jemalloc-sys need make"
    assert said(tmp_path, "tikv-jemalloc-sys", "openssl-src", "serde") == [
        f"openssl-src needs perl, which is not installed: apt-get install perl {see}",
        f"{both}, which is not installed: apt-get install make {see}",
    ]


def test_what_is_installed_is_not_told(tmp_path: Path) -> None:
    for name in ("perl", "make", "cmake", "nasm"):
        program(tmp_path / name)
    every = [need.crate for need in TABLE if need.programs and need.crate != "aws-lc-fips-sys"]

    assert said(tmp_path, *every) == []


@pytest.mark.parametrize(
    ("crates", "triple", "env", "names"),
    [
        (["cmake"], TRIPLE, {}, ["web needs cmake"]),
        (["aws-lc-sys"], TRIPLE, {}, []),
        (["aws-lc-sys"], "riscv64gc-unknown-linux-musl", {}, ["aws-lc-sys needs cmake"]),
        (["nasm-rs"], TRIPLE, {}, ["web needs nasm"]),
        (["nasm-rs"], "aarch64-unknown-linux-musl", {}, []),
        (["openssl-sys"], TRIPLE, {}, [f"openssl-sys needs an OpenSSL made for {TRIPLE}"]),
        (["openssl-sys"], TRIPLE, {"OPENSSL_DIR": "/x"}, []),
        (["openssl-sys"], TRIPLE, {"X86_64_UNKNOWN_LINUX_MUSL_OPENSSL_LIB_DIR": "/x"}, []),
        (["openssl-sys+vendored", "openssl-src"], TRIPLE, {},
         ["openssl-src needs perl", "openssl-src needs make"]),
        (["libsqlite3-sys+bundled"], TRIPLE, {}, []),
        (["libsqlite3-sys"], TRIPLE, {}, ["libsqlite3-sys needs an SQLite"]),
        (["clang-sys"], TRIPLE, {}, []),
        (["clang-sys+runtime"], TRIPLE, {"LIBCLANG_PATH": "/nowhere"},
         ["web needs libclang"]),
        (["utoipa-swagger-ui"], TRIPLE, {"SWAGGER_UI_DOWNLOAD_URL": "file:///x"}, []),
        (["utoipa-swagger-ui"], TRIPLE, {}, ["utoipa-swagger-ui needs a download"]),
    ],
)  # fmt: skip
def test_conditions(
    tmp_path: Path, crates: list[str], triple: str, env: dict[str, str], names: list[str]
) -> None:
    found = said(tmp_path, *crates, triple=triple, **env)

    assert [line[: len(name)] for line, name in zip(found, names, strict=True)] == names


def test_libclang_is_found_where_a_variable_says(tmp_path: Path) -> None:
    (tmp_path / "libclang-14.so.1").touch()

    assert said(tmp_path, "clang-sys+runtime", LIBCLANG_PATH=str(tmp_path)) == []


@pytest.mark.parametrize("need", TABLE, ids=lambda need: need.crate)
def test_the_section_is_there(need: needs.Need) -> None:
    assert need.see in sections()
    assert need.programs or need.libclang or need.lacks
