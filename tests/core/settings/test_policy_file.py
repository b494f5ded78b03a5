"""Decoding config/policy.yaml: defaults, layers, sizes, and every fault's exact text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from doit_cargo.core.elf.policy import RULE_NAMES
from doit_cargo.core.errors import ConfigError
from doit_cargo.core.model import Config, Level, Policy
from doit_cargo.core.settings.config import load_config
from doit_cargo.core.settings.policy_file import load_policies

PIPELINE = """\
workspace: .
targets:
  x86_64: x86_64-unknown-linux-musl
  aarch64: aarch64-unknown-linux-musl
ship: {shop: [shop, admin]}
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Make a configuration of two targets and two binaries."""
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    return load_config(tmp_path / "pipeline.yaml", tmp_path)


def decode(config: Config, content: str | bytes) -> dict[str, Policy]:
    path = config.root / "policy.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_policies(path, config.root, config)


def faults(config: Config, content: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        decode(config, content)
    return [fault.removeprefix("policy.yaml:") for fault in caught.value.faults]


def test_without_a_file_the_defaults_hold(config: Config) -> None:
    policies = load_policies(config.root / "none.yaml", config.root, config)

    deny: dict[str, Level] = dict.fromkeys(RULE_NAMES, "deny")
    strict: dict[str, Level] = {**deny, "stripped": "warn", "build_path": "warn"}
    static: dict[str, Level] = {**strict, "pie": "off", "relro": "off"}
    assert policies == {
        "x86_64": Policy(levels=strict, min_size=65536, max_size=268435456),
        "aarch64": Policy(levels=static, min_size=65536, max_size=268435456),
    }


@pytest.mark.parametrize("content", ["", "# nothing\n", "{}\n", "rules: {}\nsize: {}\n"])
def test_a_file_that_says_nothing_leaves_the_defaults(config: Config, content: str) -> None:
    assert decode(config, content) == load_policies(Path("none.yaml"), config.root, config)


def test_a_target_overrides_what_holds_for_all(config: Config) -> None:
    policies = decode(
        config,
        """\
rules: {stripped: deny, pie: warn, wx: "off", nx: off}
size: {min: 1, max: 2 MiB}
targets:
  aarch64: {rules: {stripped: off}, size: {max: 3MiB}}
