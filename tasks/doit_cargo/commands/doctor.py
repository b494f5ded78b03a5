"""`doit doctor`: says what the main job needs and what is missing; changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from doit.dependency import JSONCodec

from doit_cargo.commands.base import JSON, ContextCommand, selected_targets
from doit_cargo.core import layout
from doit_cargo.core.document import document
from doit_cargo.core.errors import PipelineError
from doit_cargo.core.model import Context, Target
from doit_cargo.core.purposes import COMMANDS
from doit_cargo.core.settings.profiles import links_stripped
from doit_cargo.core.task import OwnName
from doit_cargo.doit_ext.state import TaskStore
from doit_cargo.tools import console


class Doctor(ContextCommand):
    """Print a line a thing."""

    doc_purpose = COMMANDS["doctor"]
    cmd_options = (JSON,)

    def work(self, ctx: Context, options: Any, names: list[str]) -> int:
        """Print them; 1 if the main job can't run."""
        from doit_cargo.core.cargo import overrides
        from doit_cargo.reports import build_scripts, self_written
        from doit_cargo.tools.machine import doctor, finding, image_doctor, plugin_doctor

        targets = selected_targets(ctx, names)
        findings = (
            *doctor.examine(
                targets,
                workspace=ctx.config.workspace,
                env=ctx.env,
                stripped=links_stripped(ctx.config, ctx.graph),
            ),
            *image_doctor.examine(ctx),
            *doctor.examine_objcopy(ctx),
            *plugin_doctor.examine(Path.cwd()),
        )
        store = TaskStore(str(layout.state_database(ctx.config)), JSONCodec())
        profile = ctx.config.profile
        written = self_written.self_written(
            ctx, targets, lambda name: store.states(OwnName(name, profile))
        )
        scripts = (
            *build_scripts.always_rerun(ctx, targets),
            *build_scripts.not_asked(ctx, targets),
        )
        healthy, notes = finding.healthy(findings), [*_foretold(ctx, targets), *scripts, *written]
        changed = overrides.overrides(ctx, targets)
        if options["json"]:
            console.say(document(
                healthy=healthy,
                findings=[asdict(found) for found in findings],
                overrides=[o._asdict() for o in changed],
                notes=notes,
            ))  # fmt: skip
        else:
            console.say(finding.render(findings))
            console.say(overrides.render(changed), end="")
            console.say("".join(f"note      {note}\n" for note in notes), end="")
        return 0 if healthy else 1


def _foretold(ctx: Context, targets: Sequence[Target]) -> list[str]:
    """What the crates that are shipped will need: cargo tells which these are."""
    from doit_cargo.tools.run import foretell

    if not ctx.toolchains[targets[0].arch].cargo:
        return []
    try:
        return foretell.foretold(ctx, targets, offline=True)
    except PipelineError:
        return ["what the crates need is not known before they are fetched: cargo fetch"]
