"""The bundled workspace in containers: looked into, tried out, altered, killed, and all together.

One project for all of it, since its first run compiles everything.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess  # noqa: TID251 - drives real processes
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from doit_cargo.core import layout
from doit_cargo.core.errors import CheckError
from doit_cargo.core.images import dockerfile, engine_commands
from doit_cargo.core.model import Context
from doit_cargo.core.record import digest, encode, read
from doit_cargo.steps import verify_image
from doit_cargo.tools.images import engines
from doit_cargo.tools.run.session import Session
from doit_cargo.tools.smoke.containers import LABEL
from helpers.bundled import ENV, Bundled, daemon, docker
from helpers.engines import need

pytestmark = [pytest.mark.engine, pytest.mark.integration]

SERVICES = (
    "fechatter_server", "analytics_server", "notify_server", "fechatter_gateway", "bot", "indexer",
)  # fmt: skip
NOTIFY = "smoke: {http: {path: /health, body: ok}}\n    fechatter_gateway"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundled]:
    need("buildah", "docker", "dockerd", "docker-compose", "qemu-aarch64-static")
    made = Bundled(tmp_path_factory.mktemp("bundled") / "project")
    with daemon(tmp_path_factory.mktemp("docker")):
        yield made
        made.remove_images()
    shutil.rmtree(made.root)


@pytest.fixture(scope="module")
def first_run(project: Bundled) -> str:
    """What the first run printed: two architectures, from sources to images that were tried out."""
    done = project.doit("smoke", "smoke:aarch64:notify_server", env=ENV)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def left(project: Bundled) -> list[str]:
    """The containers and networks of the project's trials that are there now."""
    mark = f"label={LABEL}={digest(str(project.root / '.doit-cargo'))[:16]}"
    containers = docker("container", "ls", "--all", "--quiet", "--filter", mark)
    return (containers + docker("network", "ls", "--quiet", "--filter", mark)).split()


def smoked(printed: str) -> list[str]:
    return sorted(" ".join(line.split()[1:3]) for line in printed.splitlines() if "smoked" in line)


def test_every_service_is_tried_out(project: Bundled, first_run: str) -> None:
    assert smoked(first_run) == sorted(
        [*(f"x86_64 {name}" for name in SERVICES), "aarch64 notify_server"]
    )
    ctx = project.context()
    target = ctx.config.targets[0]
    for binary in ctx.ship:
        known = read(layout.smoke_record(ctx.config, target, binary))
        assert (
            known["ids"][binary.name] == read(layout.image_record(ctx.config, target, binary))["id"]
        )
        assert known["isolation"] == "docker"
    assert left(project) == []


def test_what_was_tried_out_is_not_tried_again_but_is_looked_into(
    project: Bundled, first_run: str
) -> None:
    del first_run
    again = project.doit("smoke", env=ENV)

    assert again.returncode == 0
    assert smoked(again.stdout) == []
    assert again.stdout.count("checked") == len(SERVICES)


def test_another_image_is_tried_out_anew(project: Bundled, first_run: str) -> None:
    """It has the same binary and another environment."""
    del first_run
    old = "notify_server:\n      port"
    new = "notify_server:\n      env: {LOG: all}\n      port"
    changed = project.other_config("env.yaml", old, new)
    done = project.doit("smoke:x86_64:notify_server", changed, env=ENV)
    back = project.doit("smoke:x86_64:notify_server", env=ENV)

    assert smoked(done.stdout) == smoked(back.stdout) == ["x86_64 notify_server"]


def test_a_program_that_fails_is_shown_with_its_log(project: Bundled, first_run: str) -> None:
    del first_run
    broken = project.other_config(
        "broken.yaml", NOTIFY, NOTIFY.replace("}}", "}, env: {FECHATTER_NOTIFY_ADDR: nowhere}}")
    )
    done = project.doit("smoke:x86_64:notify_server", broken, env=ENV)

    assert done.returncode == 1
    assert "FAILED   smoke:x86_64:notify_server\nnotify_server ended with 1 before" in done.stderr
    assert "notify_server wrote:\n  " in done.stderr
    assert 'FECHATTER_NOTIFY_ADDR: cannot use "nowhere"' in done.stderr
    assert left(project) == []


@pytest.fixture(scope="module")
def hanging(project: Bundled, first_run: str) -> str:
    """A trial that goes on until its limit: the path is not there."""
    del first_run
    return project.other_config("hanging.yaml", NOTIFY, NOTIFY.replace("/health", "/nowhere"))


