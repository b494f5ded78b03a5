"""push:<bin>: an OCI layout to the registry, after a check from scratch; the tags come last.

Never up to date: what the registry holds is asked each time, and only what it lacks is sent. By
digest, so that nothing arrives but what was checked; a tag is put on what has arrived.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from doit_cargo.core import layout
from doit_cargo.core.errors import SetupError
from doit_cargo.core.image_settings import Images
from doit_cargo.core.images import engines, names
from doit_cargo.core.model import Binary, Context
from doit_cargo.core.task import Outcome, TaskSpec

if TYPE_CHECKING:
    from doit_cargo.tools.run.session import Session

NAME = "push"


def specs(ctx: Context, session: Session) -> Iterator[TaskSpec]:
    """A task a binary with an image, if a registry is configured."""
    images = ctx.config.images
    if images is None or images.registry is None:
        return
    for binary in names.imaged(ctx):
        yield TaskSpec(
            stage=NAME,
            subject=binary.name,
            doc=f"push {binary.name} to {images.registry}",
            action=partial(_push, ctx, images, session, binary),
            inputs=(layout.index_record(ctx.config, binary),),
            group=NAME,
            always=True,
            programs=(engines.SKOPEO,),
            ships=True,
        )


def _push(ctx: Context, images: Images, session: Session, binary: Binary) -> Outcome:
    """By digest first: until all of it is there no tag names any of it."""
    from doit_cargo.tools import git
    from doit_cargo.tools.images import check
    from doit_cargo.tools.images.registry import Registry

    _refuse_wrapped(ctx)
    tags = names.tags(ctx, binary)
    if faults := names.tag_faults(tags):
        raise SetupError("\n".join(faults))
    if any(names.REVISION in tag for tag in images.tags):
        git.must_be_committed(ctx.config.workspace, ctx.env)
    folder = layout.oci_layout(ctx.config, binary)
    digest = check.checked(ctx, images, session.opinion, binary, folder).digest
    registry = Registry(images.registry or "", ctx.env, insecure=images.insecure)
    place = names.remote(images, binary)
    registry.push(folder, f"{place}@{digest}")
    stale = [tag for tag in tags if registry.digest(f"{place}:{tag}") != digest]
    for tag in stale:
        registry.tag(f"{place}@{digest}", f"{place}:{tag}", digest)
    return Outcome(digest=f"{place}@{digest}", names=tuple(stale))


def _refuse_wrapped(ctx: Context) -> None:
    """A wrapper may answer with what somebody else compiled, or forged: its word is no check.

    Raises SetupError, unless the configuration trusts it. A wrapper that is gone has made nothing
    that is left: it is part of what every build depends on.
    """
    from doit_cargo.core.cargo import command

    if ctx.config.trust_wrapper:
        return
    found = (command.wrapper_programs(ctx, target) for target in ctx.config.targets)
    if programs := sorted({str(program) for programs in found for program in programs}):
        raise SetupError(
            f"compiled through {', '.join(programs)}, which answers for rustc: not pushed\n"
            "switch the wrapper off, or trust it: cargo: {trust_wrapper: true}"
        )
