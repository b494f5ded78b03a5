"""The toolchain cache on disk: its temporary folders, its lock, its removal."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from doit_cargo.core.errors import SetupError
from doit_cargo.core.toolchain.caches import VARIABLE, cache_folder

Say = Callable[[str], None]
_OURS = ("wrappers", "sysroots", "zig", "tmp")
_MEGA = 1_000_000


def require(env: Mapping[str, str]) -> Path:
    """The cache folder, made if need be. Raises SetupError when it can't be written."""
    folder = cache_folder(env)
    if folder is None:
        raise SetupError(
            f"no cache folder: HOME, XDG_CACHE_HOME and {VARIABLE} are not set\n"
            f"export {VARIABLE}=FOLDER"
        )
    try:
        (folder / "tmp").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"the cache folder {folder} can't be made: {error.strerror}\n"
            f"name another one: export {VARIABLE}=FOLDER"
        ) from error
    return folder


@contextmanager
def locked(cache: Path, say: Say) -> Iterator[None]:
    """Hold the cache for writing; two setups at once wait for each other.

    The kernel drops the lock when its holder dies, so nothing is left behind. What the dead left
    in `tmp` is swept, which is safe as nobody else works there now.
    """
    with (cache / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another setup that works in {cache}")
            fcntl.flock(file, fcntl.LOCK_EX)
        for left in (cache / "tmp").iterdir():
            remove_tree(left)
        yield


@contextmanager
def new_folder(cache: Path, final: Path) -> Iterator[Path]:
    """A temporary folder that becomes `final` in one rename when the block ends well."""
    work = Path(tempfile.mkdtemp(dir=cache / "tmp", prefix=f"{final.name}."))
    work.chmod(0o755)
    try:
        yield work
        final.parent.mkdir(parents=True, exist_ok=True)
        if final.exists():
            remove_tree(final)
        work.rename(final)
    finally:
        if work.exists():
            remove_tree(work)


def remove_cache(env: Mapping[str, str], *, dry: bool, say: Say) -> None:
    """Remove the cache, saying its path and size. Only what setup made, whatever else is there."""
    folder = cache_folder(env)
    found = [folder / name for name in _OURS if os.path.lexists(folder / name)] if folder else []
    if folder is None or not found:
        say("there is no toolchain cache" + (f" in {folder}" if folder else ""))
        return
    size = sum(map(_size, found)) / _MEGA
    say(f"{'would remove' if dry else 'removing'} {folder} ({size:.0f} MB)")
    if dry:
        return
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # a setup that is at work finishes first
        for path in (*found, folder / "lock"):
            remove_tree(path)
    if not os.listdir(folder):
        folder.rmdir()


def remove_tree(path: Path) -> None:
    """Remove a file, a link or a folder; links are not followed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _size(path: Path) -> int:
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return status.st_size
    return sum(map(_size, path.iterdir()))