budgets: {shop: 1 GiB, admin: 70000}
""",
    )

    watched = ("stripped", "pie", "wx", "nx", "relro")
    assert {arch: [policies[arch].levels[rule] for rule in watched] for arch in policies} == {
        "x86_64": ["deny", "warn", "off", "off", "deny"],
        "aarch64": ["off", "warn", "off", "off", "off"],
    }
    assert {arch: (one.min_size, one.max_size) for arch, one in policies.items()} == {
        "x86_64": (1, 2 * 1024**2),
        "aarch64": (1, 3 * 1024**2),
    }
    assert all(one.budgets == {"shop": 1024**3, "admin": 70000} for one in policies.values())


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_every_rule_has_a_level_for_every_target(config: Config, arch: str) -> None:
    assert set(decode(config, "")[arch].levels) == set(RULE_NAMES)


SIZE = "a size such as 65536, '64 KiB' or '8 MiB'"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("- x", "1: expected a mapping, found a list"),
        ("rule: {}", "1: rule: unknown key, did you mean 'rules'?"),
        ("rules: {striped: deny}", "1: rules.striped: unknown key, did you mean 'stripped'?"),
        ("rules: {pie: of}", "1: rules.pie: 'of' is not one of deny, warn, off"),
        ("rules: {pie: no}", "1: rules.pie: 'no' is not one of deny, warn, off"),
        ("rules: {pie: false}", "1: rules.pie: 'false' is not one of deny, warn, off"),
        ("rules: {pie: }", "1: rules.pie: expected deny or warn or off, found nothing"),
        ("rules: {pie: [off]}", "1: rules.pie: expected deny or warn or off, found a list"),
        ("size: {min: 64 kb}", f"1: size.min: expected {SIZE}, found '64 kb'"),
        ("size: {min: -1}", f"1: size.min: expected {SIZE}, found '-1'"),
        ("size: {min: 1.5 MiB}", f"1: size.min: expected {SIZE}, found '1.5 MiB'"),
        ("size: {min: 010}", f"1: size.min: expected {SIZE}, found '010'"),
        ("size: {min: 1_000}", f"1: size.min: expected {SIZE}, found '1_000'"),
        ("size: {min: 1:30}", f"1: size.min: expected {SIZE}, found '1:30'"),
        ("size: {min: .inf}", f"1: size.min: expected {SIZE}, found '.inf'"),
        ("size: {min: }", f"1: size.min: expected {SIZE}, found nothing"),
        ("size: {max: 1000}", "1: size: min 65536 is above max 1000"),
        ("size: 5", "1: size: expected a mapping, found '5'"),
        ("targets:\n  aarch64: {size: {min: 1 GiB}}",
         "2: targets.aarch64.size: min 1073741824 is above max 268435456"),
        ("targets: {arm64: {}}",
         "1: targets.arm64: pipeline.yaml has no such target, did you mean 'aarch64'?"),
        ("budgets: {shoop: 1 MiB}",
         "1: budgets.shoop: pipeline.yaml ships no such binary, did you mean 'shop'?"),
        ("budgets: {shop: big}", f"1: budgets.shop: expected {SIZE}, found 'big'"),
        ("budgets: {a/b: 1}",
         "1: budgets.'a/b': 'a/b' is not a binary name: letters, digits, '_' and '-', at most 64"),
    ],
)  # fmt: skip
def test_a_fault_names_line_key_and_remedy(config: Config, content: str, expected: str) -> None:
    assert faults(config, content + "\n") == [expected]


@pytest.mark.parametrize("rule", ["machine", "class", "endianness"])
@pytest.mark.parametrize("level", ["warn", "off"])
@pytest.mark.parametrize("above", ["rules: ", "targets: {x86_64: {rules: "])
def test_identity_cannot_be_switched_off(config: Config, rule: str, level: str, above: str) -> None:
    """A binary for another machine never ships, whatever is configured."""
    keys = ".".join(above.replace(": ", " ").replace("{", "").split())
    content = f"{above}{{{rule}: {level}}}" + "}" * above.count("{") + "\n"

    assert faults(config, content) == [
        (
            f"1: {keys}.{rule}: '{level}' is not allowed: a binary for another machine never "
            "ships, the level is deny"
        )
    ]
    assert decode(config, content.replace(level, "deny"))


def test_without_a_ship_list_budgets_are_free(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(PIPELINE.replace("ship: {shop: [shop, admin]}", ""))
    config = load_config(path, tmp_path)

    assert decode(config, "budgets: {any: 1 MiB}")["x86_64"].budgets == {"any": 1024**2}


def test_a_file_that_is_there_must_be_readable(config: Config) -> None:
    """Only a file that is not there gives the defaults: a broken link or a FIFO is a fault."""
    link, fifo = config.root / "link", config.root / "fifo"
    link.symlink_to("nowhere")
    os.mkfifo(fifo)
    found = []
    for path in (link, fifo):
        with pytest.raises(ConfigError) as caught:
            load_policies(path, config.root, config)
        found.append(str(caught.value))

    assert found == ["link: cannot be read: No such file or directory", "fifo: not a regular file"]


def test_every_fault_is_told_in_the_order_of_the_file(config: Config) -> None:
    content = "budgets: {shoop: 1}\nrules:\n  pie: of\n  pie: deny\nsize: {max: x}\n"

    assert faults(config, content) == [
        "1: budgets.shoop: pipeline.yaml ships no such binary, did you mean 'shop'?",
        "3: rules.pie: 'of' is not one of deny, warn, off",
        "4: rules.pie: duplicate key, first on line 3",
        f"5: size.max: expected {SIZE}, found 'x'",
    ]
