"""Decoding config/pipeline.yaml: what two lines give, every fault's exact text, hostile files."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from doit_cargo.core.architectures import ARCHITECTURES
from doit_cargo.core.errors import ConfigError
from doit_cargo.core.model import Binary, Config, Crate, CrateGraph, Features, Outputs, Target
from doit_cargo.core.settings.config import check_ship, load, load_config

GRAMMAR = "letters, digits, '_' and '-', at most 64"
TITLE = "one line of at most 100 characters"
KEYS = (
    "title, root, workspace, output, targets, ship, profile, split_debug, features, env, inputs, "
    "cargo, rerun, images"
)
UNSUPPORTED = "is not supported, only triples *-linux-musl* are"
BUNDLED = Path(__file__).parents[3]
TWO_LINES = "workspace: .\ntargets: {x86_64: x86_64-unknown-linux-musl}\n"
FULL = """\
title: My Shop
workspace: rust
output: {state: build/state, binaries: build/packages, context: build/context, images: build/images,
  debug: build/debug}
targets:
  x86_64: x86_64-unknown-linux-musl
  arm:
    triple: armv7-unknown-linux-musleabihf
    platform: linux/arm/v7
    default: false
ship:
  shop: [shop, shop-admin]
  3proxy: [proxy]
profile: dist
features: {names: [tls, shop/fast-json], all: false, default: false}
env: {SQLX_OFFLINE: "true", GREETING: "two\\nlines", EMPTY: ""}
cargo: {locked: true, offline: true, trust_wrapper: true}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a project `shop` with a workspace in `rust`, and the folder of its configuration."""
    folder = tmp_path / "shop"
    (folder / "config").mkdir(parents=True)
    (folder / "rust" / "src").mkdir(parents=True)
    return folder


def decode(root: Path, content: str | bytes) -> Config:
    path = root / "config" / "pipeline.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_config(path, root)


def faults(root: Path, content: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        decode(root, content)
    return [fault.removeprefix("config/pipeline.yaml:") for fault in caught.value.faults]


def test_two_lines_suffice(root: Path) -> None:
    """Everything but the workspace and a target has a default."""
    config = decode(root, TWO_LINES)

    expected = Config(
        path=root / "config" / "pipeline.yaml",
        root=root,
        title="Shop",
        workspace=root,
        outputs=Outputs(
            state=root / ".doit-cargo",
            binaries=root / "docker" / "binaries",
            context=root / "docker" / "context",
            images=root / "docker" / "images",
            debug=root / "docker" / "debug",
        ),
        targets=(
            Target(arch="x86_64", triple="x86_64-unknown-linux-musl", platform="linux/amd64"),
        ),
        ship=None,
    )
    assert config == expected


def test_every_key_is_decoded(root: Path) -> None:
    config = decode(root, FULL)

    expected = Config(
        path=root / "config" / "pipeline.yaml",
        root=root,
        title="My Shop",
        workspace=root / "rust",
        outputs=Outputs(
            state=root / "build" / "state",
            binaries=root / "build" / "packages",
            context=root / "build" / "context",
            images=root / "build" / "images",
            debug=root / "build" / "debug",
        ),
        targets=(
            Target(arch="x86_64", triple="x86_64-unknown-linux-musl", platform="linux/amd64"),
            Target(
                arch="arm",
                triple="armv7-unknown-linux-musleabihf",
                platform="linux/arm/v7",
                default=False,
            ),
        ),
        ship=(
            Binary(crate="shop", name="shop"),
            Binary(crate="shop", name="shop-admin"),
            Binary(crate="3proxy", name="proxy"),
        ),
        profile="dist",
        features=Features(names=("tls", "shop/fast-json"), all=False, default=False),
        env={"SQLX_OFFLINE": "true", "GREETING": "two\nlines", "EMPTY": ""},
        locked=True,
        offline=True,
        trust_wrapper=True,
    )
    assert config == expected


def test_the_bundled_configuration_ships_what_the_guide_lists() -> None:
    path = BUNDLED / "config" / "pipeline.yaml"
    config, policies = load(path, path.with_name("policy.yaml"), BUNDLED)

    assert [(target.arch, target.default) for target in config.targets] == [
        ("x86_64", True),
        ("aarch64", False),
    ]
    assert [f"{binary.crate}/{binary.name}" for binary in config.ship or ()] == [
        "fechatter_server/fechatter_server",
        "analytics_server/analytics_server",
        "notify_server/notify_server",
        "fechatter_gateway/fechatter_gateway",
        "bot_server/bot",
        "bot_server/indexer",
    ]
    assert (config.title, config.profile) == ("Fechatter", "release")
    assert set(policies) == {"x86_64", "aarch64"}
    assert {policies[arch].levels["stripped"] for arch in policies} == {"deny"}


@pytest.mark.parametrize(
    ("triple", "expected"),
    [
        ("x86_64-unknown-linux-musl", "linux/amd64"),
        ("aarch64-unknown-linux-musl", "linux/arm64"),
        ("i686-unknown-linux-musl", "linux/386"),
        ("armv7-unknown-linux-musleabihf", "linux/arm/v7"),
        ("arm-unknown-linux-musleabi", "linux/arm/v6"),
        ("riscv64gc-unknown-linux-musl", "linux/riscv64"),
        ("powerpc64le-unknown-linux-musl", "linux/ppc64le"),
        ("s390x-unknown-linux-musl", "linux/s390x"),
    ],
)
def test_the_triple_tells_the_docker_platform(root: Path, triple: str, expected: str) -> None:
    config = decode(root, f"workspace: .\ntargets: {{it: {triple}}}\n")

    assert [target.platform for target in config.targets] == [expected]


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_every_architecture_can_be_a_target(root: Path, arch: str) -> None:
    config = decode(root, f"workspace: .\ntargets: {{it: {arch}-unknown-linux-musl}}\n")

    assert config.targets[0].platform.startswith("linux/")


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("fechatter", "Fechatter"),
        ("my-shop_2", "My Shop 2"),
        ("myShop", "MyShop"),
        ("...", "Workspace"),
        ("caf\u00e9\tbar", "Caf\u00e9 Bar"),
    ],
)
def test_the_title_comes_from_the_workspace_folder(root: Path, folder: str, expected: str) -> None:
    moved = root.rename(root.with_name(folder))

    assert decode(moved, TWO_LINES).title == expected


def test_root_is_relative_to_the_file_and_moves_every_path(root: Path) -> None:
    (root / "config" / "deep").mkdir()
    path = root / "config" / "deep" / "pipeline.yaml"
    path.write_text("root: ../..\n" + TWO_LINES)

    config = load_config(path, root / "elsewhere")

    assert (config.root, config.workspace) == (root, root)
    assert config.outputs.binaries == root / "docker" / "binaries"


def test_links_inside_the_root_are_resolved(root: Path) -> None:
    (root / "real").mkdir()
    (root / "docker").symlink_to("real")

    assert decode(root, TWO_LINES).outputs.binaries == root / "real" / "binaries"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", ["1: workspace: the key is missing", "1: targets: the key is missing"]),
        ("# nothing\n", ["1: workspace: the key is missing", "1: targets: the key is missing"]),
        ("- a\n", ["1: expected a mapping, found a list"]),
        ("text\n", ["1: expected a mapping, found 'text'"]),
        ("workspace: .\ntargets:\n", ["2: targets: expected a mapping, found nothing"]),
        ("workspace: .\ntargets: {}\n", ["2: targets: the mapping is empty"]),
        ("workspace:\n" + TWO_LINES[13:], ["1: workspace: the value is missing"]),
        (TWO_LINES[13:], ["1: workspace: the key is missing"]),
    ],
)  # fmt: skip
def test_the_whole_file_is_wrong(root: Path, content: str, expected: list[str]) -> None:
    assert faults(root, content) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("titel: x", "titel: unknown key, did you mean 'title'?"),
        ("zzz: x", f"zzz: unknown key, known: {KEYS}"),
        ("title: NO", "title: NO is read as true or false, write it in quotes"),
        ("title: 2025-06-11", "title: 2025-06-11 is read as a date, write it in quotes"),
        ("title: ' '", f"title: ' ' is not a title: {TITLE}"),
        ("title: |\n    a\n    b", f"title: 'a\\nb\\n' is not a title: {TITLE}"),
        ("title: [a]", "title: expected a title, found a list"),
        ("profile: ../x", f"profile: '../x' is not a profile name: {GRAMMAR}"),
        ("profile: -x", f"profile: '-x' is not a profile name: {GRAMMAR}"),
        ("output: x", "output: expected a mapping, found 'x'"),
        ("output: {binary: x}", "output.binary: unknown key, did you mean 'binaries'?"),
        ("features: {names: [+]}",
         "features.names[0]: '+' is not a feature: 'name' or 'crate/name'"),
        ("features: {names: [[]]}", "features.names[0]: expected a feature, found a list"),
        ("features: {all: yes}", "features.all: expected true or false, found 'yes'"),
        ("features: {all: 'true'}", "features.all: expected true or false, found 'true'"),
        ("features: {all: }", "features.all: expected true or false, found nothing"),
        ("env: {A: 4}", "env.A: 4 is read as a number, write it in quotes"),
        ("env: {A: off}", "env.A: off is read as true or false, write it in quotes"),
        ("env: {A: 0x1F}", "env.A: 0x1F is read as a number, write it in quotes"),
        ("env: {A: null}", "env.A: null is read as nothing, write it in quotes"),
        ("env: {A: }", "env.A: the value is missing"),
        ("env: {A: {default: x}}", "env.A.from: the key is missing"),
        ("env: {A: {from: X, defalt: x}}", "env.A.defalt: unknown key, did you mean 'default'?"),
        ("env: {A: {from: a-b}}", "env.A.from: 'a-b' is not a variable name: letters, digits, '_'"),
        ("inputs: {a: templates}", "inputs.a: expected a list, found 'templates'"),
        ("inputs: {a: []}", "inputs.a: the list is empty"),
        ('env: {A: "x\\0y"}', "env.A: a control character in 'x\\x00y'"),
        ("env: {A-B: x}", "env.A-B: 'A-B' is not a variable name: letters, digits, '_'"),
        ("env: {'A=B': x}", "env.'A=B': 'A=B' is not a variable name: letters, digits, '_'"),
        ("cargo: {lock: true}", "cargo.lock: unknown key, did you mean 'locked'?"),
        ("ship: {}", "ship: the mapping is empty"),
        ("ship: {a: []}", "ship.a: the list is empty"),
        ("ship: {a: b}", "ship.a: expected a list, found 'b'"),
        ("ship: {a b: [c]}", f"ship.'a b': 'a b' is not a crate name: {GRAMMAR}"),
        ("ship: {a: [b/c]}", f"ship.a[0]: 'b/c' is not a binary name: {GRAMMAR}"),
        ("ship: {a: [NO]}", "ship.a[0]: NO is read as true or false, write it in quotes"),
        ("ship: {a: [x, x]}", "ship.a: the binary 'x' is shipped from 'a' already"),
        ("ship: {a: [x], b: [y, x]}", "ship.b: the binary 'x' is shipped from 'a' already"),
        ("root: nowhere", "root: there is no folder '{root}/config/nowhere'"),
    ],
)  # fmt: skip
def test_a_fault_names_line_key_and_remedy(root: Path, line: str, expected: str) -> None:
    found = faults(root, TWO_LINES + line + "\n")

    assert found == [f"3: {expected.replace('{root}', str(root))}"]


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ("{tripel: x86_64-unknown-linux-musl}", [
            "2: targets.a.tripel: unknown key, did you mean 'triple'?",
            "2: targets.a.triple: the key is missing",
        ]),
        ("x86_64-unknown-linux-gnu", [
            (f"2: targets.a: 'x86_64-unknown-linux-gnu' {UNSUPPORTED}, "
            "did you mean 'x86_64-unknown-linux-musl'?"),
        ]),
        ("armv7-unknown-linux-gnueabihf", [
            (f"2: targets.a: 'armv7-unknown-linux-gnueabihf' {UNSUPPORTED}, "
            "did you mean 'armv7-unknown-linux-musleabihf'?"),
        ]),
        ("{triple: aarch64-apple-darwin}", [
            f"2: targets.a.triple: 'aarch64-apple-darwin' {UNSUPPORTED}",
        ]),
        ("mips-unknown-linux-musl", [
            ("2: targets.a: 'mips-unknown-linux-musl' is not supported, only x86_64, aarch64, "
             "i586, i686, armv7, arm, riscv64gc, powerpc64le, s390x are"),
        ]),
        ("{triple: x86_64-unknown-linux-musl, platform: windows/amd64}", [
            ("2: targets.a.platform: 'windows/amd64' is not a Docker platform: "
            "linux/ and a processor, such as linux/arm64"),
        ]),
        ("{triple: x86_64-unknown-linux-musl, default: false}", [
            "2: targets: none has 'default: true': nothing would be built",
        ]),
        ("x86_64-unknown-linux-musl, b: x86_64-unknown-linux-musl", [
            "2: targets.b: 'a' has the same triple",
        ]),
        ("x86_64-unknown-linux-musl, binaries: aarch64-unknown-linux-musl", [
            "2: targets.binaries: 'binaries' is the name of a folder in the Docker context",
        ]),
        ("[x]", ["2: targets.a: expected a target triple, found a list"]),
    ],
)  # fmt: skip
def test_a_faulty_target_is_refused(root: Path, targets: str, expected: list[str]) -> None:
    assert faults(root, f"workspace: .\ntargets: {{a: {targets}}}\n") == expected


@pytest.mark.parametrize(
    ("key", "path", "expected"),
    [
        ("workspace", "../x", "'../x' is outside the root folder {root}"),
        ("workspace", "/etc", "'/etc' is outside the root folder {root}"),
        ("workspace", "rust/../../x", "'rust/../../x' is outside the root folder {root}"),
        ("workspace", "away", "'away' leads out of the root folder, to {root}.away"),
        ("workspace", "away/deep", "'away/deep' leads out of the root folder, to {root}.away/deep"),
        ("workspace", "missing", "there is no folder 'missing' in '{root}'"),
        ("workspace", "file", "'file' is not a folder"),
        ("workspace", "loop", "'loop' cannot be used: Too many levels of symbolic links"),
        ("workspace", "x" * 300, "'" + "x" * 60 + "…' cannot be used: File name too long"),
        ("binaries", ".", "'.' is or contains the root folder"),
        ("binaries", "rust/..", "'rust/..' is or contains the root folder"),
        ("binaries", "rust", "'rust' is or contains the workspace"),
        ("binaries", "to-rust", "'to-rust' is or contains the workspace"),
        ("binaries", "config", "'config' is or contains the configuration"),
        ("binaries", "rust/src", "'rust/src' lies in a folder named 'src'"),
        ("binaries", ".git/x", "'.git/x' lies in a folder named '.git'"),
        ("binaries", "../out", "'../out' is outside the root folder {root}"),
        ("binaries", "away/out", "'away/out' leads out of the root folder, to {root}.away/out"),
        ("binaries", "file/out", "'file/out' cannot be used: Not a directory"),
        ("binaries", ".doit-cargo/x", "'.doit-cargo/x' and the folder of 'state' overlap"),
        ("context", "docker", "'docker' and the folder of 'binaries' overlap"),
        ("context", "docker/binaries", "'docker/binaries' and the folder of 'binaries' overlap"),
    ],
)
def test_a_path_lies_where_it_does_no_harm(root: Path, key: str, path: str, expected: str) -> None:
    away = root.with_name(root.name + ".away")
    away.mkdir()
    (root / "away").symlink_to(away)
    (root / "to-rust").symlink_to("rust")
    (root / "loop").symlink_to("loop")
    (root / "file").touch()
    workspace = path if key == "workspace" else "rust"
    output = "" if key == "workspace" else f"output: {{{key}: {path}}}\n"
    found = faults(root, f"workspace: {workspace}\n{output}{TWO_LINES.splitlines()[1]}\n")

    place = "1: workspace" if key == "workspace" else f"2: output.{key}"
    assert found == [f"{place}: {expected.replace('{root}', str(root))}"]


def test_an_overlap_with_a_default_is_told_at_the_mapping(root: Path) -> None:
    expected = ["3: output.context: 'docker/context' and the folder of 'binaries' overlap"]

    assert faults(root, TWO_LINES + "output: {binaries: docker}\n") == expected


def test_the_folder_of_what_was_stripped_counts_when_it_is_used(root: Path) -> None:
    text = TWO_LINES + "output: {debug: docker/context}\n"
    expected = ["3: output.debug: 'docker/context' and the folder of 'context' overlap"]
    (root / "pipeline.yaml").write_text(text)

    assert not load_config(root / "pipeline.yaml", root).split_debug
    assert faults(root, text + "split_debug: true\n") == expected


def test_every_fault_is_told_in_the_order_of_the_file(root: Path) -> None:
    content = """\
