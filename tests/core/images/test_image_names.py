"""Names, Dockerfiles and command lines of images, as values."""

from __future__ import annotations

import subprocess  # noqa: TID251 - git is asked for what our reader must find
from pathlib import Path
from typing import Any

import pytest

from doit_cargo.core.image_settings import Images, Service
from doit_cargo.core.images import dockerfile, engine_commands, engines, names
from doit_cargo.core.model import Binary

BOT = Binary(crate="bot_server", name="bot")


def images(**changes: Any) -> Images:  # noqa: ANN401 - any of its fields
    return Images(engine="auto", dockerfile=Path("/p/docker/Dockerfile"))._replace(**changes)


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    done = subprocess.run(
        ["git", "-C", folder, *identity, *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    return folder


def test_no_repository_has_no_revision(tmp_path: Path) -> None:
    assert names.revision(tmp_path) == ""


def test_a_repository_without_a_commit_has_no_revision(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")

    assert names.revision(tmp_path) == ""


@pytest.mark.parametrize("prepare", [[], ["pack-refs", "--all"], ["checkout", "-q", "--detach"]])
def test_the_revision_is_what_git_says(repository: Path, prepare: list[str]) -> None:
    if prepare:
        git(repository, *prepare)
    (repository / "deep").mkdir()

    assert names.revision(repository / "deep") == git(repository, "rev-parse", "HEAD")


def test_a_loose_reference_goes_before_a_packed_one(repository: Path) -> None:
    git(repository, "pack-refs", "--all")
    git(repository, "commit", "-q", "--allow-empty", "-m", "two")

    assert names.revision(repository) == git(repository, "rev-parse", "HEAD")


@pytest.mark.parametrize("packed", [False, True])
def test_a_worktree_has_its_own_revision(repository: Path, tmp_path: Path, packed: bool) -> None:
    tree = tmp_path / "tree"
    git(repository, "worktree", "add", "-q", "-b", "side", str(tree))
    git(tree, "commit", "-q", "--allow-empty", "-m", "side")
    if packed:
        git(repository, "pack-refs", "--all")

    assert names.revision(tree) == git(tree, "rev-parse", "HEAD")
    assert names.revision(tree) != names.revision(repository)


def test_a_damaged_repository_has_no_revision(tmp_path: Path) -> None:
    for text in ("gitdir: nowhere", "\0", "gitdir: "):
        (tmp_path / ".git").write_text(text)

        assert names.revision(tmp_path) == ""


def test_a_repository_and_its_place_in_the_registry() -> None:
    one = images(prefix="acme/shop", registry="localhost:5000")

    assert names.repository(one, BOT) == "acme/shop/bot"
    assert names.repository(images(), BOT) == "bot"
    assert names.remote(one, BOT) == "localhost:5000/acme/shop/bot"


def test_what_cannot_be_a_tag_is_told() -> None:
    assert names.tag_faults(["1.0", "x" * 128]) == []
    assert names.tag_faults(["", "x" * 129]) == [
        "images.tags: {revision} needs a git repository with a commit",
        f"images.tags: '{'x' * 129}' is too long",
    ]


def test_the_instructions_that_no_argument_can_give() -> None:
    service = Service(
        port=80, health=("--health", 'a"b'), env={"A": "x y", "B": '$HOME "q" \\', "C": ""}
    )
    one = images(
        certificates=Path("/etc/x.crt"), timezones=("Europe/Rome",), services={"bot": service}
    )
    expected = [
        "COPY files/etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt",
        "COPY files/usr/share/zoneinfo/Europe/Rome /usr/share/zoneinfo/Europe/Rome",
        'ENV A="x y"',
        r'ENV B="\$HOME \"q\" \\"',
        'ENV C=""',
        "EXPOSE 80/tcp",
        r'HEALTHCHECK CMD ["/app/service", "--health", "a\"b"]',
    ]

    assert dockerfile.tail(one, BOT, health=True).splitlines() == expected
    assert dockerfile.tail(one, BOT, health=False).splitlines() == expected[:-1]
    assert dockerfile.tail(images(), BOT, health=True) == ""


ORDER = engine_commands.Order(
    folder=Path("/w"),
    references=("a/b:1", "a/b:2"),
    platform="linux/arm64",
    arguments={"CRATE": "c"},
    epoch=7,
)
COMMON = (
    "--platform linux/arm64 --build-arg CRATE=c --tag a/b:1 --tag a/b:2 --iidfile /w/id "
    "--file /w/Dockerfile /w/context"
)


def test_buildah_builds_in_a_store_of_its_own_without_time_or_identity() -> None:
    assert " ".join(engine_commands.buildah_build(Path("/s"), ORDER)) == (
        "buildah --storage-driver vfs --root /s/root --runroot /s/run bud --isolation chroot "
        "--format oci --identity-label=false --layers=false --timestamp 7 " + COMMON
    )


def test_docker_builds_with_buildkit() -> None:
    env = engine_commands.docker_env({"PATH": "/bin"}, 7)

    assert " ".join(engine_commands.docker_build(ORDER)) == f"docker build {COMMON}"
    assert env["DOCKER_BUILDKIT"] == "1"
    assert (env["SOURCE_DATE_EPOCH"], env["PATH"]) == ("7", "/bin")


def test_no_credentials_are_in_a_command_line() -> None:
    assert engine_commands.skopeo_copy("bot", "r:1/a@sha256:0", insecure=True) == [
        "skopeo", "copy", "--all", "--dest-tls-verify=false", "oci:bot", "docker://r:1/a@sha256:0",
    ]  # fmt: skip
    assert engine_commands.skopeo_inspect("r.io/a:1", insecure=False) == [
        "skopeo", "inspect", "--raw", "docker://r.io/a:1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("engine", "there", "expected"),
    [
        ("auto", (), "buildah"),
        ("auto", ("docker",), "docker"),
        ("auto", ("docker", "buildah"), "buildah"),
        ("docker", ("buildah",), "docker"),
        ("buildah", ("docker",), "buildah"),
    ],
)
def test_the_engine(tmp_path: Path, engine: str, there: tuple[str, ...], expected: str) -> None:
    for name in there:
        (tmp_path / name).touch(mode=0o755)
    env = {"PATH": str(tmp_path)}

    assert engines.choose(images(engine=engine), env).name == expected
    assert (engines.missing([expected, expected], env) == []) == (expected in there)


def test_the_epoch_is_a_number_of_seconds() -> None:
    assert [engine_commands.epoch(e) for e in ({}, {"SOURCE_DATE_EPOCH": "12"})] == [0, 12]
    for text in ("-1", "1.5", "now", "\u0661"):
        with pytest.raises(ValueError, match="whole seconds"):
            engine_commands.epoch({"SOURCE_DATE_EPOCH": text})
