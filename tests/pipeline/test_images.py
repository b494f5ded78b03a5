"""Images of real binaries, with the real engines and a real registry."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess  # noqa: TID251 - the tests drive real processes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from doit_cargo.core.context import read_context
from doit_cargo.core.errors import CheckError
from doit_cargo.core.images import engine_commands
from doit_cargo.core.images.contents import Entry, Image
from doit_cargo.core.model import Binary, Context
from doit_cargo.tools.elf.second_opinion import SecondOpinion
from doit_cargo.tools.images import archive_reader, inputs
from doit_cargo.tools.images import check as image_check
from helpers import engines
from helpers.project import Project, sha256

pytestmark = [pytest.mark.engine, pytest.mark.integration]

CONFIG = """\
workspace: .
targets:
  x86_64: x86_64-unknown-linux-musl
  aarch64: {triple: aarch64-unknown-linux-musl, default: false}
images:
  engine: ENGINE
  prefix: acme
  registry: localhost:PORT
  insecure: true
  certificates: etc/certificates.crt
  timezones: []
  services:
    alpha: {port: 8080, health: [--health], env: {GREETING: 'a "b" $HOME \\ c'}}
    beta: {}
"""
ALPHA, BETA = Binary(crate="alpha", name="alpha"), Binary(crate="beta", name="beta")
CERTIFICATES = "-----BEGIN CERTIFICATE-----\n"


class World(Project):
    """The project of the other tests, with images, and a PATH that counts engines' calls."""

    def __init__(self, folder: Path, shims: engines.Shims, port: int, engine: str) -> None:
        super().__init__(folder)
        self.shims, self.port = shims, port
        text = CONFIG.replace("ENGINE", engine).replace("PORT", str(port))
        (folder / "config/pipeline.yaml").write_text(text)
        (folder / "etc").mkdir()
        (folder / "etc/certificates.crt").write_text(CERTIFICATES)

    def run(self, *args: str, code: int = 0, **env: str) -> str:
        """Run doit, which must end with that code; what it printed."""
        done = self.doit(*args, env={"PATH": self.shims.path, **env})
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        return said

    @contextmanager
    def configured(self, old: str, new: str) -> Iterator[None]:
        """Another configuration for a while."""
        path = self.path("config/pipeline.yaml")
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        try:
            yield
        finally:
            path.write_text(text)

    def record(self, name: str) -> Any:  # noqa: ANN401 - JSON
        return engines.read_json(self.path(f".doit-cargo/records/{name}.json"))

    def context(self) -> Context:
        return read_context(self.root, {**self.environment(None), "PATH": self.shims.path})

    def layout(self, name: str) -> archive_reader.Layout:
        return archive_reader.layout(self.path(f"docker/images/{name}"))

    def image(self, name: str) -> Image:
        """The first platform's image."""
        return next(iter(self.layout(name).images.values()))

    def config(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """The same one's config, as it is written."""
        blobs = self.path(f"docker/images/{name}/blobs/sha256")
        return engines.read_json(blobs / self.image(name).id)

    def buildah(self, *words: str) -> str:
        argv = engine_commands.buildah(self.path(".doit-cargo/containers"), *words)
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def shims(tmp_path_factory: pytest.TempPathFactory) -> engines.Shims:
    engines.need(*engines.PROGRAMS)
    return engines.Shims(tmp_path_factory.mktemp("shims"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, shims: engines.Shims) -> World:
    """A project whose index of both platforms is made."""
    made = World(tmp_path_factory.mktemp("world"), shims, engines.free_port(), "buildah")
    made.run("index")
    return made


@pytest.fixture(scope="module")
def opinion() -> Iterator[SecondOpinion]:
    second = SecondOpinion()
    second.start()
    yield second
    second.close()


def contents(image: Image) -> dict[str, Entry]:
    """What a container sees, by path."""
    return {entry.path: entry for layer in image.layers for entry in layer}


def test_an_image_is_one_binary_and_what_is_configured(world: World) -> None:
    """No shell, no root, nothing beside the program and the certificates."""
    layout, config = world.layout("alpha"), world.config("alpha")
    found = contents(world.image("alpha"))
    platforms = [image.platform for image in layout.images.values()]

    assert platforms == ["linux/amd64", "linux/arm64"]
    assert {path for path, entry in found.items() if entry.kind == "file"} == {
        "app/service",
        "etc/ssl/certs/ca-certificates.crt",
    }
    assert found["app/service"].sha256 == sha256(world.staged("alpha"))
    assert config["config"]["User"] == "65532:65532"
    assert config["config"]["Entrypoint"] == ["/app/service"]
    assert config["config"]["ExposedPorts"] == {"8080/tcp": {}}
    assert 'GREETING=a "b" $HOME \\ c' in config["config"]["Env"]
    assert config["config"]["Labels"] == {
        "org.opencontainers.image.title": "alpha",
        "org.opencontainers.image.version": "0.1.0",
    }
    assert config["created"] == "1970-01-01T00:00:00Z"


def test_records_say_what_was_made(world: World) -> None:
    image, index = world.record("aarch64/image/alpha"), world.record("index/alpha")

    assert image["engine"] == "buildah"
    assert image["references"] == ["acme/alpha:0.1.0-aarch64"]
    assert image["platform"] == "linux/arm64"
    assert index["digest"] == world.layout("alpha").digest
    assert index["platforms"] == {
        image.platform: digest for digest, image in world.layout("alpha").images.items()
    }


def test_with_nothing_to_do_the_engine_is_asked_once(world: World) -> None:
    world.run("index")
    before = world.stamps("docker/images")
    world.shims.calls()

    assert "up to date" in world.run("index")
    assert world.shims.calls() == ["buildah images"]
    assert world.stamps("docker/images") == before


def test_the_default_tasks_ask_no_engine(world: World) -> None:
    world.run()
    world.shims.calls()

    assert "up to date" in world.run()
    assert world.shims.calls() == []


def test_an_edit_of_one_binary_makes_its_images_alone(world: World) -> None:
    source = world.path("beta/src/main.rs")
    text = source.read_text()
    world.shims.calls()
    source.write_text(text.replace("beta {}", "BETA {}"))
    said = world.run("image")
    source.write_text(text)
    again = world.run("image")

    assert [line for line in (said + again).splitlines() if line.startswith("imaged")] == [
        "imaged   x86_64 beta  acme/beta:0.1.0",
        "imaged   x86_64 beta  acme/beta:0.1.0",
    ]
    assert world.shims.calls().count("buildah bud") == 2


def test_an_image_that_was_removed_or_renamed_is_made_again(world: World) -> None:
    world.run("image")
    before = world.record("x86_64/image/alpha")["id"]
    world.buildah("rmi", "--force", before.removeprefix("sha256:"))
    assert "imaged   x86_64 alpha" in world.run("image")
    assert world.record("x86_64/image/alpha")["id"] == before

    world.buildah("tag", "acme/beta:0.1.0", "acme/alpha:0.1.0")
    assert "imaged   x86_64 alpha" in world.run("image")
    assert world.record("x86_64/image/alpha")["id"] == before


def test_a_layout_that_was_touched_is_made_again(world: World) -> None:
    world.run("index")
    digest = world.layout("alpha").digest
    largest = max(world.path("docker/images/alpha/blobs/sha256").iterdir(), key=os.path.getsize)
    largest.write_bytes(largest.read_bytes()[:-1])
    world.path("docker/images/beta/stray").touch()
    said = world.run("index")

    assert "indexed  alpha" in said
    assert "indexed  beta" in said
    assert world.layout("alpha").digest == digest
    assert not world.path("docker/images/beta/stray").exists()


def test_other_bytes_than_the_manifests_never_get_in(world: World, opinion: SecondOpinion) -> None:
    """Below doit's own checks, as if state and records had been forged."""
    world.run("index")
    ctx = world.context()
    target = ctx.config.targets[0]
    alpha, beta = (world.staged(name).read_bytes() for name in ("alpha", "beta"))
    assert inputs.staged(ctx, opinion, target, ALPHA) == alpha

    world.staged("beta").write_bytes(alpha)
    with pytest.raises(CheckError, match="does not match the manifest: run doit again"):
        inputs.staged(ctx, opinion, target, BETA)
    world.staged("beta").write_bytes(beta)
    assert ctx.config.images
    check = partial(image_check.checked, ctx, ctx.config.images, opinion)
    folder = world.path("docker/images/alpha")
    check(ALPHA, folder)
    with pytest.raises(CheckError, match=r"app/service has SHA-256 \w+, not \w+ as the manifest"):
        check(BETA, folder)
    world.path("etc/certificates.crt").write_text("forged\n")
    with pytest.raises(CheckError, match=r"certificates\.crt has SHA-256 \w+, not \w+ as is conf"):
        check(ALPHA, folder)
    world.path("etc/certificates.crt").write_text(CERTIFICATES)


def test_another_folder_and_an_empty_store_give_the_same_digests(
    world: World, shims: engines.Shims, tmp_path: Path
) -> None:
    world.run("index")
    other = World(tmp_path / "elsewhere" / "deep", shims, world.port, "buildah")
    other.run("index:alpha")
    shutil.rmtree(world.path(".doit-cargo/containers"))
    shutil.rmtree(world.path("docker/images"))
    world.run("index:alpha")

    assert other.layout("alpha").digest == world.layout("alpha").digest
    assert other.tree("docker/images") == world.tree("docker/images")


def test_the_creation_time_is_source_date_epoch(world: World) -> None:
    world.run("index:beta")
    digest = world.layout("beta").digest
    world.run("index:beta", SOURCE_DATE_EPOCH="1000000000")

    assert world.config("beta")["created"] == "2001-09-09T01:46:40Z"
    assert world.layout("beta").digest != digest
    assert "whole seconds" in world.run("image:x86_64:beta", code=1, SOURCE_DATE_EPOCH="today")
    world.run("index:beta")
    assert world.layout("beta").digest == digest


def test_a_commit_moves_a_tag_and_changes_no_digest(world: World) -> None:
    """And nothing is pushed under the name of a revision that it is not."""
    tags = "images:\n  tags: ['{version}', '{revision}']\n"
    with world.configured("images:\n", tags):
        assert "{revision} needs a git repository" in world.run("image:x86_64:alpha", code=1)
        git = ["git", "-C", str(world.root), "-c", "user.name=a", "-c", "user.email=a@b.c"]
        for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "one"]):
            subprocess.run([*git, *words], check=True)
        world.run("image:x86_64:alpha")
        before = world.record("x86_64/image/alpha")
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "two"], check=True)
        world.run("image:x86_64:alpha")
        after = world.record("x86_64/image/alpha")

        assert before["id"] == after["id"]
        assert before["references"][0] == after["references"][0] == "acme/alpha:0.1.0"
        assert before["references"][1] != after["references"][1]
        assert "differs from it: commit first" in world.run("push:alpha", code=1)
        shutil.rmtree(world.path(".git"))


