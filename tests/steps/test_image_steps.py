"""image, verify-image, smoke, index and push: their tasks, and what they hand to the engines."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from doit_cargo.core import layout
from doit_cargo.core.errors import CheckError, SetupError
from doit_cargo.core.images.engine_commands import Order
from doit_cargo.core.images.engines import BUILDAH, DOCKER, EngineKind
from doit_cargo.core.model import Context
from doit_cargo.core.record import encode
from doit_cargo.core.task import Outcome, TaskSpec
from doit_cargo.steps import image, index, push, smoke, verify_image
from doit_cargo.tools.artifact import sha256
from doit_cargo.tools.images import check, engines, registry
from helpers.contexts import BOTH, context, session, shown
from helpers.elf_files import elf
from helpers.machines import program
from helpers.project import SOURCES

IMAGES = """\
images:
  engine: ENGINE
  prefix: acme
  registry: localhost:5000
  tags: ["{version}", latest]
  timezones: []
  services:
    alpha: {port: 8080, env: {GREETING: hello}, health: [--health], smoke: {http: {path: /}}}
    beta: {smoke: {exec: {argv: [--version]}, needs: [alpha]}}
"""
DOCKERFILE = "FROM scratch\nCOPY binaries /\n"
GOOD = elf(payload=b"\xc3" * 70_000)
STEPS = (image, verify_image, smoke, index, push)


def shop(root: Path, images: str = IMAGES, engine: str = "buildah") -> Context:
    """Two programs with images, for two platforms, on a machine with both engines."""
    for name in ("buildah", "docker", "skopeo"):
        program(root / "usr/bin" / name)
    files = {**SOURCES, "docker/Dockerfile": DOCKERFILE}
    return context(root, files, BOTH + images.replace("ENGINE", engine))


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return shop(tmp_path)


def spec(ctx: Context, step: Any, name: str) -> TaskSpec:  # noqa: ANN401 - a module
    found: dict[str, TaskSpec] = {spec.name: spec for spec in step.specs(ctx, session())}
    return found[name]


# specs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.NAME)
def test_without_the_section_there_is_no_task(tmp_path: Path, step: Any) -> None:  # noqa: ANN401
    assert list(step.specs(context(tmp_path), session())) == []


NAMES = {
    "image": [
        f"image:{arch}:{name}" for arch in ("x86_64", "aarch64") for name in ("alpha", "beta")
    ],
    "index": ["index:alpha", "index:beta"],
    "push": ["push:alpha", "push:beta"],
}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.NAME)
def test_a_task_a_platform_and_binary_or_a_binary(ctx: Context, step: Any) -> None:  # noqa: ANN401
    of_all = NAMES.get(step.NAME, [name.replace("image", step.NAME, 1) for name in NAMES["image"]])

    assert [spec.name for spec in step.specs(ctx, session())] == of_all


def test_only_what_is_asked_for_has_a_task(tmp_path: Path) -> None:
    """Without a service no image, without `smoke` no trial, without a registry no push."""
    text = "images: {engine: buildah, timezones: [], services: {beta: {}}}\n"
    ctx = shop(tmp_path, text)

    assert [[spec.name for spec in step.specs(ctx, session())] for step in STEPS] == [
        ["image:x86_64:beta", "image:aarch64:beta"],
        ["verify-image:x86_64:beta", "verify-image:aarch64:beta"],
        [],
        ["index:beta"],
        [],
    ]


SPECS: dict[str, tuple[Any, dict[str, Any]]] = {
    "image:x86_64:alpha": (image, {
        "doc": "make the linux/amd64 image of alpha",
        "inputs": ["docker/context/binaries/alpha/alpha", "docker/Dockerfile"],
        "outputs": [".doit-cargo/records/x86_64/image/alpha.json"],
        "group": "image:x86_64", "programs": ("buildah",),
    }),
    "verify-image:aarch64:alpha": (verify_image, {
        "doc": "check that the linux/arm64 image of alpha holds it alone",
        "inputs": [
            ".doit-cargo/records/aarch64/image/alpha.json", "docker/binaries/aarch64/MANIFEST.txt",
        ],
        "outputs": [".doit-cargo/records/aarch64/verify-image/alpha.json"],
        "group": "verify-image:aarch64", "always": True,
    }),
    "smoke:x86_64:beta": (smoke, {
        "doc": "start and probe the linux/amd64 image of beta",
        "inputs": [
            ".doit-cargo/records/x86_64/image/alpha.json",
            ".doit-cargo/records/x86_64/verify-image/alpha.json",
            ".doit-cargo/records/x86_64/image/beta.json",
            ".doit-cargo/records/x86_64/verify-image/beta.json",
        ],
        "outputs": [".doit-cargo/records/x86_64/smoke/beta.json"],
        "group": "smoke:x86_64",
    }),
    "index:alpha": (index, {
        "doc": "write docker/images/alpha of every platform",
        "inputs": [
            ".doit-cargo/records/x86_64/image/alpha.json",
            ".doit-cargo/records/aarch64/image/alpha.json",
        ],
        "outputs": [".doit-cargo/records/index/alpha.json"],
        "group": "index", "owns": "docker/images/alpha", "programs": ("buildah",),
    }),
    "push:alpha": (push, {
        "doc": "push alpha to localhost:5000",
        "inputs": [".doit-cargo/records/index/alpha.json"], "outputs": [],
        "group": "push", "always": True, "programs": ("skopeo",),
    }),
}  # fmt: skip


@pytest.mark.parametrize("name", SPECS)
def test_what_a_task_reads_makes_and_needs(ctx: Context, name: str) -> None:
    step, expected = SPECS[name]
    usual = {"name": name, "owns": None, "always": False, "programs": ()}

    assert shown(spec(ctx, step, name), ctx.config.root) == {**usual, **expected}


@pytest.mark.parametrize(
    ("images", "same"),
    [
        (IMAGES, True),
        (IMAGES.replace("beta: {smoke", "beta: {port: 1, smoke"), True),
        (IMAGES.replace("GREETING: hello", "GREETING: bye"), False),
        (IMAGES.replace("port: 8080", "port: 8081"), False),
        (IMAGES.replace("latest", "stable"), False),
        (IMAGES.replace("prefix: acme", "prefix: other"), False),
        (IMAGES.replace("services:", "user: '1:1'\n  services:"), False),
        (IMAGES.replace("ENGINE", "docker"), False),
        (IMAGES.replace("[--health]", "[--ready]"), True),  # OCI has no health check
    ],
)
def test_settings_that_are_in_an_image_make_it_stale(
    tmp_path: Path, images: str, *, same: bool
) -> None:
    before = spec(shop(tmp_path / "a"), image, "image:x86_64:alpha")
    after = spec(shop(tmp_path / "b", images), image, "image:x86_64:alpha")

    assert (before.fingerprint == after.fingerprint) is same


def test_the_time_that_an_image_tells_is_in_its_fingerprint(ctx: Context) -> None:
    dated = ctx._replace(env={**ctx.env, "SOURCE_DATE_EPOCH": "1"})

    found = {spec(each, image, "image:x86_64:alpha").fingerprint for each in (ctx, dated)}
    assert len(found) == 2


def test_a_trial_that_is_another_is_stale(tmp_path: Path) -> None:
    before = spec(shop(tmp_path / "a"), smoke, "smoke:x86_64:beta")
    text = IMAGES.replace("[--version]", "[--help]")
    after = spec(shop(tmp_path / "b", text), smoke, "smoke:x86_64:beta")

    assert before.fingerprint != after.fingerprint


# image --------------------------------------------------------------------------------------


class Built(NamedTuple):
    """What an engine was given: the order, and the files of its folder."""

    order: Order
    files: dict[str, bytes]


class FakeEngine:
    """Takes what it is given to build, and calls it `sha256:N`."""

    def __init__(self, kind: EngineKind = BUILDAH) -> None:
        self.kind = kind
        self.built: list[Built] = []
        self.dropped: list[str] = []
        self.keeps: dict[str, str] = {}
        self.next = "sha256:1"

    def build(self, order: Order) -> str:
        files = {
            str(path.relative_to(order.folder)): path.read_bytes()
            for path in sorted(order.folder.rglob("*"))
            if path.is_file() and path.name != ".keep"
        }
        self.built.append(Built(order, files))
        self.keeps |= dict.fromkeys(order.references, self.next)
        return self.next

    def images(self) -> dict[str, str]:
        return self.keeps

    def drop(self, name: str) -> None:
        self.dropped.append(name)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    found = FakeEngine()
    monkeypatch.setattr(engines, "engine", lambda *_: found)
    return found


def stage(ctx: Context, data: bytes = GOOD) -> None:
    """Have the binaries of x86_64 staged, as their manifest says."""
    target = ctx.config.targets[0]
    lines = []
    for binary in ctx.ship:
        path = layout.staged(ctx.config, target, binary)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        lines.append(f"{binary.crate}/{binary.name}  {sha256(data)}\n")
    path = layout.manifest(ctx.config, target)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines))


def make(ctx: Context, name: str = "image:x86_64:alpha") -> Outcome:
    action = spec(ctx, image, name).action
    assert action
    found = action()
    assert found
    return found


def record_of(ctx: Context, name: str) -> dict[str, Any]:
    path = ctx.config.outputs.state / "records" / name
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def test_an_image_is_made_of_one_binary_and_a_dockerfile_with_a_tail(
    ctx: Context, engine: FakeEngine
) -> None:
    stage(ctx)
    outcome = make(ctx)
    ((order, files),) = engine.built

    assert order._replace(folder=Path()) == Order(
        folder=Path(), references=("acme/alpha:0.1.0", "acme/alpha:latest"),
        platform="linux/amd64", epoch=0,
        arguments={
            "CRATE": "alpha", "BINARY": "alpha", "VERSION": "0.1.0", "RUN_AS": "65532:65532",
        },
    )  # fmt: skip
    assert files == {
        "Dockerfile": b'FROM scratch\nCOPY binaries /\nENV GREETING="hello"\nEXPOSE 8080/tcp\n',
        "context/binaries/alpha/alpha": GOOD,
    }
    assert not order.folder.exists()
    assert outcome == Outcome(
        size=len(GOOD), digest="sha256:1", names=("acme/alpha:0.1.0", "acme/alpha:latest")
    )
    assert record_of(ctx, "x86_64/image/alpha.json") == {
        "engine": "buildah", "references": ["acme/alpha:0.1.0", "acme/alpha:latest"],
        "id": "sha256:1", "sha256": sha256(GOOD), "size": len(GOOD), "previous_size": None,
        "platform": "linux/amd64",
    }  # fmt: skip


def test_another_platforms_image_has_names_of_its_own(ctx: Context) -> None:
    found = image._Image(ctx, _images(ctx), ctx.config.targets[1], ctx.ship[0])  # noqa: SLF001

    assert found.references == ("acme/alpha:0.1.0-aarch64", "acme/alpha:latest-aarch64")


def _images(ctx: Context) -> Any:  # noqa: ANN401
    assert ctx.config.images
    return ctx.config.images


def test_a_format_with_room_for_it_has_a_health_check(tmp_path: Path, engine: FakeEngine) -> None:
    ctx = shop(tmp_path, engine="docker")
    engine.kind = DOCKER
    stage(ctx)
    make(ctx)

    text = engine.built[0].files["Dockerfile"].decode()
    assert text.endswith('EXPOSE 8080/tcp\nHEALTHCHECK CMD ["/app/service", "--health"]\n')
    assert record_of(ctx, "x86_64/image/alpha.json")["engine"] == "docker"


def test_an_image_that_nothing_names_any_more_is_dropped(ctx: Context, engine: FakeEngine) -> None:
    """Not one that was made again just as it was."""
    stage(ctx)
    make(ctx)
    make(ctx)
    engine.next = "sha256:2"
    make(ctx)

    assert engine.dropped == ["sha256:1"]
    assert record_of(ctx, "x86_64/image/alpha.json")["previous_size"] == len(GOOD)


ALTERED: dict[str, tuple[Callable[[Context], object], str]] = {
    "other bytes": (
        lambda c: layout.staged(c.config, c.config.targets[0], c.ship[0]).write_bytes(b"other"),
        r"alpha does not match the manifest: run doit again$",
    ),
    "bytes that do not pass, and a manifest that names them": (
        lambda c: stage(c, elf(payload=b"\xc3" * 70_000, stacks=())),
        r"alpha does not pass:\n  deny nx: ",
    ),
    "no manifest": (
        lambda c: layout.manifest(c.config, c.config.targets[0]).unlink(),
        r"MANIFEST.txt does not list alpha \(.*\): run doit$",
    ),
}


@pytest.mark.parametrize(("change", "text"), ALTERED.values(), ids=ALTERED.keys())
def test_no_other_bytes_come_into_an_image(
    ctx: Context, engine: FakeEngine, change: Callable[[Context], object], text: str
) -> None:
    stage(ctx)
    change(ctx)
    with pytest.raises(CheckError, match=text):
        make(ctx)

    assert engine.built == []
    assert list((ctx.config.outputs.state / "work").glob("*")) == []


@pytest.mark.parametrize(
    ("tags", "env", "text"),
    [
        ('["{revision}"]', {}, "images.tags: {revision} needs a git repository with a commit"),
        ('["{version}"]', {"SOURCE_DATE_EPOCH": "soon"}, "SOURCE_DATE_EPOCH"),
    ],
)
def test_what_cannot_be_named_or_dated_is_a_fault_of_the_setup(
    tmp_path: Path, engine: FakeEngine, tags: str, env: Mapping[str, str], text: str
) -> None:
    made = shop(tmp_path, IMAGES.replace('["{version}", latest]', tags))
    ctx = made._replace(env={**made.env, **env})
    stage(ctx)
    with pytest.raises(SetupError) as caught:
        make(ctx)

    assert text in str(caught.value)
    assert engine.built == []


def test_an_image_is_present_while_all_its_names_stand_for_it(
    ctx: Context, engine: FakeEngine
) -> None:
    """The engine is asked once for all images."""
    stage(ctx)
    make(ctx)
    found = spec(ctx, image, "image:x86_64:alpha")
    assert found.present

    def present() -> bool:
        again = spec(ctx, image, "image:x86_64:alpha").present
        assert again
        return again()

    assert found.present()
    engine.keeps["acme/alpha:latest"] = "sha256:9"
    assert not present()
    del engine.keeps["acme/alpha:latest"]
    assert not present()


# push ---------------------------------------------------------------------------------------


class FakeRegistry:
    """Has what it was sent."""

    holds: dict[str, str]
    sent: list[str]

    def __init__(self, host: str, env: Mapping[str, str], *, insecure: bool) -> None:
        assert (host, insecure, "PATH" in env) == ("localhost:5000", False, True)

    def digest(self, reference: str) -> str | None:
        return self.holds.get(reference)

    def push(self, folder: Path, reference: str) -> None:
        assert folder.name == "alpha"
        self.sent.append(reference)

    def tag(self, source: str, reference: str, digest: str) -> None:
        assert source.endswith(f"@{digest}")
        self.sent.append(reference)


@pytest.mark.parametrize(
    ("holds", "sent", "names"),
    [
        ({}, ["@sha256:1", ":0.1.0", ":latest"], ("0.1.0", "latest")),
        ({":0.1.0": "sha256:1"}, ["@sha256:1", ":latest"], ("latest",)),
        ({":0.1.0": "sha256:1", ":latest": "sha256:0"}, ["@sha256:1", ":latest"], ("latest",)),
        ({":0.1.0": "sha256:1", ":latest": "sha256:1"}, ["@sha256:1"], ()),
    ],
    ids=["nothing", "one tag", "an old tag", "everything"],
)
def test_what_the_registry_lacks_is_pushed_tags_last(
    ctx: Context, monkeypatch: pytest.MonkeyPatch, holds: dict[str, str], sent: list[str],
    names: tuple[str, ...],
) -> None:  # fmt: skip
    class Checked(NamedTuple):
        digest: str = "sha256:1"

    place = "localhost:5000/acme/alpha"
    FakeRegistry.holds = {f"{place}{tag}": digest for tag, digest in holds.items()}
    FakeRegistry.sent = []
    monkeypatch.setattr(registry, "Registry", FakeRegistry)
    monkeypatch.setattr(check, "checked", lambda *_: Checked())
    action = spec(ctx, push, "push:alpha").action
    assert action

    assert action() == Outcome(digest=f"{place}@sha256:1", names=names)
    assert FakeRegistry.sent == [f"{place}{each}" for each in sent]


def test_what_is_not_valid_is_not_pushed(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise CheckError("a layer holds something else")

    FakeRegistry.sent = []
    monkeypatch.setattr(registry, "Registry", FakeRegistry)
    monkeypatch.setattr(check, "checked", refuse)
    action = spec(ctx, push, "push:alpha").action
    assert action
    with pytest.raises(CheckError, match="something else"):
        action()

    assert FakeRegistry.sent == []


# index and smoke ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"id": 7, "engine": "buildah"},
        {"id": "sha256:1"},
        {"id": "sha256:1", "engine": "podman"},
    ],
    ids=["none", "no id", "no engine", "an engine of another time"],
)
def test_a_damaged_record_makes_no_index(ctx: Context, record: dict[str, Any]) -> None:
    target, binary = ctx.config.targets[0], ctx.ship[0]
    path = layout.image_record(ctx.config, target, binary)
    path.parent.mkdir(parents=True)
    path.write_bytes(encode(record))
    action = spec(ctx, index, "index:alpha").action
    assert action
    with pytest.raises(CheckError) as caught:
        action()

    assert str(caught.value) == (
        "the record of the x86_64 image of alpha is damaged: run doit again"
    )


@pytest.mark.parametrize("checked", [None, {"id": "sha256:0"}], ids=["never", "another"])
def test_an_image_that_was_not_looked_into_is_not_started(
    ctx: Context, checked: dict[str, str] | None
) -> None:
    """Of one that it needs as of its own."""
    target = ctx.config.targets[0]
    for binary in ctx.ship:
        made = layout.image_record(ctx.config, target, binary)
        looked = layout.verify_image_record(ctx.config, target, binary)
        for path in (made, looked):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode({"id": "sha256:1"}))
    if checked is None:
        layout.verify_image_record(ctx.config, target, ctx.ship[0]).unlink()
    else:
        layout.verify_image_record(ctx.config, target, ctx.ship[0]).write_bytes(encode(checked))
    action = spec(ctx, smoke, "smoke:x86_64:beta").action
    assert action
    with pytest.raises(CheckError) as caught:
        action()

    assert str(caught.value) == "the image of alpha changed after its check: run doit again"
