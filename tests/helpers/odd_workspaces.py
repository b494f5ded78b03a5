"""Workspaces of odd shapes, and what the crate graph of each must be.

Each lies in `ws/`; other folders are outside the workspace. A line of `graph` is a crate, in the
graph's order: `name > dependencies: targets`, with `+` before a crate that is no member.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from helpers.workspaces import app, lib, package, virtual


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A workspace's files, the environment and the graph that they make."""

    files: dict[str, str]
    graph: str
    env: dict[str, str] = field(default_factory=dict)
    target: str = "ws/target"


ONE = {"ws/Cargo.toml": virtual('"a"'), **app("ws/a")}


def dependencies(*paths: str, table: str = "dependencies") -> str:
    """A table of path dependencies, each named as its folder."""
    lines = (f'{path.rpartition("/")[2]} = {{ path = "{path}" }}' for path in paths)
    return f"[{table}]\n" + "\n".join(lines) + "\n"


# `upper` 1 is built upon `real` 0.1 and, by way of `lower`, upon `deep`: both are patched.
LOCK = """\
version = 4
[[package]]
name = "a"
version = "0.1.0"
dependencies = ["upper 1.0.0"]
[[package]]
name = "b"
version = "0.1.0"
dependencies = ["upper 1.0.0"]
[[package]]
name = "c"
version = "0.1.0"
dependencies = ["other"]
[[package]]
name = "deep"
version = "0.1.0"
[[package]]
name = "lower"
version = "1.0.0"
source = "registry+https://example.com"
dependencies = ["deep", "lower 0.9.0 (registry+https://example.com)"]
[[package]]
name = "lower"
version = "0.9.0"
source = "registry+https://example.com"
[[package]]
name = "other"
version = "1.0.0"
source = "registry+https://example.com"
dependencies = ["upper 2.0.0"]
[[package]]
name = "real"
version = "0.1.0"
[[package]]
name = "upper"
version = "1.0.0"
source = "registry+https://example.com"
dependencies = ["lower 1.0.0", "real 0.1.0"]
[[package]]
name = "upper"
version = "2.0.0"
source = "registry+https://example.com"
dependencies = ["real 2.0.0"]
[[package]]
name = "real"
version = "2.0.0"
source = "registry+https://example.com"
"""