def test_a_push_sends_what_the_registry_lacks(world: World, tmp_path: Path) -> None:
    with engines.registry(tmp_path, world.port) as address:
        said = world.run("push")
        digest = world.layout("alpha").digest
        assert f"pushed   0.1.0  {address}/acme/alpha@{digest}" in said
        assert remote_digest(world, "alpha") == digest

        assert f"there already  {address}/acme/alpha@{digest}" in world.run("push")

        shutil.rmtree(tmp_path / "registry/docker/registry/v2/repositories/acme/beta")
        said = world.run("push")
        assert f"there already  {address}/acme/alpha@{digest}" in said
        assert f"pushed   0.1.0  {address}/acme/beta@" in said


def test_what_a_wrapper_compiled_is_pushed_where_it_is_trusted(
    world: World, tmp_path: Path
) -> None:
    """It may have answered with what somebody else made; without it all is compiled anew."""
    wrapper = world.path("wrap.sh")
    wrapper.write_text('#!/bin/sh\nexec "$@"\n')
    wrapper.chmod(0o755)
    config = world.path(".cargo/config.toml")
    config.parent.mkdir(exist_ok=True)
    config.write_text('build.rustc-wrapper = "./wrap.sh"\n')
    ours = world.path("config/pipeline.yaml")
    text = ours.read_text()
    with engines.registry(tmp_path, world.port):
        refused = world.run("push:beta", code=1)
        with pytest.raises(subprocess.CalledProcessError):
            remote_digest(world, "beta")
        ours.write_text(f"{text}cargo: {{trust_wrapper: true}}\n")
        world.run("push:beta")
        assert remote_digest(world, "beta") == world.layout("beta").digest
    ours.write_text(text)
    config.unlink()
    world.run("index")

    assert f"compiled through {wrapper}, which answers for rustc: not pushed" in refused


