"""`doit doctor`: says what the main job needs and what is missing; changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from doit.dependency import JSONCodec

from doit_cargo.commands.base import ContextCommand, selected_targets
from doit_cargo.core import layout
from doit_cargo.core.model import Context
from doit_cargo.core.settings.profiles import links_stripped
from doit_cargo.core.task import OwnName
from doit_cargo.doit_ext.state import TaskStore
from doit_cargo.tools import console


class Doctor(ContextCommand):
    """Print a line a thing."""

    doc_purpose = "check that everything the main job needs is there; changes nothing"

    def work(self, ctx: Context, options: Any, names: list[str]) -> int:
        """Print them; 1 if the main job can't run."""
        from doit_cargo.core.cargo import overrides
        from doit_cargo.reports import build_scripts, self_written
        from doit_cargo.tools.machine import doctor, finding, image_doctor, plugin_doctor

        del options
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
        console.say(finding.render(findings))
        console.say(overrides.render(overrides.overrides(ctx, targets)), end="")
        store = TaskStore(str(layout.state_database(ctx.config)), JSONCodec())
        profile = ctx.config.profile
        written = self_written.self_written(
            ctx, targets, lambda name: store.states(OwnName(name, profile))
        )
        scripts = (
            *build_scripts.always_rerun(ctx, targets),
            *build_scripts.not_asked(ctx, targets),
        )
        for note in (*scripts, *written):
            console.say(f"note      {note}")
        return 0 if finding.healthy(findings) else 1
