"""What an order to cargo says of build scripts that rerun in every build."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from doit_cargo.core import layout
from doit_cargo.core.model import Context
from doit_cargo.core.record import paths, read
from doit_cargo.tools import files
from doit_cargo.tools.cargo import fingerprints, fresh_paths
from doit_cargo.tools.run import script_answers
from doit_cargo.tools.run.plan import Plan


def may_want_always(ctx: Context, plan: Plan) -> bool:
    """Whether a script that will run may be one, for all that is known: cargo must tell how."""
    return any(_may_want(ctx, plan, name) for name in plan.crates)


def _may_want(ctx: Context, plan: Plan, name: str) -> bool:
    if not ctx.graph.crates[name].build_script or ctx.config.rerun.get(name) == "never":
        return False
    known = read(layout.build_record(ctx.config, plan.target, name))
    return plan.drop_all or plan.rerun_scripts or not known or "answer" in known


def kept_fresh(ctx: Context, plan: Plan, env: Mapping[str, str]) -> dict[str, str]:
    """What has cargo take for fresh those that were asked and have said the same."""
    found = sorted({path for name in plan.asked for path in _absent(ctx, plan, name)})
    library = layout.script_folder(ctx.config, plan.target) / "fresh.so"
    if found:
        files.remove(ctx.config.root, library)  # whatever it may be
    return fresh_paths.environment(found, library, env)


def _absent(ctx: Context, plan: Plan, name: str) -> Iterator[str]:
    """The paths that a script watches in vain, if every run of it that cargo knows was asked."""
    folders = layout.cargo_folders(ctx, plan.target)
    runs = script_answers.known(ctx, plan.target, name).runs
    if {run.out_dir for run in runs} == {*fingerprints.out_dirs(folders, frozenset([name]))}:
        yield from paths(read(layout.build_record(ctx.config, plan.target, name)), "absent")
