"""Servers with TLS, SQLite and gRPC: built by the pipeline, started, asked, ended.

Minutes of compiling (OpenSSL, SQLite and ring among it), so only `pytest -m corpus` runs it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import signal
import ssl
import subprocess  # noqa: TID251
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from corpus.attempt import staged
from helpers.project import DOIT, REPOSITORY, Project, adopt

pytestmark = [pytest.mark.integration, pytest.mark.corpus]

SERVICES = REPOSITORY / "tests/workspaces/services"
CONFIG = """\
workspace: .
targets: {x86_64: x86_64-unknown-linux-musl, aarch64: aarch64-unknown-linux-musl}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("services") / "services"
    shutil.copytree(SERVICES, root, ignore=shutil.ignore_patterns("target"))
    adopt(root, CONFIG)
    return root


@pytest.fixture(scope="module", params=["x86_64", "aarch64"])
def built(request: pytest.FixtureRequest, root: Path) -> dict[str, list[str]]:
    """Each server and the command that starts it; for the other processor under qemu."""
    arch = request.param
    assert doit(root, f"stage:{arch}").startswith("compiled")
    emulator = [] if arch == "x86_64" else [f"qemu-{arch}-static"]
    return {path.name: [*emulator, str(path)] for path in staged(root, arch)}


def doit(root: Path, *args: str) -> str:
    done = subprocess.run(
        [DOIT, *args], cwd=root, env=Project.environment(None), text=True, capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def serving(argv: list[str]) -> Iterator[str]:
    """A server's address while it runs; told to end, it ends well."""
    with subprocess.Popen(argv, text=True, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            (address,) = re.findall(r"^listening on (.+)$", process.stdout.readline())
            yield address
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=30)
            assert (said, process.returncode) == ("ending\n", 0)
        finally:
            process.kill()


def fetched(url: str, context: ssl.SSLContext | None = None) -> str:
    with urllib.request.urlopen(url, timeout=30, context=context) as answer:  # noqa: S310
        return str(answer.read().decode())


def test_the_gateway_answers_over_tls(built: dict[str, list[str]]) -> None:
    """Rustls on ring: C and assembly."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it signs for itself

    with serving(built["gateway"]) as address:
        assert fetched(f"https://{address}/", context) == "through the gateway"


def test_the_store_keeps_words(built: dict[str, list[str]]) -> None:
    """SQLite, compiled from the source that rusqlite brings."""
    with serving(built["store"]) as address:
        assert fetched(f"http://{address}/world") == "world"
        assert fetched(f"http://{address}/hello") == "hello world"


def test_the_rpc_service_digests(built: dict[str, list[str]]) -> None:
    """Code of protoc's, and an OpenSSL of its own."""
    with serving(built["rpc"]) as address:
        ask = [*built["rpc"], "--ask", f"http://{address}", "text"]
        said = subprocess.run(ask, text=True, capture_output=True, check=True, timeout=30).stdout

    assert said == hashlib.sha256(b"text").hexdigest() + "\n"


def test_nothing_is_left_to_do(root: Path, built: dict[str, list[str]]) -> None:
    assert sorted(built) == ["gateway", "rpc", "store"]
    assert doit(root, f"stage:{'aarch64' if 'qemu' in built['rpc'][0] else 'x86_64'}").startswith(
        "up to date: 3 binaries"
    )
