"""The JSON Schemas of the configuration say what the decoder does.

They are generated from the decoder's own tables: UPDATE_GOLDEN=1 writes them anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from doit_cargo.core.errors import ConfigError
from doit_cargo.core.settings.config_keys import PIPELINE
from doit_cargo.core.settings.faults import Faults
from doit_cargo.core.settings.node import Node
from doit_cargo.core.settings.policy_file import POLICY
from doit_cargo.core.settings.settings_file import read_yaml
from helpers.configuration_page import with_tables

CONFIG = Path(__file__).parents[3] / "config"
TEMPLATES = CONFIG.parent / "tasks/doit_cargo/templates"
FILES = {"pipeline": PIPELINE, "policy": POLICY}
TITLES = {
    "pipeline": "What is built and shipped",
    "policy": "What an executable must look like to be shipped",
}


def generated(name: str) -> dict[str, Any]:
    draft = {"$schema": "http://json-schema.org/draft-07/schema#", "title": TITLES[name]}
    return draft | FILES[name].schema()


@pytest.mark.parametrize("name", FILES)
def test_the_committed_schema_is_the_decoders(name: str) -> None:
    path = TEMPLATES / f"{name}.schema.json"
    expected = json.dumps(generated(name), indent=2) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(expected)

    assert path.read_text() == expected, "write it anew with UPDATE_GOLDEN=1"


@pytest.mark.parametrize("name", FILES)
def test_the_schema_is_a_valid_one(name: str) -> None:
    jsonschema.Draft7Validator.check_schema(generated(name))


def descriptions(schema: dict[str, Any]) -> dict[str, str]:
    """Return the description of every key, however deep."""
    found = {}
    for key, value in schema.get("properties", {}).items():
        found[key] = value.get("description", "")
    for value in schema.values():
        for child in value if isinstance(value, list) else [value, *_values(value)]:
            if isinstance(child, dict):
                found |= descriptions(child)
    return found


def _values(value: object) -> list[object]:
    return list(value.values()) if isinstance(value, dict) else []


@pytest.mark.parametrize("name", FILES)
def test_every_key_is_described(name: str) -> None:
    found = descriptions(generated(name))

    assert {"pipeline": "triple", "policy": "endianness"}[name] in found
    assert [key for key, text in found.items() if not text.endswith(".")] == []


def test_the_page_of_the_configuration_is_the_schemas() -> None:
    page = CONFIG.parent / "docs/configuration.md"
    expected = with_tables(page.read_text(), {name: generated(name) for name in FILES})
    if os.environ.get("UPDATE_GOLDEN"):
        page.write_text(expected)

    assert page.read_text() == expected, "write it anew with UPDATE_GOLDEN=1"


@pytest.mark.parametrize("name", FILES)
def test_an_editor_finds_the_schema_of_the_bundled_file(name: str) -> None:
    path = CONFIG / f"{name}.yaml"
    first = path.read_text().splitlines()[0]

    assert first.startswith("# yaml-language-server: $schema=")
    assert (CONFIG / first.partition("=")[2]).is_file()


def plain(node: Node) -> object:
    """Return the value as an editor sees it: YAML 1.2, where only true and false are booleans."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    if node.tag == "bool" and node.value in ("true", "false"):
        return node.value == "true"
    if node.tag == "int" and node.value.lstrip("-").isdecimal():
        return int(node.value)
    return None if node.tag == "null" else node.value


def verdicts(path: Path, name: str) -> tuple[bool, bool]:
    """Return what the schema says of a file, and what the decoder says."""
    faults = Faults("f.yaml")
    tree = read_yaml(path, faults)
    validator = jsonschema.Draft7Validator(generated(name))
    schema = validator.is_valid(plain(tree))
    FILES[name].read(tree, faults)
    try:
        faults.check()
    except ConfigError:
        return schema, False
    return schema, True


