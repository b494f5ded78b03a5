"""smoke:<arch>:<bin>: starts an image, probes it, sends SIGTERM and checks the exit code.

In a container that may do nothing but that, on a network of its own; where buildah made the image
and there is no docker, the same program in a root folder that holds nothing else.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from doit_cargo.core import hosts, layout
from doit_cargo.core.errors import CheckError, MissingToolError, SetupError
from doit_cargo.core.image_settings import Images
from doit_cargo.core.images import dockerfile, names
from doit_cargo.core.images.engines import choose
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.core.record import digest, encode, read
from doit_cargo.core.task import Outcome, Sighting, TaskSpec, task_name

if TYPE_CHECKING:
    from doit_cargo.core.images.trial import Trial
    from doit_cargo.tools.run.session import Session
    from doit_cargo.tools.smoke.containers import Containers
    from doit_cargo.tools.smoke.trial import Seen

NAME = "smoke"
_REGISTERED = Path("/proc/sys/fs/binfmt_misc")


def specs(ctx: Context, session: Session) -> Iterator[TaskSpec]:
    """A task a target and service with `smoke`; none without the section `images`."""
    images = ctx.config.images
    if images is None:
        return
    from doit_cargo.core.images import trial as trials

    binaries = {binary.name: binary for binary in names.imaged(ctx)}
    in_docker = cache(partial(_in_docker, ctx))
    for target in ctx.config.targets:
        for name, binary in binaries.items():
            if trial := trials.trial(images, name):
                involved = [binaries[need.name] for need in trial.needs] + [binary]
                yield _spec(_Smoke(ctx, images, target, involved, trial), session, in_docker)


class _Smoke(NamedTuple):
    """A smoke test on one target; `involved` are its binaries, the tested one last."""

    ctx: Context
    images: Images
    target: Target
    involved: list[Binary]
    trial: Trial

    @property
    def binary(self) -> Binary:
        return self.involved[-1]

    def ids(self) -> dict[str, str]:
        """Name → id of the images, each of which has been looked into in this run."""
        found = {}
        for binary in self.involved:
            known = read(layout.image_record(self.ctx.config, self.target, binary)).get("id")
            checked = layout.verify_image_record(self.ctx.config, self.target, binary)
            if not known or read(checked).get("id") != known:
                raise CheckError(
                    f"the image of {binary.name} changed after its check: run doit again"
                )
            found[binary.name] = str(known)
        return found


def _spec(
    smoke: _Smoke, session: Session, in_docker: Callable[[], Mapping[str, str] | None]
) -> TaskSpec:
    from doit_cargo.core.images import trial as trials

    config, target, name = smoke.ctx.config, smoke.target, smoke.binary.name
    records = (layout.image_record, layout.verify_image_record)
    return TaskSpec(
        stage=NAME,
        arch=target.arch,
        subject=name,
        doc=f"start and probe the {target.platform} image of {name}",
        action=partial(_test, smoke, session),
        inputs=tuple(of(config, target, binary) for binary in smoke.involved for of in records),
        outputs=(layout.smoke_record(config, target, smoke.binary),),
        fingerprint=digest([trials.encode(smoke.trial), smoke.images.user]),
        group=task_name(NAME, target.arch),
        present=partial(_present, smoke, in_docker),
    )


def _in_docker(ctx: Context) -> Mapping[str, str] | None:
    """Name → id of the daemon's images, asked once in a run; None where there is no daemon."""
    from doit_cargo.core.errors import PipelineError
    from doit_cargo.tools.images.docker import Docker

    try:
        return Docker(ctx.env).images()
    except PipelineError:
        return None


def _present(smoke: _Smoke, in_docker: Callable[[], Mapping[str, str] | None]) -> bool:
    """Whether what was tested can still be started by its names."""
    known = read(layout.image_record(smoke.ctx.config, smoke.target, smoke.binary)).get("id")
    references = names.references(smoke.ctx, smoke.target, smoke.binary)
    found = in_docker()
    return found is None or all(found.get(name) == known for name in references)


def _test(smoke: _Smoke, session: Session) -> Outcome:
    from doit_cargo.tools import files

    ctx, started, ids = smoke.ctx, time.monotonic(), smoke.ids()
    containers = session.containers(ctx.env, digest(str(ctx.config.outputs.state))[:16])
    if containers.available():
        seen, isolation = _contained(smoke, containers, ids), "docker"
    elif choose(smoke.images, ctx.env).daemon:
        raise SetupError("the Docker daemon does not answer: systemctl start docker")
    else:
        seen, isolation = _in_namespaces(smoke, session)
    relro = _protection(smoke, session, seen.maps)
    path = layout.smoke_record(ctx.config, smoke.target, smoke.binary)
    record = {"ids": ids, "answer": seen.answer, "isolation": isolation, "relro": relro}
    files.save(ctx.config.root, path, encode(record))
    elapsed = time.monotonic() - started
    return Outcome(seen=Sighting(seen.answer, isolation, elapsed, relro))


