"""Servers with TLS, SQLite and gRPC: built by the pipeline, started, asked, ended.

Minutes of compiling (OpenSSL, SQLite and ring among it): only `pytest -m corpus` does it all again
for other processors than x86_64.
"""

from __future__ import annotations

import hashlib
import re
import signal
import ssl
import subprocess  # noqa: TID251
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from corpus.attempt import ARCHES
from corpus.workspaces import adopted, built
from helpers.project import Project

pytestmark = pytest.mark.integration

EACH = [pytest.param(arch, marks=[pytest.mark.corpus] * (arch != "x86_64")) for arch in ARCHES]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return adopted("services", tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module", params=EACH)
def arch(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def servers(arch: str, project: Project) -> dict[str, list[str]]:
    """Each server and the command that starts it; for another processor under qemu."""
    return built(project, arch)


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


def test_the_gateway_answers_over_tls(servers: dict[str, list[str]]) -> None:
    """Rustls on ring: C and assembly."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it signs for itself

    with serving(servers["gateway"]) as address:
        assert fetched(f"https://{address}/", context) == "through the gateway"


def test_the_store_keeps_words(servers: dict[str, list[str]]) -> None:
    """SQLite, compiled from the source that rusqlite brings."""
    with serving(servers["store"]) as address:
        assert fetched(f"http://{address}/world") == "world"
        assert fetched(f"http://{address}/hello") == "hello world"


def test_the_rpc_service_digests(servers: dict[str, list[str]]) -> None:
    """Code of protoc's, and an OpenSSL of its own."""
    with serving(servers["rpc"]) as address:
        ask = [*servers["rpc"], "--ask", f"http://{address}", "text"]
        said = subprocess.run(ask, text=True, capture_output=True, check=True, timeout=30).stdout

    assert said == hashlib.sha256(b"text").hexdigest() + "\n"


def test_nothing_is_left_to_do(project: Project, servers: dict[str, list[str]], arch: str) -> None:
    assert sorted(servers) == ["gateway", "rpc", "store"]
    assert project.build(f"stage:{arch}").startswith("up to date: 3 binaries")
