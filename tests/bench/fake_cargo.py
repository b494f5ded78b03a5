"""A cargo that compiles nothing: it writes each crate's library, or its binary, and says so.

For measuring what a run costs beside cargo. It reads `fake-cargo.json` in the folder that it runs
in: the members' manifests, dependencies and binaries, and an executable to stand for all of them.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any


def main(argv: list[str]) -> None:
    """`cargo metadata …` or `cargo build …`."""
    workspace = json.loads(Path("fake-cargo.json").read_text())
    if argv[0] == "metadata":
        json.dump(metadata(workspace, Path.cwd()), sys.stdout)
    else:
        build(workspace, argv)
        used = resource.getrusage(resource.RUSAGE_SELF)
        Path("fake-cargo.seconds").write_text(str(used.ru_utime + used.ru_stime))


def metadata(workspace: dict[str, Any], root: Path) -> dict[str, Any]:
    """What cargo says of the members, as far as anybody here asks."""
    packages = [
        {
            "name": crate["name"], "version": "0.1.0", "manifest_path": crate["manifest"],
            "targets": [
                {"kind": ["lib"], "name": crate["name"], "src_path": ""},
                *({"kind": ["bin"], "name": name, "src_path": ""} for name in crate["bins"]),
            ],
            "dependencies": [
                {"name": name, "kind": None, "path": str(root / "crates" / name)}
                for name in crate["dependencies"]
            ],
        }
        for crate in workspace["crates"]
    ]  # fmt: skip
    return {
        "packages": packages, "workspace_root": str(root), "target_directory": f"{root}/target"
    }  # fmt: skip


def build(workspace: dict[str, Any], argv: list[str]) -> None:
    """Each crate in order, whether it is asked for or not."""
    words = dict(pairwise(argv))
    folder = Path(words["--target-dir"], words["--target"], "release")
    (folder / "deps").mkdir(parents=True, exist_ok=True)
    wanted = {value for word, value in pairwise(argv) if word == "--bin"}
    say = sys.stdout.write
    for crate in workspace["crates"]:
        name = crate["name"]
        library = folder / "deps" / f"lib{name}-0123456789abcdef.rlib"
        library.write_bytes(name.encode())
        source = Path(crate["manifest"]).parent / "src"
        info = library.with_name(f"{name}-0123456789abcdef.d")
        info.write_text(f"{info}: {source}/lib.rs\n")
        say(artifact(crate, "lib", name, library, executable=False))
        for binary in wanted.intersection(crate["bins"]):
            place = folder / binary
            if not place.exists():
                shutil.copy(workspace["executable"], place)
                inner = folder / "deps" / f"{binary}-0123456789abcdef"
                inner.unlink(missing_ok=True)
                os.link(place, inner)
                (folder / "deps" / f"{binary}-0123456789abcdef.d").write_text(
                    f"{place}: {source}/main.rs\n"
                )
            say(artifact(crate, "bin", binary, place, executable=True))
    say('{"reason":"build-finished","success":true}\n')


def artifact(crate: dict[str, Any], kind: str, name: str, path: Path, *, executable: bool) -> str:
    """A message, as cargo writes it."""
    return json.dumps({
        "reason": "compiler-artifact", "package_id": f"path+file://{crate['manifest'][:-11]}#0.1.0",
        "manifest_path": crate["manifest"], "target": {"kind": [kind], "name": name},
        "filenames": [str(path)], "executable": str(path) if executable else None, "fresh": False,
    }) + "\n"  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
