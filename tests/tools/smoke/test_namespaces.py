"""Smoke tests of real processes that answer, answer wrongly, hang, and end badly.

Here the programs are scripts in folders; pipeline/test_images_for_real.py has images.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from doit_cargo.core.errors import CheckError
from doit_cargo.core.image_settings import ExecProbe, HttpProbe
from doit_cargo.core.images.trial import Program, Trial
from doit_cargo.tools.smoke import namespaces
from doit_cargo.tools.smoke import trial as smoke
from helpers.machines import program

PLAIN = namespaces.Isolation((), rooted=False, user=None)
READY = HttpProbe(path="/ready", status=200, body="ok")
SERVER = f"""#!{sys.executable} -S
import http.server, os, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, body = int(os.environ.get("STATUS", "200")), os.environ.get("BODY", "ok").encode()
        self.send_response(status if self.path == "/ready" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
print("listening", sorted(os.environ.keys() - {{"LC_CTYPE"}}), flush=True)
if "LATE" not in os.environ:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(int(os.environ.get("CODE", "0"))))
else:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
TOOL = f"""#!{sys.executable} -S
import sys
print("asked for", *sys.argv[1:])
sys.exit(3)
"""


@pytest.fixture
def port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what has to fail by being late. The limits are the child's own."""
    monkeypatch.setattr(namespaces, "_CHILD", [sys.executable, "-P", "-c", _HASTY])


_HASTY = """
import runpy
from doit_cargo.tools.smoke import trial
trial.START_LIMIT = trial.RUN_LIMIT = 2.0
runpy.run_module("doit_cargo.tools.smoke.namespaces_child", run_name="__main__")
"""


def server(
    port: int, env: Mapping[str, str] = {}, *, probe: HttpProbe = READY, stop: int = 60
) -> Trial:
    own = {"PORT": str(port), **env}
    subject = Program(name="chat", env=own, extra={}, port=port, probe=probe, stop=stop)
    return Trial(needs=(), subject=subject, run=None)


def tool(*argv: str, code: int = 3, needs: tuple[Program, ...] = ()) -> Trial:
    subject = Program(name="chat", env={}, extra={}, port=None, probe=None, stop=5)
    return Trial(needs=needs, subject=subject, run=ExecProbe(argv=argv, code=code))


def tried(folder: Path, trial: Trial, text: str = SERVER, way: namespaces.Isolation = PLAIN) -> str:
    root = folder / "chat"
    program(root / "app" / "service", text)
    return namespaces.run(trial, {"chat": root}, way, emulated=False).answer


def refusal(folder: Path, trial: Trial, text: str = SERVER) -> str:
    with pytest.raises(CheckError) as caught:
        tried(folder, trial, text)
    return str(caught.value)


def test_a_server_that_answers_and_ends(tmp_path: Path, port: int) -> None:
    assert tried(tmp_path, server(port)) == "http 200"


def test_the_expected_status_may_be_any(tmp_path: Path, port: int) -> None:
    assert tried(tmp_path, server(port, probe=HttpProbe(path="/x", status=404))) == "http 404"


def test_a_server_that_ends_badly_and_what_it_wrote(tmp_path: Path, port: int) -> None:
    """It has the environment of its image and no other."""
    said = refusal(tmp_path, server(port, {"CODE": "9"})).splitlines()

    assert said[0] == "chat ended with 9 after SIGTERM, not with 0"
    assert said[1:3] == ["chat wrote:", "  listening ['CODE', 'PORT']"]


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        ({"STATUS": "503"}, "chat gave no answer in 2 s: GET /ready: status 503, not 200: ok"),
        (
            {"BODY": "degraded"},
            "chat gave no answer in 2 s: GET /ready: 'ok' is not in the answer: degraded",
        ),
    ],
)
@pytest.mark.usefixtures("hasty")
def test_a_server_that_never_answers_as_it_should(
    tmp_path: Path, port: int, env: dict[str, str], reason: str
) -> None:
    assert refusal(tmp_path, server(port, env)).splitlines()[0] == reason