def started(project: Bundled, hanging: str) -> subprocess.Popen[str]:
    """A run that has made a network and a container."""
    run = project.start("smoke:x86_64:notify_server", hanging, env=ENV)
    while len(left(project)) < 2:
        assert run.poll() is None
        time.sleep(0.1)
    return run


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_by_a_signal(project: Bundled, hanging: str, number: int) -> None:
    run = started(project, hanging)
    os.kill(run.pid, number)
    run.communicate()

    assert run.returncode == 128 + number
    assert left(project) == []


def test_what_a_killed_run_has_left_is_removed_by_the_next(project: Bundled, hanging: str) -> None:
    run = started(project, hanging)
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    assert len(left(project)) == 2
    project.path(".doit-cargo/records/x86_64/smoke/notify_server.json").unlink()

    assert smoked(project.build("smoke:x86_64:notify_server", env=ENV)) == ["x86_64 notify_server"]
    assert left(project) == []


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_what_relro_names_is_read_only_in_a_container(
    project: Bundled, first_run: str, arch: str
) -> None:
    """By the kernel's own word, under the emulator too."""
    assert "RELRO" not in first_run
    assert protection(project, arch, "notify_server") == "read-only"


def protection(project: Bundled, arch: str, name: str) -> str:
    """What the record of a smoke test says of RELRO."""
    record = project.path(f".doit-cargo/records/{arch}/smoke/{name}.json")
    return str(json.loads(record.read_text())["relro"])


