"""build:<arch>:<crate>: takes the crate's artifacts when the one cargo has delivered them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from os.path import normpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from doit_cargo.core import bounded, layout
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Binary, Context, Crate, Target
from doit_cargo.core.record import encode, paths, read
from doit_cargo.core.task import Outcome, TaskSpec, task_name
from doit_cargo.core.workspace import script_output, sources_elsewhere
from doit_cargo.core.workspace import sources as crate_inputs
from doit_cargo.core.workspace.sources_elsewhere import Made

if TYPE_CHECKING:
    from doit_cargo.tools.cargo.order import Delivery
    from doit_cargo.tools.run.session import Session

NAME = "build"


def specs(ctx: Context, session: Session) -> Iterator[TaskSpec]:
    """A task a target and crate, in dependency order: what is shipped and what that is made of."""
    skip = crate_inputs.not_sources(ctx.config.filled.values(), ctx.graph)
    shipped: dict[str, list[Binary]] = {}
    for binary in ctx.ship:
        shipped.setdefault(binary.crate, []).append(binary)
    needed = ctx.graph.closure(*shipped)
    sources = crate_inputs.all_sources(ctx.graph, skip, needed)
    made = Made(layout.made(ctx))
    for target in ctx.config.targets:
        toolchain = layout.toolchain_record(ctx.config, target)
        records = layout.build_records(ctx.config, target, needed)
        for name in needed:
            crate = ctx.graph.crates[name]
            files = (*sources[name], *_configured(ctx, crate, made))
            part = _Part(ctx, target, crate, shipped.get(name, []), files, made, toolchain, records)
            yield _spec(part, session)


def _configured(ctx: Context, crate: Crate, made: Made) -> Iterator[str]:
    """What the configuration names of a crate's inputs."""
    named = ctx.config.inputs.get(crate.name, ())
    yield from sources_elsewhere.expand((normpath(crate.directory / text) for text in named), made)


class _Part(NamedTuple):
    """A crate to be compiled for a target, its shipped binaries and its own source files.

    `made` are the folders in which no input of any crate lies, `toolchain` is the target's record
    and `records` are those of all crates.
    """

    ctx: Context
    target: Target
    crate: Crate
    binaries: Sequence[Binary]
    sources: tuple[str, ...]
    made: Made
    toolchain: Path
    records: Mapping[str, Path]

    @property
    def record(self) -> Path:
        return self.records[self.crate.name]

    @property
    def executables(self) -> dict[str, Path]:
        """Where each binary must lie when it is built."""
        return {b.name: layout.artifact(self.ctx, self.target, b.name) for b in self.binaries}


def _spec(part: _Part, session: Session) -> TaskSpec:
    target, crate = part.target, part.crate
    record = read(part.record)
    known = tuple(sources_elsewhere.expand(paths(record, "elsewhere"), part.made))
    return TaskSpec(
        stage=NAME,
        arch=target.arch,
        subject=crate.name,
        doc=f"compile {crate.name} for {target.triple}",
        action=partial(_deliver, part, session, record, known),
        asks=_asks(part, record),
        inputs=(
            *part.sources,
            *known,
            *(part.records[name] for name in crate.dependencies),
            part.toolchain,
        ),
        outputs=(part.record, *part.executables.values()),
        group=task_name(NAME, target.arch),
        made=lambda: paths(record, "libraries"),
    )


def _asks(part: _Part, record: dict[str, Any]) -> bool:
    """Whether its build script wants to run in every build: what it watches is not there now."""
    absent = paths(record, "absent")
    return _may_ask(part) and not all(map(script_output.is_there, absent))


def _may_ask(part: _Part) -> bool:
    return part.ctx.config.rerun.get(part.crate.name) != "never"


def _deliver(
    part: _Part, session: Session, record: dict[str, Any], known: tuple[str, ...]
) -> Outcome:
    """Take what cargo made, note what it read beside the crate's own files, leave the record.

    `record` is what was known of the build before; it becomes what is known of this one.
    """
    from doit_cargo.tools import files
    from doit_cargo.tools.run import as_built

    arch, crate = part.target.arch, part.crate.name
    delivery = session.delivery(arch, crate)
    _check_answers(part)
    for name, path in part.executables.items():
        if delivery.executables[name] != path:
            raise CheckError(f"cargo put {name} at {delivery.executables[name]}, not {path}")
    elsewhere = _read_elsewhere(part, delivery)
    content = {
        as_built.KEY: as_built.sums(part.executables),
        "digest": session.digest(task_name(NAME, arch, crate)),
        "elsewhere": elsewhere,
        "libraries": sorted({str(path) for path in delivery.libraries}),
        **_answer(part, delivery),
    }
    record.clear()
    record.update(content)
    files.save(part.ctx.config.root, part.record, encode(record))
    found = list(sources_elsewhere.expand(elsewhere, part.made))
    return Outcome(
        discovered=tuple(found),
        no_longer=tuple(sorted(set(known) - {*found, *part.sources})),
        warnings=delivery.warnings,
    )


def _answer(part: _Part, delivery: Delivery) -> dict[str, object]:
    """Of a build script that watches what is not there: these paths, and what it said and wrote.

    Whoever is built upon the crate sees by its record that the answer is another.
    """
    from doit_cargo.tools.run import script_answers

    directory = part.crate.directory
    found = [
        script_output.parse(bounded.read(s.output)).absent(directory) for s in delivery.scripts
    ]
    absent = sorted({path for paths in found for path in paths})
    if not (absent and _may_ask(part)):
        script_answers.forget(part.ctx, part.target, part.crate.name)
        return {}
    given = script_answers.note(part.ctx, part.target, part.crate, delivery.scripts)
    return {"absent": absent, "answer": given}


def _check_answers(part: _Part) -> None:
    """Cargo has run again what is below and wants to run always: it must have said the same.

    Raises CheckError if not, and what is below is stale in the next run.
    """
    from doit_cargo.tools import files
    from doit_cargo.tools.run import script_answers

    ctx, target = part.ctx, part.target
    for name in script_answers.changed_below(ctx, target, part.crate.name):
        files.remove(ctx.config.root, layout.build_record(ctx.config, target, name))
        raise CheckError(
            f"the build script of {name} said something else while the run was under way: "
            "run doit again"
        )


def _read_elsewhere(part: _Part, delivery: Delivery) -> list[str]:
    """Cargo runs rustc in the workspace's root for a member, and scripts in the crate's folder."""
    graph, crate = part.ctx.graph, part.crate
    base = graph.root if crate.member else crate.directory
    named: set[str] = set()
    for path in delivery.dep_infos:
        named |= sources_elsewhere.compiled(bounded.read(path), base)
    for script in delivery.scripts:
        named |= script_output.parse(bounded.read(script.output)).places(crate.directory)
    for path in delivery.foreign:  # a relative path is the third-party crate's own, which is fixed
        named |= script_output.parse(bounded.read(path)).places(None)
    return sources_elsewhere.beyond(named, frozenset(part.sources), part.made)
