"""What `doit-cargo init` writes: which binaries, and files that the decoders accept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from doit_cargo.core import init_files
from doit_cargo.core.elf.policy import DEFAULT_LEVELS
from doit_cargo.core.errors import ConfigError, SetupError
from doit_cargo.core.model import Binary, Features
from doit_cargo.core.settings.config import load
from doit_cargo.core.settings.faults import Faults
from doit_cargo.core.settings.policy_file import POLICY, load_policies
from doit_cargo.core.settings.settings_file import read_yaml
from doit_cargo.core.workspace.crates import load_graph
from doit_cargo.core.workspace.executables import Executable, executables
from helpers.workspaces import app, lib, package, virtual, write

GATED = '[[bin]]\nname = "{}"\nrequired-features = [{}]\n'


def choose(root: Path) -> init_files.Choice:
    return init_files.choose(load_graph(root, {}))


def put(root: Path, choice: init_files.Choice, profile: str = "release") -> Path:
    return write(root, init_files.contents(choice, init_files.Wanted(profile)))


def put_policy(root: Path) -> list[str]:
    texts = init_files.contents(choose(root), init_files.Wanted())
    return texts["config/policy.yaml"].splitlines()


def two_crates(root: Path, one: str, other: str) -> Path:
    """Two crates, each with a binary of a name that its Cargo.toml gives."""
    return write(
        root,
        {
            "Cargo.toml": virtual('"a", "b"'),
            **app("a", f'[[bin]]\nname = "{one}"\npath = "src/main.rs"\n'),
            **app("b", f'[[bin]]\nname = "{other}"\npath = "src/main.rs"\n'),
        },
    )


@pytest.mark.parametrize(
    "text",
    [
        "server", "a-b_c", "_x", "7z", "12", "1_000", "0x1f", "0o7", "1e3", "12e03", "true", "NO",
        "y", "On", "null", "server/metrics", "dep:x", "a b", "a#b", "a: b", "-x", "", "~",
        "x\ny: z", "\u2028",
    ],
)  # fmt: skip
def test_a_name_is_read_back_as_that_text(tmp_path: Path, text: str) -> None:
    """As a key, in a list, and on one line, so that it cannot leave a comment."""
    word = init_files.scalar(text)
    path = write(tmp_path, {"x.yaml": f"{word}: [{word}]\n"}) / "x.yaml"
    faults = Faults("x.yaml")
    tree = read_yaml(path, faults)
    node = tree.child(text)
    item = node.child(0) if node else None

    assert item
    assert (item.tag, item.value, len(word.splitlines()), faults.lines()) == ("str", text, 1, ())


def test_every_binary_of_a_member_is_shipped_by_crate_and_name(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "Cargo.toml": virtual('"z", "a", "l"'),
            **app("z"),
            **app("a", "[dependencies]\nz = { path = '../z' }\n"),
            "a/src/bin/more.rs": "fn main() {}\n",
            **lib("l"),
        },
    )
    put(tmp_path, choose(tmp_path))
    config, _ = load(tmp_path / "config/pipeline.yaml", tmp_path / "config/policy.yaml", tmp_path)

    assert config.ship == (Binary("a", "a"), Binary("a", "more"), Binary("z", "z"))
    assert (config.workspace, config.profile) == (tmp_path, "release")
    assert [(t.arch, t.triple) for t in config.targets] == [("x86_64", "x86_64-unknown-linux-musl")]


def test_the_commented_lines_are_good_ones_too(tmp_path: Path) -> None:
    """Whoever takes the comment signs away from `# key: value` gets what the decoders accept."""
    write(tmp_path, {"Cargo.toml": virtual('"server"'), **app("server")})
    put(tmp_path, choose(tmp_path))
    for name in ("pipeline", "policy"):
        path = tmp_path / f"config/{name}.yaml"
        text = re.sub(r"(?m)^( *)# ([a-z0-9_]+: (?:\{|deny|My ))", r"\1\2", path.read_text())
        path.write_text(re.sub(r"(?m)^# ?((?:  )*[a-z0-9]+:( \{.*)?)$", r"\1", text))

    config, policies = load(
        tmp_path / "config/pipeline.yaml", tmp_path / "config/policy.yaml", tmp_path
    )

    archs = [target.arch for target in config.targets]
    assert archs == ["x86_64", "aarch64", "riscv64", "armv7"]
    assert [target.default for target in config.targets] == [True, False, False, False]
    assert (config.title, config.env) == ("My Services", {"SQLX_OFFLINE": "true"})
    assert (config.locked, config.offline) == (True, True)
    assert config.features == Features(names=("postgres", "server/metrics"))
    assert policies["x86_64"].budgets == {"server": 16 * 1024**2}
    assert policies["aarch64"].max_size == 32 * 1024**2


def test_a_binary_that_needs_features_is_a_comment(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "Cargo.toml": package("shop", GATED.format("admin", '"tls", "db"') + GATED.format(
                "plain", '"web", "json"') + "[features]\ndefault = ['web']\nweb = ['json']\n"
                "json = []\ntls = []\ndb = []\n"
            ),
            "src/bin/admin.rs": "fn main() {}\n",
            "src/bin/plain.rs": "fn main() {}\n",
        },
    )  # fmt: skip
    found = choose(tmp_path)
    put(tmp_path, found)

    assert found.shipped == (Executable("shop", "plain"),)
    assert list(found.remarks()) == [
        "not shipped: shop/admin: needs features: {names: [shop/tls, shop/db]}"
    ]
    assert (
        "  shop: [plain]\n  # shop: [admin]  # needs features: {names: [shop/tls, shop/db]}\n"
    ) in (tmp_path / "config/pipeline.yaml").read_text()


def test_where_every_binary_needs_features_they_are_on(tmp_path: Path) -> None:
    more = GATED.format("tool", '"cli"') + "[features]\ncli = []\n"
    write(tmp_path, {"Cargo.toml": package("tool", more), "src/main.rs": "fn main() {}\n"})
    put(tmp_path, choose(tmp_path))
    config, _ = load(tmp_path / "config/pipeline.yaml", tmp_path / "config/policy.yaml", tmp_path)

    assert config.features == Features(names=("tool/cli",))
    assert list(choose(tmp_path).remarks()) == [
        "every binary needs features, so these are on: tool/cli"
    ]


def test_a_name_that_two_crates_use_is_left_out_of_both(tmp_path: Path) -> None:
    root = two_crates(tmp_path, "tool", "tool")
    write(root, {"b/src/bin/other.rs": "fn main() {}\n"})
    found = choose(root)
    put(root, found)
    text = (root / "config/pipeline.yaml").read_text()

    assert found.shipped == (Executable("b", "other"),)
    assert [line.split(":")[1] for line in found.remarks()] == [" a/tool", " b/tool"]
    assert "  # a: [tool]  # another crate has a binary of that name" in text
    assert "\n  b: [other]\n  # b: [tool]" in text


def test_nothing_to_ship_is_refused_with_the_reason(tmp_path: Path) -> None:
    write(tmp_path / "none", {"Cargo.toml": virtual('"l"'), **lib("l")})
    twice = two_crates(tmp_path / "twice", "tool", "tool")

    with pytest.raises(SetupError, match=r"none: no binary to ship: a crate gets one by"):
        choose(tmp_path / "none")
    with pytest.raises(SetupError, match=r"(?s)a/tool: another crate.*b/tool: another crate"):
        choose(twice)


def test_a_manifest_whose_features_are_no_lists_is_a_fault(tmp_path: Path) -> None:
    more = '[[bin]]\nname = "x"\nrequired-features = "cli"\n[features]\ndefault = 1\n'
    write(tmp_path, {"Cargo.toml": package("x", more), "src/main.rs": ""})

    with pytest.raises(ConfigError) as caught:
        executables(load_graph(tmp_path, {}))
    assert caught.value.faults == (
        f"{tmp_path}/Cargo.toml: features.default must be an array of strings",
        f"{tmp_path}/Cargo.toml: bin.required-features must be an array of strings",
    )


FOLDERS = "/docker/binaries/\n/docker/context/\n/docker/images/\n/docker/debug/\n"
LINES = f"/.doit-cargo/\n{FOLDERS}/__pycache__/\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", LINES),
        ("/target\n", "/target\n" + LINES),
        ("/target", "/target\n" + LINES),
        (LINES, LINES),
        (
            "__pycache__/\r\n.doit-cargo\r\n",
            f"__pycache__/\r\n.doit-cargo\r\n{FOLDERS}",
        ),
        ("# docker/context\n!docker/context\n", "# docker/context\n!docker/context\n" + LINES),
    ],
)
def test_the_ignore_file_gets_the_lines_that_it_lacks(before: str, after: str) -> None:
    assert init_files.ignoring(before.encode()) == after.encode()
    assert init_files.ignoring(after.encode()) == after.encode()


def test_the_policy_shows_every_rule_with_its_default(tmp_path: Path) -> None:
    """But for those of a binary's identity, which are always deny."""
    write(tmp_path, {"Cargo.toml": package("x"), "src/main.rs": ""})
    lines = put_policy(tmp_path)
    start = lines.index("rules:") + 1
    shown = {}
    for line in lines[start : lines.index("", start)]:
        rule, _, rest = line.strip().removeprefix("# ").partition(": ")
        level, _, doc = rest.partition("# ")
        shown[rule] = (level.strip(), doc)
    identity = {"machine", "class", "endianness"}
    fields = POLICY.schema()["properties"]["rules"]["properties"]

    assert shown == {
        rule: (level, fields[rule]["description"])
        for rule, level in DEFAULT_LEVELS["x86_64"].items()
        if rule not in identity
    }
    path = put(tmp_path, choose(tmp_path)) / "config/policy.yaml"
    assert load_policies(path, tmp_path) == {}
