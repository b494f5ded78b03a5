"""The Dockerfile of one image: the project's, plus what no build argument can set.

docker/Dockerfile serves every binary by its arguments. An entry point or a health check in exec
form takes none, hence the fixed path of the program; what a service has beside it (port,
environment, health check, certificates, time zones) is appended as further instructions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from doit_cargo.core.image_settings import Images, Service
from doit_cargo.core.model import Binary, Crate

PROGRAM = "/app/service"  # where docker/Dockerfile puts the binary
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"  # where OpenSSL and rustls-native-certs look
_ZONES = "/usr/share/zoneinfo"
_FILES = "files"  # the folder of the build context for all that is no binary


def arguments(images: Images, crate: Crate, binary: Binary) -> dict[str, str]:
    """The build arguments of docker/Dockerfile."""
    return {
        "CRATE": binary.crate,
        "BINARY": binary.name,
        "VERSION": crate.version,
        "RUN_AS": images.user,
    }


def extra_files(images: Images) -> dict[str, Path]:
    """Path in the image → file of this machine."""
    found = {CERTIFICATES: images.certificates} if images.certificates else {}
    return found | {f"{_ZONES}/{zone}": Path(_ZONES, zone) for zone in images.timezones}


def labels(images: Images, crate: Crate, binary: Binary) -> dict[str, str]:
    """The labels that an image may have. The first two are from docker/Dockerfile."""
    prefix = "org.opencontainers.image"
    return {f"{prefix}.title": binary.name, f"{prefix}.version": crate.version, **images.labels}


def in_context(path: str) -> str:
    """Where a file for the image's `path` lies in the build context."""
    return f"{_FILES}{path}"


def service_of(images: Images, binary: Binary) -> Service:
    """What is configured for the binary."""
    return (images.services or {}).get(binary.name, Service())


def tail(images: Images, binary: Binary, *, health: bool) -> str:
    """The instructions to append. `health`: the image's format has room for a health check."""
    return "".join(f"{line}\n" for line in _lines(images, service_of(images, binary), health))


def _lines(images: Images, service: Service, health: bool) -> Iterator[str]:
    for path in extra_files(images):
        yield f"COPY {in_context(path)} {path}"
    for name, value in images.labels.items():
        yield f"LABEL {name}={_quoted(value)}"
    for name, value in service.env.items():
        yield f"ENV {name}={_quoted(value)}"
    for port in ports(service):
        yield f"EXPOSE {port}"
    if service.health and health:
        yield f"HEALTHCHECK CMD {json.dumps(health_command(service))}"


def ports(service: Service) -> tuple[str, ...]:
    """What an image exposes."""
    return (f"{service.port}/tcp",) if service.port else ()


def health_command(service: Service) -> tuple[str, ...]:
    """The argv list of a health check; empty without one."""
    return (PROGRAM, *service.health) if service.health else ()


def _quoted(text: str) -> str:
    """Text in double quotes, in which a Dockerfile expands variables."""
    for letter in ("\\", '"', "$"):
        text = text.replace(letter, f"\\{letter}")
    return f'"{text}"'