MEMBERS = {
    "a pattern, files next to the crates": Shape(
        files={
            "ws/Cargo.toml": virtual('"crates/*"'),
            "ws/crates/README.md": "",
            **lib("ws/crates/core"),
            **app("ws/crates/server", dependencies("../core")),
        },
        graph="core: lib\nserver > core: bin server",
    ),
    "a pattern that matches files alone": Shape(
        files={"ws/Cargo.toml": virtual('"a", "docs/*"'), **app("ws/a"), "ws/docs/x.md": ""},
        graph="a: bin a",
    ),
    "letters of every script": Shape(
        files={
            "ws/Cargo.toml": virtual('"größe/*"', "exclude = ['größe/Ausnahme']"),
            **app(
                "ws/größe/länge",
                "[dependencies]\n'宽度' = { path = '../宽度' }\n"
                "mehr_davon = { path = '../../mehr davon' }",
            ),
            **lib("ws/größe/宽度"),
            "ws/mehr davon/Cargo.toml": package("mehr_davon"),
            "ws/mehr davon/src/lib.rs": "",
            "ws/größe/Ausnahme/x": "",
        },
        graph="mehr_davon: lib\n宽度: lib\nlänge > mehr_davon 宽度: bin länge",
    ),
    "patterns of every kind, a hidden folder": Shape(
        files={
            "ws/Cargo.toml": virtual('"services/*/app?", "lib[ab]", "deep/**/it", "./plain/"'),
            **lib("ws/services/x/app1"),
            **lib("ws/liba"),
            **lib("ws/libc"),
            **lib("ws/deep/it"),
            "ws/deep/.hidden/it/Cargo.toml": package("hidden"),
            "ws/deep/.hidden/it/src/lib.rs": "",
            **app("ws/plain"),
        },
        graph="app1: lib\nhidden: lib\nit: lib\nliba: lib\nplain: bin plain",
    ),
    "a root package with members": Shape(
        files={
            "ws/Cargo.toml": package("root", "[workspace]\nmembers = ['a']\n" + dependencies("a")),
            "ws/src/main.rs": "",
            **lib("ws/a"),
        },
        graph="a: lib\nroot > a: bin root",
    ),
    "a single package: its path dependency is no member": Shape(
        files={
            "ws/Cargo.toml": package("single", dependencies("below")),
            "ws/src/main.rs": "",
            **lib("ws/below"),
        },
        graph="+below: lib\nsingle > below: bin single",
    ),
    "path dependencies below the root join, tests' too": Shape(
        files={
            "ws/Cargo.toml": virtual('"a"'),
            **app("ws/a", dependencies("../b") + dependencies("../t", table="dev-dependencies")),
            **lib("ws/b", dependencies("../c", table="build-dependencies")),
            **lib("ws/c"),
            **lib("ws/t", dependencies("../b")),
        },
        graph="c: lib\nb > c: lib\na > b: bin a\nt > b: lib",
    ),
    "path dependencies outside stay outside, with theirs": Shape(
        files={
            "ws/Cargo.toml": virtual('"a"'),
            **app("ws/a", dependencies("../../far")),
            **lib("far", dependencies("../base") + dependencies("../no", table="dev-dependencies")),
            **lib("base", "[dependencies]\nx = { path = 'gone', optional = true }"),
        },
        graph="+base: lib\n+far > base: lib\na > far: bin a",
    ),
    "a package outside says that it belongs": Shape(
        files={
            "ws/Cargo.toml": virtual('"a", "../listed"'),
            **app("ws/a", dependencies("../../far")),
            "far/Cargo.toml": package("far", 'workspace = "../ws"'),
            "far/src/lib.rs": "",
            "listed/Cargo.toml": package("listed", 'workspace = "../ws"'),
            "listed/src/lib.rs": "",
        },
        graph="far: lib\na > far: bin a\nlisted: lib",
    ),
    "exclude, against a pattern and a path dependency": Shape(
        files={
            "ws/Cargo.toml": virtual('"crates/*"', 'exclude = ["crates/old", "crates/used"]'),
            **app("ws/crates/a", dependencies("../used")),
            **lib("ws/crates/old"),
            **lib("ws/crates/used"),
        },
        graph="+used: lib\na > used: bin a",
    ),
    "exclude, with dots in its paths": Shape(
        files={
            "ws/Cargo.toml": virtual('"a"', 'exclude = ["./b", "../far"]'),
            **app("ws/a", dependencies("../b", "../../far")),
            **lib("ws/b"),
            "far/Cargo.toml": package("far", 'workspace = "../ws"'),
            "far/src/lib.rs": "",
        },
        graph="+b: lib\nfar: lib\na > b far: bin a",
    ),
    "a member named in full stays, excluded or not": Shape(
        files={
            "ws/Cargo.toml": virtual('"old/a"', 'exclude = ["old"]'),
            **app("ws/old/a", dependencies("../b")),
            **lib("ws/old/b"),
        },
        graph="+b: lib\na > b: bin a",
    ),
}