def _protection(smoke: _Smoke, session: Session, maps: str | None) -> str:
    """What became of RELRO in the running program.

    Raises CheckError if it can be written to and the policy denies that.
    """
    from doit_cargo.core.elf import mapped
    from doit_cargo.tools.images import inputs

    if maps is None:
        return ""
    data = inputs.staged(smoke.ctx, session.opinion, smoke.target, smoke.binary)
    page = os.sysconf("SC_PAGE_SIZE")
    found = mapped.relro(data, maps, program=dockerfile.PROGRAM, page=page)
    if found == "writable" and smoke.ctx.policies[smoke.target.arch].levels["relro"] == "deny":
        raise CheckError(
            f"relro: {smoke.binary.name} runs with its relocated data writable: link it with the "
            "pipeline's linker, whose wrapper adds what protects it, or set `relro` to warn"
        )
    return found


def _contained(smoke: _Smoke, containers: Containers, ids: Mapping[str, str]) -> Seen:
    from doit_cargo.tools.smoke import trial
    from doit_cargo.tools.smoke.containers import Cell, Part

    emulator = _emulator(smoke)
    for binary in smoke.involved:
        image, references = ids[binary.name], names.references(smoke.ctx, smoke.target, binary)
        containers.ensure(image, references, partial(_load, smoke, containers, image, references))
    platform = smoke.target.platform
    parts = {name: Part(image, platform, emulator) for name, image in ids.items()}
    cell = Cell(containers, parts, connected=smoke.trial.connected)
    try:
        return trial.run(cell, smoke.trial)
    finally:
        cell.close()


def _load(smoke: _Smoke, containers: Containers, image: str, references: Sequence[str]) -> None:
    """Have the daemon know it under its own names, for those who run what was tested."""
    from doit_cargo.tools import files
    from doit_cargo.tools.images import engines

    ctx = smoke.ctx
    folder = layout.work_folder(ctx.config, f"load-{image.removeprefix('sha256:')}")
    with files.scratch_folder(ctx.config.root, folder):
        engine = engines.engine(ctx, smoke.images)
        engine.load_into(containers.docker, image, references, folder)


def _in_namespaces(smoke: _Smoke, session: Session) -> tuple[Seen, str]:
    from doit_cargo.tools import files
    from doit_cargo.tools.smoke import namespaces

    ctx, emulator = smoke.ctx, _emulator(smoke)
    folder = layout.work_folder(ctx.config, f"{NAME}-{smoke.target.arch}-{smoke.binary.name}")
    with files.scratch_folder(ctx.config.root, folder):
        roots = {binary.name: folder / binary.name for binary in smoke.involved}
        for binary in smoke.involved:
            _fill(smoke, session, binary, roots[binary.name], emulator)
        isolation = namespaces.strictest(smoke.images.user)
        seen = namespaces.run(smoke.trial, roots, isolation, emulated=emulator is not None)
        return seen, isolation.name


def _fill(
    smoke: _Smoke, session: Session, binary: Binary, root: Path, emulator: Path | None
) -> None:
    """What the program sees: itself, what the image adds, and the names of the others."""
    from doit_cargo.tools import files
    from doit_cargo.tools.images import inputs
    from doit_cargo.tools.smoke.namespaces_child import EMULATOR

    top = smoke.ctx.config.root
    data = inputs.staged(smoke.ctx, session.opinion, smoke.target, binary)
    files.write(top, Path(f"{root}{dockerfile.PROGRAM}"), data, layout.BINARY_MODE)
    for path, extra in inputs.extra_files(smoke.images).items():
        files.write(top, Path(f"{root}{path}"), extra, layout.FILE_MODE)
    hosts = "".join(f"127.0.0.1 {other.name}\n" for other in smoke.involved)
    files.write(top, root / "etc" / "hosts", hosts.encode(), layout.FILE_MODE)
    if emulator:
        data = emulator.read_bytes()
        files.write(top, Path(f"{root}{EMULATOR}"), data, layout.BINARY_MODE)


def _emulator(smoke: _Smoke) -> Path | None:
    """What runs the target's programs here; None if that is the kernel's affair."""
    from doit_cargo.core.toolchain.compiler import on_path

    host = smoke.ctx.toolchains[smoke.target.arch].host
    name = hosts.emulator(host, smoke.target.triple)
    if not name:  # engines on other systems bring their own
        return None
    found = on_path(name, smoke.ctx.env)
    if found or (_REGISTERED / name.removesuffix("-static")).exists():
        return found
    raise MissingToolError(f"{name} is not installed: {hosts.EMULATORS}")
