"""docker/compose.yaml says what config/pipeline.yaml says, and hardens every service."""

from __future__ import annotations

import subprocess  # noqa: TID251 - asks the real tools
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from doit_cargo.core.context import read_context
from doit_cargo.core.image_settings import Service
from doit_cargo.core.images import names
from doit_cargo.core.images.dockerfile import PROGRAM
from helpers.engines import need
from helpers.project import REPOSITORY

COMPOSE = REPOSITORY / "docker" / "compose.yaml"
CONTEXT = read_context(REPOSITORY, {"PATH": "", "HOME": "/nonexistent"})
IMAGES = CONTEXT.config.images
assert IMAGES
assert IMAGES.services
SERVICES = IMAGES.services
WRITTEN: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
BOTH = pytest.mark.parametrize(
    ("written", "service", "name"),
    [(WRITTEN["services"].get(name, {}), service, name) for name, service in SERVICES.items()],
    ids=list(SERVICES),
)


def test_the_services_are_the_configured_ones() -> None:
    assert WRITTEN["services"].keys() == SERVICES.keys()


@BOTH
def test_an_image_is_the_one_that_is_made(
    written: dict[str, Any], service: Service, name: str
) -> None:
    """Of the first target; TAG names another's."""
    del service
    (binary,) = (binary for binary in names.imaged(CONTEXT) if binary.name == name)
    repository, _, tag = names.references(CONTEXT, CONTEXT.config.targets[0], binary)[0].partition(
        ":"
    )

    assert written["image"] == f"{repository}:${{TAG:-{tag}}}"
    assert "build" not in written


@BOTH
def test_a_published_port_is_the_services_and_local(
    written: dict[str, Any], service: Service, name: str
) -> None:
    short = {"fechatter_gateway": "GATEWAY", "indexer": "INDEXER"}
    published = [f"127.0.0.1:${{{short.get(name)}_PORT:-{service.port}}}:{service.port}"]

    assert written.get("ports", []) == (published if name in short else [])
    assert written["networks"] == (["inside", "outside"] if name in short else ["inside"])


@BOTH
def test_health_stop_and_order_are_as_configured(
    written: dict[str, Any], service: Service, name: str
) -> None:
    del name
    needs = service.smoke.needs if service.smoke else ()

    assert written["healthcheck"]["test"] == ["CMD", PROGRAM, *service.health]
    assert written["stop_grace_period"] == f"{service.stop}s"
    assert written.get("depends_on", {}) == {n: {"condition": "service_healthy"} for n in needs}


@BOTH
def test_every_service_is_hardened(
    written: dict[str, Any], service: Service, name: str
) -> None:  # fmt: skip
    del service, name
    wanted = {
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "mem_limit": "256m",
        "pids_limit": 256,
        "pull_policy": "never",
    }

    assert {key: written.get(key) for key in wanted} == wanted
    assert not written.keys() & {"privileged", "cap_add", "devices", "volumes", "user", "pid"}


def test_the_inner_network_leads_nowhere() -> None:
    assert WRITTEN["networks"]["inside"] == {"internal": True}


def test_the_compose_specification_accepts_it() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", COMPOSE],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout.strip()) == (0, "ok -- validation done")


def test_the_check_by_schema_can_fail(tmp_path: Path) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(COMPOSE.read_text().replace("read_only: true", "read_only: [true]"))
    checker = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", wrong],
        capture_output=True,
        check=False,
    )

    assert done.returncode == 1


@pytest.mark.engine
def test_docker_compose_accepts_it() -> None:
    need("docker-compose")
    done = subprocess.run(
        ["docker-compose", "-f", COMPOSE, "config", "--services"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split()) == sorted(SERVICES)