def test_a_server_that_does_not_end(tmp_path: Path, port: int) -> None:
    said = refusal(tmp_path, server(port, {"LATE": "1"}, stop=1))

    assert said.splitlines()[0] == "chat did not end within 1 s of SIGTERM"
    assert not _anybody(port)


def test_a_server_that_does_not_even_start(tmp_path: Path, port: int) -> None:
    said = refusal(tmp_path, server(port), TOOL)

    assert said.startswith("chat ended with 3 before it answered: ConnectionRefusedError")
    assert said.endswith("chat wrote:\n  asked for")


def test_a_program_that_runs_to_its_end(tmp_path: Path) -> None:
    assert tried(tmp_path, tool("--version"), TOOL) == "exit 3"


def test_a_program_that_ends_with_another_code(tmp_path: Path) -> None:
    said = refusal(tmp_path, tool("--version", code=0), TOOL)

    assert said == "chat ended with 3, not with 0\nchat wrote:\n  asked for --version"


def test_a_program_that_is_killed(tmp_path: Path) -> None:
    killed = "#!/bin/sh\nkill -s SEGV $$\n"

    assert refusal(tmp_path, tool(), killed) == "chat ended with 139, not with 3"


@pytest.mark.usefixtures("hasty")
def test_a_program_that_hangs(tmp_path: Path) -> None:
    hanging = "#!/bin/sh\nexec sleep 60\n"

    assert refusal(tmp_path, tool(), hanging) == "chat did not end within 2 s"


def test_another_program_on_the_port_is_not_taken_for_ours(tmp_path: Path, port: int) -> None:
    """The other one would give the right answer."""
    with listener(port):
        assert refusal(tmp_path, server(port)) == f"port {port} is in use on this machine: chat"


def test_what_needs_others_by_name_is_not_passed_without_them(tmp_path: Path, port: int) -> None:
    need = server(port).subject._replace(name="db")

    assert refusal(tmp_path, tool(needs=(need,)), TOOL).startswith("chat needs db by name, and ")


def test_a_child_that_dies_is_no_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("import os; os.kill(os.getpid(), 9)", 'print(\'{"seen": "x"}\'); exit(1)', ""):
        monkeypatch.setattr(namespaces, "_CHILD", [sys.executable, "-c", text])

        assert refusal(tmp_path, tool(), TOOL).startswith(
            "the smoke test's own process ended with "
        )


def command_lines() -> list[bytes]:
    """Of every process of this machine."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            found.append(path.read_bytes())
    return found


def listener(port: int) -> socket.socket:
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind(("127.0.0.1", port))
    taken.listen()
    return taken


def _anybody(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def private() -> namespaces.Isolation:
    """Namespaces but no root folder of its own: the scripts need an interpreter."""
    found = namespaces.strictest("65532:65532")
    if not found.prefix:
        pytest.skip("this machine allows no namespaces")
    return found._replace(rooted=False)


@pytest.mark.integration
def test_a_network_of_its_own(tmp_path: Path, port: int, private: namespaces.Isolation) -> None:
    """Whoever listens on that port here is on another network."""
    with listener(port):
        assert tried(tmp_path, server(port), way=private) == "http 200"


@pytest.mark.integration
def test_nothing_outlives_the_child(tmp_path: Path, private: namespaces.Isolation) -> None:
    """Not even what a program starts apart, in a session of its own."""
    mark = f"{os.getpid()}.5"
    daemon = f"#!/bin/sh\nsetsid sleep {mark} &\nsleep 0.2\nexit 3\n"

    assert tried(tmp_path, tool(), daemon, way=private) == "exit 3"
    assert mark.encode() not in b"".join(command_lines())


def test_the_limits_are_generous() -> None:
    assert min(smoke.START_LIMIT, smoke.RUN_LIMIT) >= 60
