"""Reads a configuration file: once, and no more of it than a person writes."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doit_cargo.core.settings.faults import Faults
    from doit_cargo.core.settings.node import Node

    Read = Callable[[Path, Faults], Node]

MAX_BYTES: Final = 64 * 1024


def read_bytes(path: Path, faults: Faults) -> bytes:
    """The file's bytes.

    Raises ConfigError if it is no regular file, can't be read, or is over 64 KiB.
    """
    data = _read(path, faults)
    if len(data) > MAX_BYTES:
        faults.stop(1, f"the file is over {MAX_BYTES // 1024} KiB")
    return data


def _read(path: Path, faults: Faults) -> bytes:
    try:
        # a FIFO without a writer would block the open
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                faults.no_file("not a regular file")
            # one byte more tells of a file that grows or hides its size
            return os.read(descriptor, MAX_BYTES + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        faults.no_file(f"cannot be read: {error.strerror}")


def read_yaml(path: Path, faults: Faults) -> Node:
    """The file's tree. Raises ConfigError as `read_bytes` and `yamlfile.parse` do."""
    from doit_cargo.core.settings import yamlfile  # noqa: PLC0415 - a tenth of a no-op's time

    return yamlfile.parse(read_bytes(path, faults), faults)
