"""A seal for tests on values, and what a setup with another key would have written."""

from __future__ import annotations

import subprocess  # noqa: TID251 - the tests drive real processes
import sys
from collections.abc import Mapping
from pathlib import Path

from doit_cargo.core.seal import Seal

SEAL = Seal(b"a key of tests alone", "/state")

_SEAL_AGAIN = """
import os, sys
from pathlib import Path
from doit_cargo.core import user_state
from doit_cargo.core.toolchain import caches, runtime, wheels
from doit_cargo.tools import private
from doit_cargo.tools.key import seal
folder = user_state.folder(os.environ) / "toolchain"
cache = caches.cache_folder(os.environ)
stds = {runtime.std_record(folder, path).name: path for path in cache.glob("sysroots/*")}
for path in map(Path, sys.argv[1:]):
    record = path.read_bytes().partition(b"\\n")[2]
    mine = seal(stds.get(path.name) or caches.zig(cache, wheels.zig()))
    private.write(folder / path.name, mine.sealed(path.name, record))
"""


def seal_toolchain(records: Path, env: Mapping[str, str]) -> None:
    """Write the toolchain's records as `doit setup` does with these variables, in no time."""
    found = sorted(records.glob("*.json"))
    assert found
    subprocess.run([sys.executable, "-c", _SEAL_AGAIN, *found], env=dict(env), check=True)