def registry_blob(folder: Path, sha256: str) -> Path:
    """Where the registry keeps a blob's bytes."""
    return folder / f"registry/docker/registry/v2/blobs/sha256/{sha256[:2]}/{sha256}/data"


def test_a_blob_that_the_registry_lost_is_sent_again(world: World, tmp_path: Path) -> None:
    with engines.registry(tmp_path, world.port):
        world.run("push:beta")
        image = next(iter(world.layout("beta").images.values()))
        shutil.rmtree(registry_blob(tmp_path, image.id).parent)
        shutil.rmtree(
            tmp_path
            / "registry/docker/registry/v2/repositories/acme/beta/_layers/sha256"
            / image.id
        )
        said = world.run("push:beta")

        assert "there already" in said
        assert registry_blob(tmp_path, image.id).exists()


def test_what_comes_into_the_folder_after_the_check_is_not_pushed(
    world: World, tmp_path: Path
) -> None:
    """A skopeo that swaps the layout before it copies: by digest it is refused, by tag unused."""
    place, other = world.path("docker/images/alpha"), world.path("docker/images/beta")
    mine, digest = tmp_path / "mine", world.layout("alpha").digest
    shutil.copytree(place, mine)
    swap = f"rm -rf {place}; cp -r {other} {place}"
    for when, name in (("@sha256:", "by-digest"), (":0.1.0", "by-tag")):
        shim = tmp_path / "shim"
        shim.mkdir(exist_ok=True)
        script = f'case "$*" in copy*{when}*) {swap};; esac\nexec /usr/bin/skopeo "$@"\n'
        (shim / "skopeo").write_text(f"#!/bin/sh\n{script}")
        (shim / "skopeo").chmod(0o755)
        with engines.registry(tmp_path / name, world.port):
            done = world.doit("push:alpha", env={"PATH": f"{shim}:{world.shims.path}"})
            found = remote_digest(world, "alpha") if done.returncode == 0 else None
        shutil.rmtree(place)
        shutil.copytree(mine, place)

        assert found in {None, digest}
        assert (when == ":0.1.0") is (found == digest), done.stdout + done.stderr


