"""What cargo has to compile for one target, and what it must forget first."""

from __future__ import annotations

from doit_cargo.core.model import Target


class Plan:
    """What is stale for one target.

    `dropped` are the packages that cargo must forget: their inputs or outputs changed by hash,
    which cargo may not see. `drop_all`: the toolchain changed, so every unit is built anew.
    `rerun_scripts`: the configured environment changed, which build scripts may have read.
    `host` is a digest of what those of this machine and macros may read (empty: as before).
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.crates: list[str] = []
        self.dropped: set[str] = set()
        self.drop_all = False
        self.rerun_scripts = False
        self.host = ""