workspce: .
output: {state: ../x}
targets:
  x86_64: {tripel: x86_64-unknown-linux-musl}
ship:
  bot: [bot, bot]
env: {SHOW: on}
profile: release
profile: debug
"""
    assert faults(root, content) == [
        "1: workspce: unknown key, did you mean 'workspace'?",
        "1: workspace: the key is missing",
        f"2: output.state: '../x' is outside the root folder {root}",
        "4: targets.x86_64.tripel: unknown key, did you mean 'triple'?",
        "4: targets.x86_64.triple: the key is missing",
        "6: ship.bot: the binary 'bot' is shipped from 'bot' already",
        "7: env.SHOW: on is read as true or false, write it in quotes",
        "9: profile: duplicate key, first on line 8",
    ]


def test_the_path_is_told_from_the_root_or_in_full(root: Path) -> None:
    """Below the root a path is relative; elsewhere it is told in full."""
    path = root / "config" / "pipeline.yaml"
    path.write_text("a: b\n")
    found = []
    for folder in (root, root / "rust"):
        with pytest.raises(ConfigError) as caught:
            load_config(path, folder)
        found.append(caught.value.faults[0])

    text = f"1: a: unknown key, known: {KEYS}"
    assert found == [f"config/pipeline.yaml:{text}", f"{path}:{text}"]


def test_a_missing_file_says_so(root: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(root / "config" / "pipeline.yaml", root)

    assert str(caught.value) == "config/pipeline.yaml: cannot be read: No such file or directory"


def test_the_faults_of_both_files_are_told_together(root: Path) -> None:
    path = root / "config" / "pipeline.yaml"
    policy = path.with_name("policy.yaml")
    path.write_text(TWO_LINES + "titel: x\n")
    policy.write_text("rules: {pie: of}\n")

    with pytest.raises(ConfigError) as caught:
        load(path, policy, root)

    assert caught.value.faults == (
        "config/pipeline.yaml:3: titel: unknown key, did you mean 'title'?",
        "config/policy.yaml:1: rules.pie: 'of' is not one of deny, warn, off",
    )


def crate(folder: Path, name: str, *bins: str, member: bool = True) -> Crate:
    return Crate(
        name=name,
        version="1.0.0",
        manifest=folder / "Cargo.toml",
        dependencies=(),
        bins=bins,
        has_lib=False,
        build_script=None,
        member=member,
    )


def graph(root: Path, *crates: Crate) -> CrateGraph:
    return CrateGraph(
        root=root, target_directory=root / "target", crates={one.name: one for one in crates}
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("ship: {bot_server: [bot, indexer], shop: [shop]}", []),
        ("ship:\n  bot_srver: [bot, indexer]", [
            ("4: ship.bot_srver: the workspace has no crate 'bot_srver', "
            "did you mean 'bot_server'?"),
        ]),
        ("ship:\n  lib: [lib]", [
            "4: ship.lib: the workspace has no crate 'lib', known: bot_server, shop",
        ]),
        ("ship:\n  bot_server:\n  - bot\n  - indexr", [
            "6: ship.bot_server[1]: no binary of this crate is 'indexr', did you mean 'indexer'?",
        ]),
        ("ship:\n  core: [x]", [
            "4: ship.core[0]: no binary of this crate is 'x', it has none",
        ]),
        ("output: {binaries: target/x}", ["3: output.binaries: overlaps cargo's target directory"]),
        ("output:\n  context: shop/out", ["4: output.context: overlaps the crate 'shop'"]),
        ("output: {state: crates}", ["3: output.state: overlaps the crate 'core'"]),
    ],
)  # fmt: skip
def test_the_configuration_is_checked_against_the_workspace(
    root: Path, lines: str, expected: list[str]
) -> None:
    config = decode(root, TWO_LINES + lines + "\n")
    known = graph(
        root,
        crate(root / "crates" / "core", "core"),
        crate(root / "bot", "bot_server", "bot", "indexer"),
        crate(root / "shop", "shop", "shop"),
        crate(root / "vendor" / "lib", "lib", "lib", member=False),
    )
    try:
        found: tuple[str, ...] = ()
        assert check_ship(config, known) is config
    except ConfigError as error:
        found = error.faults

    assert found == tuple(f"config/pipeline.yaml:{fault}" for fault in expected)


def test_without_a_ship_list_the_workspace_must_be_shippable(root: Path) -> None:
    config = decode(root, TWO_LINES)
    found: list[str] = []
    for known in (
        graph(root, crate(root, "a", "x"), crate(root / "b", "b", "y")),
        graph(root, crate(root, "a")),
        graph(root, crate(root, "a", "x"), crate(root / "b", "b", "x")),
        graph(root, crate(root, "a", "x y")),
    ):
        try:
            check_ship(config, known)
        except ConfigError as error:
            found += error.faults

    assert found == [
        "config/pipeline.yaml:1: workspace: it has no binary to ship",
        "config/pipeline.yaml:1: ship: 'a' and 'b' have a binary 'x' each, name what to ship",
        (
            "config/pipeline.yaml:1: ship: 'a/x y' cannot be shipped, its names must consist of "
            "letters, digits, '_' and '-', at most 64; name what to ship"
        ),
    ]


def test_a_binary_that_would_take_the_place_of_a_shipped_one(root: Path) -> None:
    config = decode(root, TWO_LINES + "ship: {a: [a], b: [tool]}\n")
    known = graph(root, crate(root / "a", "a", "a", "tool"), crate(root / "b", "b", "tool"))

    with pytest.raises(ConfigError) as caught:
        check_ship(config, known)
    assert caught.value.faults == (
        "config/pipeline.yaml:3: ship.a: it has a binary 'tool' too, as 'b': rename one of them",
    )


PIECES = (
    "", ":", "-", "[", "]", "{", "}", "&a", "*a", "!!str ", "? ", "|", ">", "#", '"', "'", "\0",
    "\t", "\r\n", "\ufeff", "\x85", "\u2028", "\\x00", "\\ud800", "NO", "off", "null", "1e9", "0x1",
    "<<", "=", "%YAML 1.1\n", "---\n", "...\n", "..", "/", "~", "x" * 5000, "\n" * 50, "\xff", "99",
)  # fmt: skip


def mutated(chance: random.Random) -> bytes:
    """Put pieces into the full example, move its lines, turn a bit."""
    text = FULL
    for _ in range(chance.randint(1, 3)):
        at, until = sorted(chance.choices(range(len(text) + 1), k=2))
        kind = chance.randrange(4)
        if kind == 0:
            text = text[:at] + chance.choice(PIECES) + text[at:]
        elif kind == 1:
            text = text[:at] + chance.choice(PIECES) + text[min(until, at + 9) :]
        elif kind == 2:
            text = text[:at] + text[at:until] + text[at:]
        else:
            lines = text.splitlines(keepends=True)
            chance.shuffle(lines)
            text = "".join(lines)
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    if data and chance.random() < 0.2:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def prompt_faults(root: Path, content: bytes) -> tuple[str, ...]:
    started = time.process_time()
    try:
        decode(root, content)
        found: tuple[str, ...] = ()
    except ConfigError as error:
        found = error.faults
    assert time.process_time() - started < 1, content
    return found


@pytest.mark.parametrize("seed", range(8))
def test_a_mutated_file_gives_a_config_or_its_faults(root: Path, seed: int) -> None:
    """Whatever is in the file: no other exception, no delay, one line a fault."""
    chance = random.Random(seed)  # noqa: S311 - no secret, a repeatable test
    for _ in range(100):
        content = mutated(chance)
        for fault in prompt_faults(root, content):
            assert fault.startswith("config/pipeline.yaml:"), content
            assert fault.isprintable(), content


def test_a_fifo_or_folder_is_no_configuration(root: Path) -> None:
    path = root / "config" / "pipeline.yaml"
    path.mkdir()
    with pytest.raises(ConfigError, match="not a regular file"):
        load_config(path, root)
    path.rmdir()
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="not a regular file"):
        load_config(path, root)