def test_a_registry_that_is_down_or_breaks_off_leaves_no_tag(world: World, tmp_path: Path) -> None:
    assert f"the registry localhost:{world.port} failed" in world.run("push", code=1)
    behind = engines.free_port()
    with engines.registry(tmp_path, behind):
        with engines.breaking(world.port, behind, after=60_000):
            assert f"the registry localhost:{world.port} failed" in world.run("push", code=1)
        tags = list((tmp_path / "registry").rglob("tags/0.1.0"))
        assert tags == []
    with engines.registry(tmp_path, world.port):
        world.run("push")
        assert remote_digest(world, "beta") == world.layout("beta").digest


def test_credentials_come_from_the_login_and_go_nowhere(world: World, tmp_path: Path) -> None:
    login = tmp_path / "auth.json"
    token = base64.b64encode(f"{engines.ME}:{engines.PASSWORD}".encode()).decode()
    login.write_text(json.dumps({"auths": {f"localhost:{world.port}": {"auth": token}}}))
    with engines.registry(tmp_path, world.port, secret=True) as address:
        refused = world.run("push:alpha", code=1, REGISTRY_AUTH_FILE=str(tmp_path / "none"))
        said = world.run("push:alpha", REGISTRY_AUTH_FILE=str(login))
    told = "\n".join([refused, said, *(argv := world.shims.lines())])
    kept = (path.read_bytes() for path in world.path(".doit-cargo").rglob("*") if path.is_file())

    assert any("skopeo copy" in line for line in argv)
    assert f"log in first: skopeo login {address}" in refused
    assert f"pushed   0.1.0  {address}/acme/alpha@" in said
    assert not any(secret in told for secret in (token, engines.PASSWORD))
    assert not any(engines.PASSWORD.encode() in data or token.encode() in data for data in kept)