@pytest.mark.parametrize(
    ("arch", "name"), [("x86_64", "fechatter_gateway"), ("aarch64", "notify_server")]
)
def test_without_docker(project: Bundled, first_run: str, arch: str, name: str) -> None:
    """The gateway finds three others by their names."""
    del first_run
    project.path(f".doit-cargo/records/{arch}/smoke/{name}.json").unlink()
    gone = {**ENV, "DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    done = project.doit(f"smoke:{arch}:{name}", env=gone)

    assert smoked(done.stdout) == [f"{arch} {name}"], done.stdout
    assert "http 200, in an empty root folder" in done.stdout
    assert protection(project, arch, name) == "read-only"
    assert not [path for path in project.path(".doit-cargo/work").rglob("*") if path.is_file()]


# Images that are altered as somebody would alter them: built anew, by a real engine.


class Altered:
    """What an image is built from; each method spoils it in one way."""

    def __init__(self, ctx: Context, folder: Path) -> None:
        assert ctx.config.images
        self.ctx = ctx
        self.engine = ctx.config.images.engine
        self.target, foreign = ctx.config.targets
        self.platform = self.target.platform
        (self.shipped,) = (b for b in ctx.ship if b.name == "notify_server")
        crate = ctx.graph.crates[self.shipped.crate]
        self.arguments = dockerfile.arguments(ctx.config.images, crate, self.shipped)
        self.folder = folder
        self.binary = folder / "context/binaries" / self.shipped.crate / self.shipped.name
        self.binary.parent.mkdir(parents=True)
        shutil.copy(layout.staged(ctx.config, self.target, self.shipped), self.binary)
        self.foreign = layout.staged(ctx.config, foreign, self.shipped)
        tail = dockerfile.tail(ctx.config.images, self.shipped, health=False)
        self.text = ctx.config.images.dockerfile.read_text() + tail

    def other_architecture(self) -> None:
        shutil.copy(self.foreign, self.binary)

    def false_label(self) -> None:
        self.platform = "linux/arm64"

    def altered_byte(self) -> None:
        data = self.binary.read_bytes()
        self.binary.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

    def setuid(self) -> None:
        """By the way that each engine lets through."""
        self.binary.chmod(0o4755)
        if self.engine == "buildah":
            self.text = self.text.replace("COPY --from", "COPY --chmod=4755 --from")

    def root(self) -> None:
        self.arguments["RUN_AS"] = "0"

    def shell(self) -> None:
        self.text += 'ENTRYPOINT ["/bin/sh", "-c", "/app/service"]\n'

    def extra_file(self) -> None:
        (self.folder / "context/extra").write_text("x")
        self.text += "COPY extra /app/.env\n"

    def secret(self) -> None:
        self.text += "ENV DB_PASSWORD=x\n"

    def hidden(self) -> None:
        """The right binary over a wrong one."""
        (self.folder / "context/other").write_bytes(self.foreign.read_bytes())
        self.text = self.text.replace(
            "COPY --from", "COPY --chmod=755 other /app/service\nCOPY --from"
        )

    def verify(self) -> None:
        """Build it with the configured engine, and have the step look into it."""
        images = self.ctx.config.images
        assert images
        (self.folder / "Dockerfile").write_text(self.text)
        order = engine_commands.Order(
            folder=self.folder,
            references=(f"altered:{self.folder.name.lower()}",),
            platform=self.platform,
            arguments=self.arguments,
            epoch=0,
        )
        made = engines.engine(self.ctx, images).build(order)
        record = layout.image_record(self.ctx.config, self.target, self.shipped)
        known = record.read_bytes()
        record.write_bytes(encode({**read(record), "id": made}))
        try:
            self._look()
        finally:
            record.write_bytes(known)
            if self.engine == "docker":
                docker("image", "rm", "--force", made)

    def _look(self) -> None:
        name = f"verify-image:{self.target.arch}:{self.shipped.name}"
        (spec,) = (s for s in verify_image.specs(self.ctx, Session()) if s.name == name)
        assert spec.action
        spec.action()


@pytest.fixture(params=["buildah", "docker"])
def altered(
    request: pytest.FixtureRequest, project: Bundled, first_run: str, tmp_path: Path
) -> Altered:
    """The image as it should be, still to be built by one engine and by the other."""
    del first_run
    ctx = project.context()
    assert ctx.config.images
    chosen = ctx.config.images._replace(engine=request.param)
    return Altered(ctx._replace(config=ctx.config._replace(images=chosen)), tmp_path)


def test_the_image_as_it_should_be(altered: Altered) -> None:
    altered.verify()


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (Altered.other_architecture, "/app/service is for aarch64, the image for linux/amd64"),
        (Altered.false_label, "its config says platform 'linux/arm64', not linux/amd64"),
        (Altered.altered_byte, "as the manifest says"),
        (Altered.setuid, "/app/service has mode 4755, not 0755"),
        (Altered.root, "its user is '0': a number other than 0 is wanted"),
        (Altered.shell, "its Entrypoint is ['/bin/sh', '-c', '/app/service']"),
        (Altered.extra_file, "/app/.env looks like a secret, by its name"),
        (Altered.secret, "its variable DB_PASSWORD looks like a secret"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_altered_image(altered: Altered, how: Callable[[Altered], None], reason: str) -> None:
    how(altered)
    with pytest.raises(CheckError) as caught:
        altered.verify()

    assert reason in str(caught.value)


@pytest.mark.parametrize("altered", ["docker"], indirect=True)
def test_an_image_with_a_wrong_binary_below_the_right_one(altered: Altered) -> None:
    """Buildah is told to make one layer of all."""
    altered.hidden()
    with pytest.raises(CheckError, match="layer 1: /app/service is for aarch64"):
        altered.verify()


# The whole application.


@pytest.fixture
def stack(project: Bundled, first_run: str) -> Iterator[Callable[..., str]]:
    """docker-compose on the project's images, at ports that are free."""
    del first_run
    env = {**os.environ, **ENV, "TAG": project.tag, "GATEWAY_PORT": "0", "INDEXER_PORT": "0"}
    start = ["docker-compose", "-f", "docker/compose.yaml", "-p", project.tag]

    def compose(*words: str) -> str:
        done = subprocess.run(
            [*start, *words], cwd=project.root, env=env, capture_output=True, text=True,
            check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    yield compose
    compose("down", "--timeout", "0")


def ask(url: str, data: object = None) -> Any:  # noqa: ANN401 - JSON
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - http, above
        return json.load(answer)


def until(found: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is waited for
    """What is found, as soon as there is something."""
    deadline = time.monotonic() + 60
    while not (result := found()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.2)
    return result


def test_the_whole_application_does_its_job_and_ends(
    project: Bundled, stack: Callable[..., str]
) -> None:
    """A question through the gateway: the bot answers, the indexer finds both, it is counted."""
    stack("up", "--detach")
    gateway = f"http://{stack('port', 'fechatter_gateway', '8080').strip()}"
    indexer = f"http://{stack('port', 'indexer', '6689').strip()}"
    upstreams = ask(f"{gateway}/ready")["upstreams"]
    chat = f"{gateway}/chat/chats/1/messages"
    ask(chat, {"author": "ann", "text": "@bot keywords: green tea, black tea"})
    answer = until(lambda: ask(f"{chat}?after=1")["messages"])[0]
    found = until(lambda: [m for m in [ask(f"{indexer}/search?q=tea")] if m["total"] == 2])[0]
    counted = ask(f"{gateway}/analytics/counters")["by_kind"]
    containers = stack("ps", "--quiet").split()
    stack("stop")
    form = "{{.State.ExitCode}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}"
    states = docker("container", "inspect", "--format", form, *containers).splitlines()

    assert upstreams == {"chat": "ok", "analytics": "ok", "notify": "ok"}
    assert answer["author"] == {"name": "bot", "kind": "bot"}
    assert answer["text"] == "@ann Keywords: tea, green, black"
    assert [match["author"] for match in found["matches"]] == ["bot", "ann"]
    assert counted == {"message_posted": 2}
    assert states == ["0 true [ALL]"] * len(SERVICES)
    assert project.tag in docker("image", "ls")
