"""The bundled workspace, for both architectures: every binary runs, and what its runs leave."""

from __future__ import annotations

import json
import shutil
import subprocess  # noqa: TID251
from pathlib import Path

import pytest

from helpers.project import DOIT, REPOSITORY, Project, sha256

pytestmark = pytest.mark.integration

BINARIES = (
    "fechatter_server/fechatter_server", "analytics_server/analytics_server",
    "notify_server/notify_server", "fechatter_gateway/fechatter_gateway", "bot_server/bot",
    "bot_server/indexer",
)  # fmt: skip


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as it is, built for both architectures."""
    root = tmp_path_factory.mktemp("bundled") / "project"
    made = ("target", ".doit-cargo", ".git", ".venv", "binaries", "context")
    shutil.copytree(REPOSITORY, root, ignore=shutil.ignore_patterns(*made))
    doit(root, "stage:x86_64", "stage:aarch64")
    return root


def doit(root: Path, *args: str) -> str:
    done = subprocess.run(
        [DOIT, *args], cwd=root, env=Project.environment(None), text=True, capture_output=True,
        check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
@pytest.mark.parametrize("name", BINARIES)
def test_every_binary_of_both_architectures_runs(bundled: Path, arch: str, name: str) -> None:
    context = bundled / "docker/context" / ("" if arch == "x86_64" else arch)
    path = context / "binaries" / name
    emulator = [] if arch == "x86_64" else ["qemu-aarch64-static"]

    said = subprocess.run(
        [*emulator, path, "--version"], text=True, capture_output=True, check=True
    )
    kind = subprocess.run(["file", path], text=True, capture_output=True, check=True).stdout

    assert said.stdout == f"{path.name} 0.1.0\n"
    assert {"x86_64": "x86-64", "aarch64": "ARM aarch64"}[arch] in kind
    assert "static" in kind
    assert ", stripped" in kind


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_the_manifest_has_the_order_of_the_ship_list(bundled: Path, arch: str) -> None:
    folder = bundled / "docker/binaries" / arch
    lines = (folder / "MANIFEST.txt").read_text().splitlines()

    assert lines[:3] == [
        f"# Fechatter {arch} Binary Manifest", f"# Target: {arch}-unknown-linux-musl", "",
    ]  # fmt: skip
    assert lines[3:] == [f"{name}  {sha256(folder / name)}" for name in BINARIES]


def test_a_bare_doit_covers_the_default_target(bundled: Path) -> None:
    assert doit(bundled).startswith("up to date: 6 binaries")
    assert "aarch64" not in doit(bundled, "show")
    assert doit(bundled, "audit", "x86_64", "aarch64") == "12 binaries and all copies are valid\n"


def test_the_log_has_a_line_for_each_thing_done(bundled: Path) -> None:
    text = (bundled / ".doit-cargo/log.jsonl").read_text()
    events = [json.loads(line) for line in text.splitlines()]
    (event,) = [e for e in events if e["task"] == "verify:aarch64:bot"]

    assert event["event"] == "done"
    assert (event["stage"], event["arch"], event["binary"]) == ("verify", "aarch64", "bot")
    assert event["size"] > 0
    assert {"timestamp", "duration", "digest"} <= event.keys()
    assert "crate" not in event


def test_precompiled_protos_do_without_protoc(bundled: Path, tmp_path: Path) -> None:
    """The guide's way around "protoc failed": code that was generated before."""
    root = tmp_path / "project"
    shutil.copytree(bundled, root, ignore=shutil.ignore_patterns("target", ".doit-cargo", "docker"))
    config = root / "config/pipeline.yaml"
    settings = '\nenv: {CROSS_COMPILATION: "1", PROTOC: /nonexistent}\n'
    config.write_text(config.read_text() + settings)

    doit(root, "build:x86_64:fechatter_protos")