def remote_digest(world: World, name: str) -> str:
    """What the registry itself says of the tag."""
    return subprocess.run(
        ["skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}",
         f"docker://localhost:{world.port}/acme/{name}:0.1.0"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


def test_a_machine_without_an_engine_says_so_once(world: World, tmp_path: Path) -> None:
    """Before anything is compiled, and only if images are asked for."""
    for command, missing in (("image", "buildah"), ("push", "skopeo")):
        said = world.run(command, code=3, PATH=str(tmp_path))
        assert f"{missing} is not installed: apt-get install {missing}" in said
        assert said.count("buildah is not installed") == 1


def test_the_doctor_tells_of_the_engines(world: World, tmp_path: Path) -> None:
    assert "buildah version" in world.run("doctor")
    said = world.doit("doctor", env={"PATH": str(tmp_path)}).stdout

    assert "optional  buildah" in said
    assert "apt-get install buildah" in said


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[engines.Daemon]:
    engines.need(*engines.PROGRAMS)
    one = engines.Daemon(tmp_path_factory.mktemp("d"))
    one.start()
    yield one
    one.stop()


def docker(daemon: engines.Daemon, *words: str) -> str:
    program = engines.real("docker")
    assert program
    return subprocess.run(
        [program, "--host", daemon.host, *words], check=True, capture_output=True, text=True
    ).stdout


def test_docker_makes_the_same_image(world: World, daemon: engines.Daemon) -> None:
    """Contents, modes, owners; it runs without network, rights or a shell; no-op and removal."""
    with world.configured("engine: buildah", "engine: docker"):
        world.run("index:alpha", DOCKER_HOST=daemon.host)
        made_by_docker = contents(world.image("alpha"))
        safe = ("--rm", "--network", "none", "--read-only", "--cap-drop", "ALL")
        said = docker(daemon, "run", *safe, "acme/alpha:0.1.0")
        health = docker(daemon, "inspect", "--format", "{{json .Config.Healthcheck.Test}}",
                        "acme/alpha:0.1.0")  # fmt: skip
        world.shims.calls()
        again = world.run("image:x86_64:alpha", DOCKER_HOST=daemon.host)
        calls = world.shims.calls()
        docker(daemon, "rmi", "acme/alpha:0.1.0")
        third = world.run("image:x86_64:alpha", DOCKER_HOST=daemon.host)
    world.run("index")

    assert made_by_docker == contents(world.image("alpha"))
    assert said == "alpha hello\n"
    assert health.strip() == '["CMD","/app/service","--health"]'
    assert ("up to date" in again, calls) == (True, ["docker images"])
    assert "imaged   x86_64 alpha" in third


def test_a_daemon_that_goes_away_during_a_build(world: World, daemon: engines.Daemon) -> None:
    """A clear error; when it is back, the next run completes."""
    with world.configured("engine: buildah", "engine: docker"):
        env = {"PATH": world.shims.path, "DOCKER_HOST": daemon.host, "SOURCE_DATE_EPOCH": "1"}
        world.run("stage")
        world.shims.calls()
        daemon.pause()
        run = world.start("image:x86_64:beta", env=env)
        engines.wait_for(lambda: "docker build" in world.shims.calls())
        daemon.kill()
        out, err = run.communicate(timeout=60)
        assert run.returncode == 1, out + err
        assert "the Docker daemon" in out + err

        gone = world.doit("image:x86_64:beta", env=env)
        daemon.start()
        back = world.doit("image:x86_64:beta", env=env)
        assert gone.returncode == 1
        assert (
            "the Docker daemon does not answer: systemctl start docker" in gone.stdout + gone.stderr
        )
        assert "imaged   x86_64 beta" in back.stdout + back.stderr


def test_a_client_without_buildx_is_told_what_to_do(world: World, tmp_path: Path) -> None:
    """What the client 28.2 says without its plugin, said by a script: Debian has no such client."""
    with world.configured("engine: buildah", "engine: docker"):
        script = tmp_path / "docker"
        script.write_text(
            "#!/bin/sh\necho 'ERROR: BuildKit is enabled but the buildx component is missing or "
            "broken.' >&2\nexit 1\n"
        )
        script.chmod(0o755)
        said = world.run("image:x86_64:beta", code=1, PATH=f"{tmp_path}:{world.shims.path}")

    assert "cannot build without buildx: install its plugin (docker-buildx-plugin)" in said


def test_a_killed_run_leaves_nothing_in_the_way(world: World) -> None:
    """SIGKILL in the middle of a build: the engine goes too, and the next run completes."""
    world.run("image")
    world.shims.calls()
    run = world.start(
        "image:x86_64:alpha", env={"PATH": world.shims.path, "SOURCE_DATE_EPOCH": "2"}
    )
    engines.wait_for(lambda: "buildah bud" in world.shims.calls())
    run.kill()
    run.communicate()

    assert "imaged   x86_64 alpha" in world.run("image:x86_64:alpha", SOURCE_DATE_EPOCH="2")
    assert list(world.path(".doit-cargo/work").iterdir()) == []


def test_clean_takes_the_images_along(world: World) -> None:
    world.run("index")
    world.path("docker/images/own").write_text("not ours")
    world.run("clean")

    assert [path.name for path in world.path("docker/images").iterdir()] == ["own"]
    assert not world.path(".doit-cargo/containers").exists()
