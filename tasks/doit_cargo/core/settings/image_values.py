"""Makes the Images from the section's decoded values, and checks what spans several of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from doit_cargo.core.image_settings import ExecProbe, HttpProbe, Images, Service, Smoke
from doit_cargo.core.reach import reachable
from doit_cargo.core.settings import places
from doit_cargo.core.settings.faults import nearest

_DOCKERFILE = "docker/Dockerfile"
_OWN = Path(__file__).parents[1] / "images" / "Dockerfile"

Fault = tuple[tuple[str, ...], str]  # the keys below `images`, and what is wrong there


def images(values: Mapping[str, Any], root: Path, dockerfile: Path) -> Images:
    """Return the Images; with faults in the values it only serves to go on."""
    services = values["services"]
    certificates = values["certificates"]
    return Images(
        **dict(values)
        | {
            "dockerfile": dockerfile,
            "tags": tuple(values["tags"]),
            "certificates": root / certificates if certificates else None,
            "timezones": tuple(values["timezones"]),
            "services": services and {name: _service(of) for name, of in services.items()},
        }
    )


def dockerfile(text: str | None, root: Path) -> Path | None:
    """Return the Dockerfile that is named below the root (None: it lies elsewhere).

    Where none is named it is docker/Dockerfile, or our own where there is no such file.
    """
    found = places.file_below(root, text or _DOCKERFILE)
    if text is None and not (found and os.path.isfile(found)):
        return _OWN
    return found


def faults(values: Mapping[str, Any]) -> Iterator[Fault]:
    """What each value allows for itself, and all together do not."""
    services = values["services"] or {}
    for name, service in services.items():
        if smoke := service["smoke"]:
            where = ("services", name, "smoke")
            yield from ((where + keys, text) for keys, text in _smoke(service, smoke))
            for other in smoke["needs"]:
                if other not in services:
                    text = f"no service '{other}', {nearest(other, tuple(services))}"
                    yield (*where, "needs"), text
    for name in services:
        if name in _below(name, services):
            yield ("services", name, "smoke", "needs"), "the service depends on itself"


def _smoke(service: Mapping[str, Any], smoke: Mapping[str, Any]) -> Iterator[Fault]:
    if (smoke["http"] is None) == (smoke["exec"] is None):
        yield (), "set either 'http' or 'exec'"
    elif smoke["http"] and service["port"] is None:
        yield ("http",), "the service has no 'port' to ask"


def _below(name: str, services: Mapping[str, Any]) -> set[str]:
    """The services that this one needs, and those that they need."""

    def needs(service: str) -> Iterable[str]:
        smoke = services.get(service, {}).get("smoke") or {"needs": ()}
        return tuple(smoke["needs"])

    return reachable(needs(name), needs)


def _service(values: Mapping[str, Any]) -> Service:
    health, smoke = tuple(values["health"] or ()), values["smoke"]
    return Service(**dict(values) | {"health": health, "smoke": smoke and _smoke_of(smoke)})


def _smoke_of(values: Mapping[str, Any]) -> Smoke:
    """Return the smoke test; a section without a probe has its fault already."""
    probe: HttpProbe | ExecProbe
    if values["http"]:
        probe = HttpProbe(**values["http"] | {"path": values["http"]["path"] or ""})
    else:
        found = values["exec"] or {"argv": (), "code": 0}
        probe = ExecProbe(argv=tuple(found["argv"] or ()), code=found["code"])
    return Smoke(probe=probe, needs=tuple(values["needs"]), env=values["env"])