TARGETS = "targets: {a: x86_64-unknown-linux-musl}"
GOOD = {
    "pipeline": [
        "workspace: .",
        "workspace: rust",
        "workspace: .\ntitle: My Shop",
        "workspace: .\noutput: {}",
        "workspace: .\noutput: {state: a, binaries: b, context: c}",
        "workspace: .\nship: {a: [b, c-d], 3proxy: [_x]}",
        "workspace: .\nfeatures: {names: [a, b/c, d+e.f], all: true, default: false}",
        "workspace: .\nfeatures: {names: []}",
        "workspace: .\nenv: {A: '', _b1: 'x y', C: \"two\\nlines\"}",
        "workspace: .\nenv: {}",
        "workspace: .\nenv: {A: {from: B}, C: {from: D, default: unknown}}",
        "workspace: .\ninputs: {a: [templates, ../x.json], b: [a b]}",
        "workspace: .\ncargo: {locked: true, offline: false}",
        "workspace: .\nprofile: dist",
        "workspace: .\nroot: ..",
        "workspace: .\nimages: {}",
        "workspace: .\nimages: {engine: docker, default: true, prefix: a/b-c, tags: ['{version}']}",
        "workspace: .\nimages: {registry: 'localhost:5000', insecure: true, user: '1000:1'}",
        "workspace: .\nimages: {registry: ghcr.io, user: '65532', timezones: [UTC, Europe/Rome]}",
        "workspace: .\nimages: {certificates: /etc/x.crt, dockerfile: Dockerfile}",
        "workspace: .\nimages: {services: {a: {}, b: {port: 1, health: [-h], stop: 3600}}}",
        "workspace: .\nimages: {services: {a: {port: 8, smoke: {http: {path: /, status: 204}}}}}",
        "workspace: .\nimages: {services: {a: {smoke: {exec: {argv: [-V], code: 255}}}}}",
    ],
    "policy": [
        "{}",
        "rules: {pie: off, nx: 'off', wx: deny, relro: warn, machine: deny}",
        "size: {min: 0, max: 999999999999}",
        "size: {min: '64', max: 64KiB}",
        "budgets: {a: 8 MiB, b: 1 GiB}",
        "targets: {arm: {rules: {pie: off}, size: {max: 1 MiB}}}",
    ],
}
BAD = {
    "pipeline": [
        "{}",
        "[]",
        "text",
        "title: x",
        "workspace: ''",
        "workspace: 5",
        "workspace: [.]",
        "workspace:",
        "workspace: .\ntitle: ''",
        "workspace: .\ntitle: true",
        "workspace: .\nunknown: x",
        "workspace: .\noutput: {unknown: x}",
        "workspace: .\noutput: x",
        "workspace: .\nship: {}",
        "workspace: .\nship: {a: []}",
        "workspace: .\nship: {a: b}",
        "workspace: .\nship: {a/b: [c]}",
        "workspace: .\nship: {a: [b.c]}",
        "workspace: .\nship: {a: [5]}",
        "workspace: .\nprofile: -x",
        "workspace: .\nprofile: " + "x" * 65,
        "workspace: .\nfeatures: {names: x}",
        "workspace: .\nfeatures: {names: [a/b/c]}",
        "workspace: .\nfeatures: {all: yes}",
        "workspace: .\nfeatures: {all: 'true'}",
        "workspace: .\nfeatures: {all: }",
        "workspace: .\nenv: {1A: x}",
        "workspace: .\nenv: {A: 5}",
        "workspace: .\nenv: {A: {default: x}}",
        "workspace: .\nenv: {A: {from: B, default: 5}}",
        "workspace: .\nenv: {A: {from: B, value: x}}",
        "workspace: .\ninputs: {a: x}",
        "workspace: .\ninputs: {a: []}",
        "workspace: .\ninputs: {a b: [x]}",
        "workspace: .\nenv: {A: true}",
        "workspace: .\nenv: {A: }",
        "workspace: .\ncargo: {locked: 1}",
        "workspace: .\nimages:",
        "workspace: .\nimages: {engine: podman}",
        "workspace: .\nimages: {prefix: Shop}",
        "workspace: .\nimages: {prefix: a//b}",
        "workspace: .\nimages: {registry: user:secret@host.io}",
        "workspace: .\nimages: {registry: docker}",
        "workspace: .\nimages: {tags: []}",
        "workspace: .\nimages: {tags: ['{date}']}",
        "workspace: .\nimages: {tags: [.x]}",
        "workspace: .\nimages: {user: root}",
        "workspace: .\nimages: {user: '0'}",
        "workspace: .\nimages: {timezones: [../passwd]}",
        "workspace: .\nimages: {services: {}}",
        "workspace: .\nimages: {services: {a: {port: 65536}}}",
        "workspace: .\nimages: {services: {a: {port: '80'}}}",
        "workspace: .\nimages: {services: {a: {health: []}}}",
        "workspace: .\nimages: {services: {a: {stop: 0}}}",
        "workspace: .\nimages: {services: {a: {smoke: {http: {status: 200}}}}}",
        "workspace: .\nimages: {services: {a: {smoke: {http: {path: x}}}}}",
        "workspace: .\nimages: {services: {a: {smoke: {exec: {argv: []}}}}}",
    ],
    "policy": [
        "[]",
        "rule: {}",
        "rules: {unknown: deny}",
        "rules: {pie: of}",
        "rules: {pie: false}",
        "rules: {pie: }",
        "rules: {machine: off}",
        "rules: {class: warn}",
        "size: {min: -1}",
        "size: {min: 64 kb}",
        "size: {min: 1.5 MiB}",
        "size: {min: 1_000}",
        "size: {min: true}",
        "size: {min: }",
        "size: {min: 1000000000000}",
        "budgets: {a/b: 1}",
        "budgets: {a: []}",
        "targets: {arm: {budgets: {}}}",
        "targets: {arm: off}",
        "targets: {a b: {}}",
    ],
}
GOOD_TARGETS = [
    "targets: {a: x86_64-unknown-linux-musl, 3b: aarch64-unknown-linux-musl}",
    "targets: {a: {triple: armv7-unknown-linux-musleabihf}}",
    "targets: {a: {triple: x86_64-unknown-linux-musl, platform: linux/arm/v7, default: true}}",
]
BAD_TARGETS = [
    "targets: {}",
    "targets:",
    "targets: x",
    "targets: {a: x86_64-unknown-linux-gnu}",
    "targets: {a: 5}",
    "targets: {a: }",
    "targets: {a: {}}",
    "targets: {a: {triple: x86_64-apple-darwin}}",
    "targets: {a: {tripel: x86_64-unknown-linux-musl}}",
    "targets: {a: {triple: x86_64-unknown-linux-musl, platform: windows}}",
    "targets: {a: {triple: x86_64-unknown-linux-musl, default: no}}",
    "targets: {a/b: x86_64-unknown-linux-musl}",
]
CASES = [
    *(("pipeline", f"{text}\n{TARGETS}", True) for text in GOOD["pipeline"]),
    *(("pipeline", f"workspace: .\n{text}", True) for text in GOOD_TARGETS),
    *(("pipeline", f"workspace: .\n{text}", False) for text in BAD_TARGETS),
    *(("pipeline", text, False) for text in BAD["pipeline"][:3]),
    *(("pipeline", f"{text}\n{TARGETS}", False) for text in BAD["pipeline"][3:]),
    *(("policy", text, True) for text in GOOD["policy"]),
    *(("policy", text, False) for text in BAD["policy"]),
]


@pytest.mark.parametrize(("name", "text", "good"), CASES)
def test_schema_and_decoder_agree(tmp_path: Path, name: str, text: str, *, good: bool) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(text)

    assert verdicts(path, name) == (good, good)


@pytest.mark.parametrize("name", FILES)
def test_the_bundled_file_satisfies_both(name: str) -> None:
    assert verdicts(CONFIG / f"{name}.yaml", name) == (True, True)
