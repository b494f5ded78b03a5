"""The plan for one target: the crates to compile, and those that cargo must forget first."""

from __future__ import annotations

from doit_cargo.core.model import Target


class Plan:
    """What is stale for one target.

    `dropped` are the packages that cargo must forget: their inputs or outputs changed by hash,
    which cargo may not see. `drop_all`: the toolchain changed, so every unit is rebuilt.
    `rerun_scripts`: the configured environment changed, which build scripts may have read.
    `asked` are crates whose build scripts want to run always and have just said the same again.
    `host` is a digest of what those of this machine and macros may read (empty: as before).
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.crates: list[str] = []
        self.dropped: set[str] = set()
        self.asked: set[str] = set()
        self.drop_all = False
        self.rerun_scripts = False
        self.host = ""
