"""Programs that cargo calls in rustc's place, such as sccache: used where they are installed.

Source: The Cargo Book, "Configuration", `build.rustc-wrapper`, `build.rustc-workspace-wrapper`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from doit_cargo.core.cargo.config_lookup import Setting, strongest
from doit_cargo.core.toml_file import TomlFile
from doit_cargo.core.toolchain.compiler import on_path
from doit_cargo.core.workspace.cargo_config import base

# A key of `build`, and the variables that stand for it, the stronger first.
_KEYS = {
    "rustc-wrapper": ("RUSTC_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER"),
    "rustc-workspace-wrapper": ("RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER"),
}


class Wrapper(NamedTuple):
    """A wrapper that is asked for: where (None: in cargo's environment), and the program if any.

    `variable` is what overrides the key; empty, it switches the wrapper off.
    """

    place: Setting | None
    variable: str
    program: Path | None

    @property
    def is_absent(self) -> bool:
        """Whether a file, perhaps another machine's, asks for what is not installed here."""
        return self.place is not None and self.program is None


def wanted(
    configs: Sequence[TomlFile], env: Mapping[str, str], workspace: str
) -> Iterator[Wrapper]:
    """The wrappers that cargo would call, run in the workspace with that environment."""
    for key, variables in _KEYS.items():
        place = strongest(configs, "build", key)
        if variable := next((name for name in variables if name in env), ""):
            if env[variable]:
                yield Wrapper(None, variable, _program(env[variable], workspace, env))
        elif place and isinstance(place.value, str):
            program = _program(place.value, base(place.file.path), env)
            yield Wrapper(place, variables[0], program)


def _program(name: str, folder: str, env: Mapping[str, str]) -> Path | None:
    """A name is looked for on PATH; what has a slash is a path below the folder."""
    if "/" not in name:
        return on_path(name, {"PATH": env.get("PATH", os.defpath)})
    path = os.path.normpath(os.path.join(folder, name))
    return Path(path) if os.path.isfile(path) and os.access(path, os.X_OK) else None
