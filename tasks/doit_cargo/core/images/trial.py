"""A trial: what is started to see an image work, in which order, and what is expected of it.

Plain values, which can go to another process as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from doit_cargo.core.image_settings import ExecProbe, HttpProbe, Images, Service, Smoke


class Program(NamedTuple):
    """One service of a trial: its name on the network, port, and how it is asked.

    `env` is what its image has, `extra` what the trial adds. `stop` is the time in seconds that it
    has after SIGTERM.
    """

    name: str
    env: Mapping[str, str]
    extra: Mapping[str, str]
    port: int | None
    probe: HttpProbe | None
    stop: int


class Trial(NamedTuple):
    """The program that is tried out and what must run with it, in the order to start them.

    With `run` it is run to its end, else it is asked over HTTP and then told to end.
    """

    needs: tuple[Program, ...]
    subject: Program
    run: ExecProbe | None

    @property
    def connected(self) -> bool:
        """Whether there is anybody to talk to."""
        return bool(self.needs) or self.run is None


def trial(images: Images, name: str) -> Trial | None:
    """The trial of a service; None if the configuration asks for none."""
    services = images.services or {}
    smoke = services[name].smoke if name in services else None
    if smoke is None:
        return None
    needs = tuple(_program(services, other) for other in order(images, name))
    return Trial(
        needs=needs,
        subject=_program(services, name)._replace(extra=smoke.env),
        run=smoke.probe if isinstance(smoke.probe, ExecProbe) else None,
    )


def order(images: Images, name: str) -> tuple[str, ...]:
    """The services that this one needs, and all that those need: each after those it needs."""
    found: dict[str, None] = {}

    def visit(service: str) -> None:
        for other in _needs(images.services or {}, service):
            if other not in found:
                visit(other)
                found[other] = None

    visit(name)  # the decoder has refused circles
    return tuple(found)


def _needs(services: Mapping[str, Service], name: str) -> tuple[str, ...]:
    smoke = services[name].smoke if name in services else None
    return smoke.needs if smoke else ()


def _program(services: Mapping[str, Service], name: str) -> Program:
    service = services.get(name, Service())
    probe = service.smoke.probe if isinstance(service.smoke, Smoke) else None
    return Program(
        name=name,
        env=service.env,
        extra={},
        port=service.port,
        probe=probe if isinstance(probe, HttpProbe) else None,
        stop=service.stop,
    )


def encode(value: Trial) -> str:
    """The trial as JSON."""
    return json.dumps(
        {
            "needs": [_plain(program) for program in value.needs],
            "subject": _plain(value.subject),
            "run": value.run and value.run._asdict(),
        }
    )


def decode(text: str) -> Trial:
    """What `encode` wrote."""
    found = json.loads(text)
    run = found["run"]
    return Trial(
        needs=tuple(_read(program) for program in found["needs"]),
        subject=_read(found["subject"]),
        run=run and ExecProbe(argv=tuple(run["argv"]), code=run["code"]),
    )


def _plain(program: Program) -> dict[str, object]:
    probe = program.probe and program.probe._asdict()
    env, extra = dict(program.env), dict(program.extra)
    return {**program._asdict(), "env": env, "extra": extra, "probe": probe}


def _read(found: dict[str, Any]) -> Program:
    probe = found["probe"]
    return Program(**found | {"probe": probe and HttpProbe(**probe)})
