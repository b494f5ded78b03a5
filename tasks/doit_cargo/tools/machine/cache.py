"""The toolchain cache on disk: its tag, its temporary folders, its lock, its removal."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from doit_cargo.core import bounded
from doit_cargo.core.errors import SetupError
from doit_cargo.core.toolchain.caches import VARIABLE, cache_folder
from doit_cargo.tools import files, waiting

Say = Callable[[str], None]
_OURS = ("wrappers", "sysroots", "zig", "tmp")
_MEGA = 1_000_000
_TAG = "CACHEDIR.TAG"
# The first line is what backup programs look for: https://bford.info/cachedir/
_TAG_TEXT = b"""Signature: 8a477f597d28d172789f06886806bc55
# This folder is a cache that doit-cargo made, and `doit clean --cache` removes.
"""


def require(env: Mapping[str, str]) -> Path:
    """The cache folder, made if need be. Raises SetupError when it can't be, or is not ours."""
    folder = cache_folder(env)
    if folder is None:
        raise SetupError(
            f"no cache folder: HOME, XDG_CACHE_HOME and {VARIABLE} are not set\n"
            f"export {VARIABLE}=FOLDER"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _take(folder)
        (folder / "tmp").mkdir(exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"the cache folder {folder} can't be made: {error.strerror}\n"
            f"name another one: export {VARIABLE}=FOLDER"
        ) from error
    return folder


def is_ours(folder: Path) -> bool:
    """Tell whether a cache folder has our tag, or is one that we made before there was a tag."""
    tag = folder / _TAG
    if os.path.lexists(tag):
        with suppress(OSError):  # no file, or a longer one
            return bounded.read(tag, len(_TAG_TEXT)) == _TAG_TEXT
        return False
    return (folder / "lock").is_file() and any((folder / "wrappers").glob("*-*/*-cc"))


def foreign(folder: Path) -> str:
    """Say why a folder is not used as the cache, and what to do."""
    return (
        f"{folder} is not a cache that doit-cargo made: it has no {_TAG} of ours\n"
        f"name a folder that is empty or not there yet: export {VARIABLE}=FOLDER"
    )


def _take(folder: Path) -> None:
    """Put our tag into a folder that is empty or ours. Raises SetupError for any other."""
    with _alone(folder):
        found = [name for name in os.listdir(folder) if not name.startswith(f".{_TAG}.")]
        if found and not is_ours(folder):
            raise SetupError(foreign(folder))
        if _TAG not in found:
            place = folder.resolve()
            files.write(place, place / _TAG, _TAG_TEXT)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder itself: a lock file in it would make it a folder that is not empty."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


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
            with waiting.told(f"waiting for another setup in {cache}", say):
                fcntl.flock(file, fcntl.LOCK_EX)
        for left in (cache / "tmp").iterdir():
            remove_tree(left)
        yield


@contextmanager
def new_folder(cache: Path, final: Path) -> Iterator[Path]:
    """A temporary folder that becomes `final` in one rename when the block ends well.

    One that is the same is left as it is: somebody may be working with it.
    """
    work = Path(tempfile.mkdtemp(dir=cache / "tmp", prefix=f"{final.name}."))
    work.chmod(0o755)
    try:
        yield work
        final.parent.mkdir(parents=True, exist_ok=True)
        if is_same(work, final):
            return
        if final.exists():
            remove_tree(final)
        work.rename(final)
    finally:
        if work.exists():
            remove_tree(work)


def remove_cache(env: Mapping[str, str], *, dry: bool, say: Say) -> None:
    """Remove the cache, saying its path and size. Only what setup made, whatever else is there.

    Raises SetupError if the folder is not ours.
    """
    folder = cache_folder(env)
    found = [folder / name for name in _OURS if os.path.lexists(folder / name)] if folder else []
    if folder is None or not found:
        say("there is no toolchain cache" + (f" in {folder}" if folder else ""))
        return
    if not is_ours(folder):
        raise SetupError(foreign(folder))
    size = sum(map(_size, found)) / _MEGA
    say(f"{'would remove' if dry else 'removing'} {folder} ({size:.0f} MB)")
    if dry:
        return
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # a setup that is at work finishes first
        for path in (*found, folder / "lock", folder / _TAG):
            remove_tree(path)
    if not os.listdir(folder):
        folder.rmdir()


def is_same(one: Path, other: Path) -> bool:
    """Whether both are files, or folders of files, with the same bytes and modes."""
    if other.is_symlink() or not other.exists() or one.stat().st_mode != other.stat().st_mode:
        return False
    if one.is_dir():
        names = sorted(os.listdir(one))
        return sorted(os.listdir(other)) == names and all(
            is_same(one / name, other / name) for name in names
        )
    return bounded.read(one) == bounded.read(other)


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