DEPENDENCIES = {
    "renamed": Shape(
        files={
            "ws/Cargo.toml": virtual(),
            **app("ws/a", '[dependencies]\nshort = { package = "long-name", path = "../b" }'),
            "ws/b/Cargo.toml": package("long-name"),
            "ws/b/src/lib.rs": "",
        },
        graph="long-name: lib\na > long-name: bin a",
    ),
    "inherited, as are version and edition": Shape(
        files={
            "ws/Cargo.toml": virtual(
                '"crates/*"',
                '[workspace.package]\nversion = "4.5.6"\nedition = "2021"\n'
                '[workspace.dependencies]\nb = { path = "crates/b" }\n'
                'alias = { package = "c", path = "crates/c" }\nserde = "1"',
            ),
            "ws/crates/a/Cargo.toml": '[package]\nname = "a"\nversion.workspace = true\n'
            "edition.workspace = true\n[[bin]]\nname = 'x'\npath = 'x.rs'\n"
            "[dependencies]\nb.workspace = true\nserde = { workspace = true, optional = true }\n"
            "[build-dependencies.alias]\nworkspace = true",
            "ws/crates/a/src/main.rs": "",
            "ws/crates/a/x.rs": "",
            **lib("ws/crates/b"),
            **lib("ws/crates/c"),
        },
        graph="b: lib\nc: lib\na > b c: bin a, bin x",
    ),
    "of one platform, optional, of the build, in old spelling": Shape(
        files={
            "ws/Cargo.toml": virtual(),
            **app(
                "ws/a",
                dependencies("../b", table="target.'cfg(windows)'.dependencies")
                + dependencies("../c", table="target.x86_64-unknown-linux-musl.build-dependencies")
                + dependencies("../d", table="build_dependencies")
                + "[dependencies]\ne = { path = '../e', optional = true }\nf = '1'",
            ),
            **lib("ws/b"),
            **lib("ws/c"),
            **lib("ws/d"),
            **lib("ws/e"),
        },
        graph="b: lib\nc: lib\nd: lib\ne: lib\na > b c d e: bin a",
    ),
    "in inline tables of several lines, with comments": Shape(
        files={
            "ws/Cargo.toml": virtual(),
            **app(
                "ws/a",
                'description = "{\\n,} # \\""\n[dependencies]\n'
                "b = { # {\n  path = '../b',\n  features = [\n 'x', # }\n ], # more\n}\n"
                "c = { path = '../c' }",
            ),
            **lib("ws/b", "[features]\nx = []"),
            **lib("ws/c"),
        },
        graph="b: lib\nc: lib\na > b c: bin a",
    ),
    "a cycle that only tests make": Shape(
        files={
            "ws/Cargo.toml": virtual(),
            **lib(
                "ws/a", dependencies("../b", ".", table="dev-dependencies").replace(". =", "a =")
            ),
            **lib("ws/b", dependencies("../a")),
        },
        graph="a: lib\nb > a: lib",
    ),
    "a cycle that no feature closes": Shape(
        files={
            "ws/Cargo.toml": virtual('"a", "b"'),
            **app("ws/a", dependencies("../b")),
            **lib("ws/b", dependencies("../../far")),
            **lib(
                "far",
                "[dependencies]\nb = { path = '../ws/b', optional = true }\n"
                "c = { path = '../c', optional = true }",
            ),
            **lib("c"),
        },
        graph="+c: lib\n+far > c: lib\nb > far: lib\na > b: bin a",
    ),
    "patched by a path": Shape(
        files={
            "ws/Cargo.toml": virtual(
                '"a"', "[patch.crates-io]\nx = { package = 'real', path = '../fork' }"
            ),
            **app("ws/a", "[dependencies]\nreal = '1'"),
            "fork/Cargo.toml": package("real"),
            "fork/src/lib.rs": "",
        },
        graph="+real: lib\na > real: bin a",
    ),
    "patched in cargo's configuration": Shape(
        files={
            **ONE,
            **app("ws/a", "[dependencies]\nreal = '1'"),
            "ws/.cargo/config.toml": "[patch.'https://git']\nreal = { path = 'vendor/real' }",
            **lib("ws/vendor/real"),
        },
        graph="+real: lib\na > real: bin a",
    ),
    "patched behind a third-party package, as the lock file tells": Shape(
        files={
            "ws/Cargo.toml": virtual(
                '"*"',
                "[patch.crates-io]\nreal = { path = '../fork' }\ndeep = { path = '../deep' }",
            ),
            **app("ws/a", "[dependencies]\nupper = '1'"),
            **lib("ws/b", "[dev-dependencies]\nupper = '1'"),
            **lib("ws/c", "[dependencies]\nother = '1'"),
            **lib("deep"),
            "fork/Cargo.toml": package("real"),
            "fork/src/lib.rs": "",
            "ws/Cargo.lock": LOCK,
        },
        graph="b: lib\nc: lib\n+deep: lib\n+real: lib\na > deep real: bin a",
    ),
    "a package outside inherits from its own workspace": Shape(
        files={
            "ws/Cargo.toml": virtual('"a"', "[workspace.dependencies]\nb = '1'"),
            **app("ws/a", dependencies("../../other/x")),
            "other/Cargo.toml": virtual('"*"', "[workspace.dependencies]\nb = { path = 'y' }"),
            **lib("other/x", "[dependencies]\nb.workspace = true"),
            "other/y/Cargo.toml": package("b"),
            "other/y/src/lib.rs": "",
        },
        graph="+b: lib\n+x > b: lib\na > x: bin a",
    ),
    "a package outside names its own workspace, elsewhere": Shape(
        files={
            "ws/Cargo.toml": virtual('"a"'),
            **app("ws/a", dependencies("../../far")),
            **lib("far", "workspace = '../other//root/.'\n[dependencies]\nb.workspace = true"),
            "other/root/Cargo.toml": virtual(
                '"../../far"', "[workspace.dependencies]\nb = { path = '../b' }"
            ),
            **lib("other/b"),
        },
        graph="+b: lib\n+far > b: lib\na > far: bin a",
    ),
    "a package outside, in one that belongs": Shape(
        files={
            "ws/Cargo.toml": virtual('"a"', "[workspace.dependencies]\nb = { path = '../b' }"),
            **app("ws/a", dependencies("../../far/in/x")),
            "far/Cargo.toml": package("far", 'workspace = "../ws"'),
            "far/src/lib.rs": "",
            **lib("far/in/x", "[dependencies]\nb.workspace = true"),
            **lib("b"),
        },
        graph="+b: lib\nx > b: lib\na > x: bin a",
    ),
    "a package outside, in one of another workspace": Shape(
        files={
            "ws/Cargo.toml": virtual('"a"'),
            **app("ws/a", dependencies("../../far/in/x")),
            "far/Cargo.toml": package("far", 'workspace = "../other"'),
            "far/src/lib.rs": "",
            **lib("far/in/x", "[dependencies]\nb.workspace = true"),
            "other/Cargo.toml": virtual(
                '"../far"', "[workspace.dependencies]\nb = { path = '../b' }"
            ),
            **lib("b"),
        },
        graph="+b: lib\n+x > b: lib\na > x: bin a",
    ),
}

