"""What is started to try an image out, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from doit_cargo.core.image_settings import ExecProbe, HttpProbe, Images, Service, Smoke
from doit_cargo.core.images.trial import Program, decode, encode, order, trial

READY = HttpProbe(path="/ready", status=200, body="ok")
SERVICES = {
    "db": Service(port=1, env={"SIZE": "1"}),
    "chat": Service(port=2, smoke=Smoke(probe=READY, needs=("db",)), stop=3),
    "gate": Service(port=3, smoke=Smoke(probe=READY, needs=("chat", "db"), env={"LOG": "all"})),
    "bot": Service(smoke=Smoke(probe=ExecProbe(argv=("--health",), code=4), needs=("chat",))),
    "tool": Service(smoke=Smoke(probe=ExecProbe(argv=("--version",)))),
}
IMAGES = Images(engine="auto", dockerfile=Path("Dockerfile"), services=SERVICES)
DB = Program(name="db", env={"SIZE": "1"}, extra={}, port=1, probe=None, stop=10)
CHAT = Program(name="chat", env={}, extra={}, port=2, probe=READY, stop=3)


def test_a_service_starts_after_all_that_it_needs() -> None:
    assert order(IMAGES, "gate") == ("db", "chat")
    assert order(IMAGES, "bot") == ("db", "chat")
    assert order(IMAGES, "db") == ()


def test_a_trial_over_http() -> None:
    found = trial(IMAGES, "gate")

    assert found is not None
    assert found.needs == (DB, CHAT)
    assert found.subject == Program(
        name="gate", env={}, extra={"LOG": "all"}, port=3, probe=READY, stop=10
    )
    assert (found.run, found.connected) == (None, True)


def test_a_trial_that_runs_to_its_end() -> None:
    bot, tool = trial(IMAGES, "bot"), trial(IMAGES, "tool")

    assert bot is not None
    assert (bot.run, bot.connected) == (ExecProbe(argv=("--health",), code=4), True)
    assert tool is not None
    assert (tool.needs, tool.connected) == ((), False)


def test_no_trial_without_smoke() -> None:
    assert trial(IMAGES, "db") is None
    assert trial(IMAGES._replace(services=None), "chat") is None


@pytest.mark.parametrize("name", ["chat", "gate", "bot", "tool"])
def test_a_trial_goes_to_another_process_and_arrives(name: str) -> None:
    found = trial(IMAGES, name)

    assert found is not None
    assert decode(encode(found)) == found
