"""The one place that adds hints to failures: below the message, never in its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from doit_cargo.core.diagnosis.diagnose import Hint
    from doit_cargo.core.model import Context


class Hints:
    """Knows what it has said: a failure that many crates share is explained once.

    The table is read when something has failed.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._root: Path | None = None
        self._env = env
        self._given: set[Hint] = set()

    def inside(self, ctx: Context) -> Context:
        """From now on what lies in the workspace counts, and the PATH that cargo gets."""
        path = ctx.config.env.get("PATH") or ctx.env.get("PATH", "")
        self._root, self._env = ctx.graph.root, {**ctx.env, "PATH": path}
        return ctx

    def append_to(self, message: str, crate: str = "") -> str:
        """The message with what is known of it below; `crate` is the one that failed."""
        return "\n".join((message.rstrip(), *self.of(message, crate)))

    def of(self, message: str, crate: str = "") -> list[str]:
        """What is known of a message, and has not been said before."""
        from doit_cargo.core.diagnosis import diagnose, surroundings, table  # noqa: PLC0415

        around = surroundings.Surroundings(self._root, self._env)
        found = diagnose.diagnose(message, around, table.load(), crate)
        new = [hint for hint in found if hint not in self._given]
        self._given.update(new)
        return [*map(_text, new)]


def _text(hint: Hint) -> str:
    return f"hint: {hint.cause}\n      {hint.remedy}\n      see doit-cargo help {hint.see}"
