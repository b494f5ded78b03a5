"""Compares the files of an installed Python package with what the installer wrote down."""

from __future__ import annotations

import base64
import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

from doit_cargo.core.text import one_line, plural
from doit_cargo.core.toolchain.locate import pip_install
from doit_cargo.core.toolchain.wheels import Wheel


def damage(wheel: Wheel, package: str) -> tuple[str, str] | None:
    """What is wrong with an installed package's files, if anything, and the command to fix it."""
    files = list(_damaged(wheel))
    if not files:
        return None
    count = plural(len(files), "file")
    detail = f"{count} of {package} not as installed, such as {one_line(files[0])}"
    return detail, pip_install(f"--force-reinstall --no-deps {package}=={wheel.version}")


def _damaged(wheel: Wheel) -> Iterator[Path]:
    """The files that are not what the installer put there, by the hashes in the list of files.

    Reads all of them: for zig 200 MB, 1.5 s. Source of the list's form: "Recording installed
    projects" of the Python Packaging User Guide; a file without a hash was made after that.
    """
    folder = wheel.record.parent.parent
    with open(wheel.record, encoding="utf-8", newline="") as file:
        for name, listed, *_ in csv.reader(file):
            if listed and _hash(folder / name) != listed:
                yield folder / name


def _hash(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return ""
    return f"sha256={base64.urlsafe_b64encode(found).rstrip(b'=').decode()}"