TARGETS = {
    "binaries, listed and found": Shape(
        files={
            "ws/Cargo.toml": virtual(),
            **app("ws/a", "[[bin]]\nname = 'tool'\npath = 'tools/tool.rs'"),
            "ws/a/tools/tool.rs": "",
            "ws/a/src/bin/one.rs": "",
            "ws/a/src/bin/two/main.rs": "",
            "ws/a/src/bin/none/other.rs": "",
            "ws/a/src/bin/.hidden.rs": "",
            "ws/a/src/bin/notes.txt": "",
        },
        graph="a: bin a, bin one, bin tool, bin two",
    ),
    "binaries of any name, outside the crate": Shape(
        files={
            "ws/Cargo.toml": virtual(),
            **app("ws/a", "[[bin]]\nname = '../x y'\npath = '../../x.rs'"),
            "ws/a/src/bin/größe.rs": "",
            "x.rs": "",
        },
        graph="a: bin ../x y, bin a, bin größe",
    ),
    "a listed binary takes the file of a found one": Shape(
        files={
            "ws/Cargo.toml": virtual(),
            **app(
                "ws/a",
                "[[bin]]\nname = 'server'\npath = 'src/main.rs'\n"
                "[[bin]]\nname = 'one'\nrequired-features = ['x']\n[features]\nx = []",
            ),
            "ws/a/src/bin/one.rs": "",
        },
        graph="a: bin one, bin server",
    ),
    "a listed binary's path with dots takes no other's": Shape(
        files={
            "ws/Cargo.toml": virtual(),
            **app(
                "ws/a",
                "[[bin]]\nname = 'server'\npath = 'src/../src/main.rs'\n"
                "[[bin]]\nname = 'two'\npath = './src//bin/./one.rs'\n"
                "[[bin]]\nname = 'far'\npath = '../../far/x.rs'",
            ),
            "ws/a/src/bin/one.rs": "",
            "far/x.rs": "",
        },
        graph="a: bin a, bin far, bin server, bin two",
    ),
    "autobins = false": Shape(
        files={
            "ws/Cargo.toml": virtual(),
            **app("ws/a", "autobins = false\n[[bin]]\nname = 'one'"),
            "ws/a/src/bin/one.rs": "",
            **app("ws/b", "autobins = false"),
            "ws/b/src/lib.rs": "",
        },
        graph="a: bin one\nb: lib",
    ),
    "edition 2015: a listed binary ends the search": Shape(
        files={
            "ws/Cargo.toml": virtual(),
            **app("ws/a", "[[bin]]\nname = 'one'", edition="2015"),
            "ws/a/src/bin/one.rs": "",
            **app("ws/b", edition="2015"),
            "ws/c/Cargo.toml": "[package]\nname = 'c'\n[[bin]]\nname = 'c'",
            "ws/c/src/main.rs": "",
            "ws/c/src/bin/more.rs": "",
            **app("ws/d", "autobins = true\n[[bin]]\nname = 'one'", edition="2015"),
            "ws/d/src/bin/one.rs": "",
        },
        graph="a: bin one\nb: bin b\nc: bin c\nd: bin d, bin one",
    ),
    "libraries of every kind": Shape(
        files={
            "ws/Cargo.toml": virtual(),
            **app("ws/a", "[lib]\npath = 'code/a.rs'"),
            "ws/a/code/a.rs": "",
            **lib("ws/b", "[lib]\nproc-macro = true"),
            **lib("ws/c", "[lib]\nname = 'other'\ncrate-type = ['cdylib', 'rlib']"),
            **app("ws/d", "autolib = false"),
            "ws/d/src/lib.rs": "",
        },
        graph="a: lib, bin a\nb: lib\nc: lib\nd: bin d",
    ),
    "build scripts": Shape(
        files={
            "ws/Cargo.toml": virtual(),
            **lib("ws/a"),
            "ws/a/build.rs": "",
            **lib("ws/b", "build = 'make/it.rs'"),
            "ws/b/make/it.rs": "",
            **lib("ws/c", "build = false"),
            "ws/c/build.rs": "",
        },
        graph="a: lib, build a/build.rs\nb: lib, build b/make/it.rs\nc: lib",
    ),
    "a byte order mark, Windows line ends, multi-line strings": Shape(
        files={
            "ws/Cargo.toml": virtual(),
            **app("ws/a", 'description = """\r\n[dependencies]\r\n# {\r\n"""\r\n'),
            "ws/b/Cargo.toml": "\ufeff" + package("b").replace("\n", "\r\n"),
            "ws/b/src/lib.rs": "",
        },
        graph="a: bin a\nb: lib",
    ),
}

