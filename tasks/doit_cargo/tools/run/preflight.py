"""Checks what must hold before anything is compiled, and makes the orders for cargo."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from doit_cargo.core import bounded
from doit_cargo.core.cargo import command
from doit_cargo.core.cargo.shell_env import AGENT
from doit_cargo.core.errors import MissingToolError, SetupError, StartOver
from doit_cargo.core.model import Context, Target, Toolchain
from doit_cargo.core.workspace import cross_check
from doit_cargo.tools import console, process
from doit_cargo.tools.cargo.metadata import metadata, resolve
from doit_cargo.tools.cargo.order import Order
from doit_cargo.tools.machine import cache, musl, runtime
from doit_cargo.tools.run import always, foretell, pace
from doit_cargo.tools.run.cargo_cache import CargoCache
from doit_cargo.tools.run.forgetting import Forgetting
from doit_cargo.tools.run.plan import Plan

# How cargo speaks, not what it does: its progress bar tells how many units there are.
_PROGRESS = {
    "CARGO_TERM_PROGRESS_WHEN": "always",
    "CARGO_TERM_PROGRESS_WIDTH": "200",
}


Tell = Callable[[str], None]


class Preflight:
    """Checks that cost too much for a no-op and are made only when there is work."""

    def __init__(self, ctx: Context, *, jobs: int, color: bool) -> None:
        self._ctx = ctx
        self.cargo_cache = CargoCache(ctx.config, ctx.graph.target_directory)
        self._spoiled: frozenset[str] = frozenset()
        self._fetched = False
        self._jobs = jobs
        self._color = color

    def orders(self, plans: Sequence[Plan], *, keep_going: bool, tell: Tell) -> list[Order]:
        """Make sure that cargo can start and will compile what is stale; its commands.

        `tell` is told what takes its time.

        Raises MissingToolError with doctor's lines, SetupError when cargo reads the workspace
        in another way than we did, StartOver when cargo made or changed the lock file or zig has
        compiled what it links.
        """
        chains = [self._ctx.toolchains[plan.target.arch] for plan in plans]
        self._tools(chains)
        tell("compiling what zig links")
        self._linked(chains)
        tell("resolving the crates' versions")
        self._lock(plans[0].target)
        tell("asking cargo about the workspace")
        self._agree(plans[0].target)
        tell("fetching crates")
        self._fetched = self._fetch([plan.target for plan in plans])
        tell("asking cargo what will be compiled")
        for line in foretell.news(self._ctx, [plan.target for plan in plans]):
            console.warn(f"warning: {line}")
        tell("preparing cargo")
        with Forgetting.under_lock(self._ctx, self.cargo_cache) as cargo:
            self._spoiled = cargo.spoiled()
            for plan in plans:
                cargo.planned(plan)
        return [self._order(plan, keep_going=keep_going) for plan in plans]

    def _tools(self, chains: Iterable[Toolchain]) -> None:
        if lines := [line for chain in chains for line in chain.missing]:
            raise MissingToolError("\n".join(dict.fromkeys(lines)))

    def _linked(self, chains: Sequence[Toolchain]) -> None:
        """Have musl for this kind of executable: setup made it for the profile of that day.

        What another user's setup made, or one with another key, is unknown, and made anew.
        """
        if all(runtime.is_known(chain) for chain in chains):
            return
        folder = cache.require(self._ctx.env)
        with cache.locked(folder, console.warn):
            musl.compile_missing(chains, folder, console.warn)
        raise StartOver

    def _lock(self, target: Target) -> None:
        """Have a lock file that fits: which crates there are may be told by it."""
        ctx, path = self._ctx, self._ctx.graph.root / "Cargo.lock"
        if command.is_locked(ctx):
            return
        before = bounded.read(path) if path.is_file() else None
        env = command.fetch_env(ctx, target)
        program = ctx.toolchains[target.arch].cargo or Path("cargo")
        resolve(program, ctx.graph.root, env, offline=ctx.config.offline)
        if bounded.read(path) != before:
            made = f"made {path}: commit it, so that every build uses the same versions"
            raise StartOver(made if before is None else f"cargo updated {path}")

    def _agree(self, target: Target) -> None:
        ctx = self._ctx
        env = command.cargo_env(ctx, target)
        program = ctx.toolchains[target.arch].cargo or Path("cargo")
        answer = metadata(program, ctx.graph.root, env)
        if found := cross_check.differences(ctx.graph, answer):
            raise SetupError("cargo reads this workspace differently:\n" + "\n".join(found))

    def _fetch(self, targets: Sequence[Target]) -> bool:
        """Have cargo fetch with the shell's secrets, so that it can build without them.

        False if nothing there is fetched with one: cargo gets none, and no fetch before it.
        """
        ctx = self._ctx
        names, sources = command.secret_names(ctx), self._sources()
        git = any("git+" in source for source in sources)
        if ctx.config.offline or not sources or not (names if git else names - {AGENT}):
            return False
        argv, env = command.fetch_argv(ctx, targets), command.fetch_env(ctx, targets[0])
        process.run(argv, env=env, cwd=ctx.graph.root)
        return True

    def _sources(self) -> list[str]:
        """Where the packages come from that lie in no folder of the workspace, by Cargo.lock."""
        path = self._ctx.graph.root / "Cargo.lock"
        text = bounded.read_text(path) if path.is_file() else ""
        return [line for line in text.splitlines() if line.startswith("source = ")]

    def _order(self, plan: Plan, *, keep_going: bool) -> Order:
        ctx = self._ctx
        wanted = self._wanted(plan)
        names = [name for binaries in wanted.values() for name in sorted(binaries)]
        env = command.cargo_env(ctx, plan.target)
        screen = {**_PROGRESS, "CARGO_TERM_COLOR": "always" if self._color else "never"}
        return Order(
            arch=plan.target.arch,
            folder=ctx.graph.target_directory / plan.target.triple,
            argv=command.argv(
                ctx,
                plan.target,
                names,
                jobs=self._jobs,
                keep_going=keep_going,
                color=self._color,
                fetched=self._fetched,
            ),
            env={**env, **always.kept_fresh(ctx, plan, env), **screen},
            directory=ctx.graph.root,
            wanted=wanted,
            verbose=always.may_want_always(ctx, plan),
            wrapped=bool(command.wrapper_programs(ctx, plan.target)),
            pace=pace.known(ctx.config).get(plan.target.arch, 0.0),
            dropped=self._spoiled.union(plan.dropped.intersection(wanted)),
        )

    def _wanted(self, plan: Plan) -> Mapping[str, frozenset[str]]:
        return {
            crate: frozenset(b.name for b in self._ctx.ship if b.crate == crate)
            for crate in plan.crates
        }
