r"""Reads what a build script printed as cargo does: which files and variables it has cargo watch.

Each rule with its source: `custom_build.rs` and `fingerprint/mod.rs` are those of
https://github.com/rust-lang/cargo below src/cargo/core/compiler, `paths.rs` of crates/cargo-util.

- Lines end at `\n` alone; one that is not UTF-8 is skipped, the others count
  (custom_build.rs, `BuildOutput::parse`).
- A line is trimmed of Unicode's white space; then it must begin with `cargo::` or `cargo:` (same).
- What follows is `key=value`, and the value loses its trailing blanks alone: a blank before the
  key makes another key, one after `=` belongs to the value (same, `parse_directive`).
- A path counts from the package's folder, `..` as the kernel takes it; an empty one is that folder
  (fingerprint/mod.rs, `LocalFingerprint::find_stale_item`). Nothing in it is a pattern.
- A folder stands for all below it, through links; what cannot be read is passed over
  (paths.rs, `mtime_recursive`).
- A path that cannot be looked up, be it absent, a dangling link, or with a slash after a file,
  means that the script wants to run in every build (fingerprint/mod.rs, `find_stale_file`; cargo
  overlooks the slash if it has just looked at that file for another reason).
- A script that names neither path nor variable watches its package, which counts here in any case
  (fingerprint/mod.rs, `build_script_local_fingerprints`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

# Rust's `char::is_whitespace`, which is not Python's `str.isspace`: no file separators.
_BLANKS = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000"
)
_NEW, _OLD = "cargo::", "cargo:"


class Watched(NamedTuple):
    """The paths as they were printed, the variables, and every line that cargo takes for its own.

    The lines are trimmed, in their order: two outputs with the same lines are the same to cargo.
    """

    paths: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()

    def places(self, base: Path | None) -> set[str]:
        """The absolute paths; relative ones count from `base`, without one they are left out."""
        return {_place(base or Path(), path) for path in self._known(base)}

    def absent(self, base: Path | None) -> list[str]:
        """Those that cargo does not find now; a path that is none at all is among them."""
        joined = {os.path.join(base or "", path) for path in self._known(base)}
        return sorted(path.replace("\0", "\ufffd") for path in joined if not is_there(path))

    def _known(self, base: Path | None) -> tuple[str, ...]:
        return tuple(path for path in self.paths if base or os.path.isabs(path))


def parse(output: bytes) -> Watched:
    """What cargo takes from all that a build script printed."""
    paths: list[str] = []
    variables: list[str] = []
    lines = _directives(output)
    found = {"rerun-if-changed": paths, "rerun-if-env-changed": variables}
    for line in lines:
        key, equals, value = line.removeprefix(_NEW).removeprefix(_OLD).partition("=")
        if equals and key in found:
            found[key].append(value.rstrip(_BLANKS))
    return Watched(tuple(paths), tuple(variables), lines)


def is_there(path: str) -> bool:
    """Whether the kernel finds something at that path, links followed."""
    try:
        os.stat(path)
    except (OSError, ValueError):
        return False
    return True


def _directives(output: bytes) -> tuple[str, ...]:
    found: list[str] = []
    for line in output.split(b"\n"):
        try:
            text = line.decode().strip(_BLANKS)
        except UnicodeDecodeError:
            continue
        if text.startswith(_OLD):
            found.append(text)
    return tuple(found)


def _place(base: Path, path: str) -> str:
    """A plain spelling of the path that means the same: behind a link `..` is another folder."""
    joined = os.path.join(base, path.replace("\0", "\ufffd"))
    plain = os.path.normpath(joined)
    if ".." not in path.split("/"):
        return plain
    real = os.path.realpath(joined)
    return plain if os.path.realpath(plain) == real else real