DIRECTORIES = {
    "in the workspace's configuration": Shape(
        files={**ONE, "ws/.cargo/config.toml": "[build]\ntarget-dir = 'target/main'"},
        graph="a: bin a",
        target="ws/target/main",
    ),
    "in the nearest of several": Shape(
        files={
            **ONE,
            "ws/.cargo/config.toml": "[build]\njobs = 2",
            ".cargo/config.toml": "[build]\ntarget-dir = 'up'",
            "home/config.toml": "[build]\ntarget-dir = 'home'",
        },
        graph="a: bin a",
        target="up",
    ),
    "in cargo's home, relative to the folder above": Shape(
        files={**ONE, "home/config.toml": "[build]\ntarget-dir = 'out'"},
        graph="a: bin a",
        target="out",
    ),
    "a configuration without a suffix goes first": Shape(
        files={
            **ONE,
            "ws/.cargo/config": "[build]\ntarget-dir = 'old'",
            "ws/.cargo/config.toml": "[build]\ntarget-dir = 'new'",
        },
        graph="a: bin a",
        target="ws/old",
    ),
    "in the environment, over the configuration": Shape(
        files={**ONE, "ws/.cargo/config.toml": "[build]\ntarget-dir = 'q'"},
        graph="a: bin a",
        env={"CARGO_BUILD_TARGET_DIR": "../build"},
        target="build",
    ),
    "CARGO_TARGET_DIR, over all": Shape(
        files={**ONE, "ws/.cargo/config.toml": "[build]\ntarget-dir = 'q'"},
        graph="a: bin a",
        env={"CARGO_BUILD_TARGET_DIR": "no", "CARGO_TARGET_DIR": "yes"},
        target="ws/yes",
    ),
}

SHAPES = MEMBERS | DEPENDENCIES | TARGETS | DIRECTORIES
