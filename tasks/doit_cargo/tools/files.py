"""Writes files below the root: to a temporary name, renamed, never through a symbolic link."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from doit_cargo.core.errors import CheckError
from doit_cargo.core.text import one_line

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FOLDER_MODE = 0o755  # whatever the umask: what is staged is the same for everybody
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def save(root: Path, path: Path, data: bytes) -> None:
    """Write a record or other state: as `write`, but nobody waits for the disk.

    What a machine that loses its power leaves of it counts as unknown.
    """
    write(root, path, data, durable=False)


def write(root: Path, path: Path, data: bytes, mode: int = 0o644, *, durable: bool = True) -> None:
    """Put `data` at `path`, which lies below `root`, in one rename.

    Raises CheckError when a folder on the way is a symbolic link or a file, OSError (with the
    path) when the disk is full or the folder is not writable.
    """
    with _folder(root, path.parent, create=True) as folder, _naming(path):
        temporary = f".{path.name}.{os.getpid()}.tmp"
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        try:
            _fill(folder, temporary, data, mode, durable=durable)
            _clear(folder, path.name)
            os.rename(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise


def create(root: Path, path: Path, mode: int = 0o644) -> None:
    """Make an empty file unless there is one, and the folders above it."""
    with (
        _folder(root, path.parent, create=True) as folder,
        _naming(path),
        suppress(FileExistsError),
    ):
        os.close(os.open(path.name, _NEW_FILE, mode, dir_fd=folder))


def remove(root: Path, path: Path) -> None:
    """Remove a file, a link or a whole folder below `root`; absent is fine."""
    with suppress(FileNotFoundError), _folder(root, path.parent, create=False) as folder:
        _remove(folder, path.name)


def move_folder(root: Path, source: Path, place: Path) -> None:
    """Put a folder where another, or nothing, is; both below `root`, on one filesystem.

    Between the two steps there is neither: a reader finds a whole folder or none.
    """
    remove(root, place)
    with (
        _folder(root, source.parent, create=False) as old,
        _folder(root, place.parent, create=True) as new,
        _naming(place),
    ):
        os.rename(source.name, place.name, src_dir_fd=old, dst_dir_fd=new)


@contextmanager
def scratch_folder(root: Path, folder: Path) -> Iterator[None]:
    """Have an empty folder (but for `.keep`) at that place, and remove it afterwards.

    What a killed run left there goes first. Nobody else may be using it.
    """
    remove(root, folder)
    try:
        create(root, folder / ".keep")
        yield
    finally:
        remove(root, folder)


def listing(folder: Path) -> frozenset[Path]:
    """Every entry below the folder that is no plain folder (files, links, pipes), not followed."""
    found: set[Path] = set()
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            if entry.is_dir(follow_symlinks=False):
                found |= listing(path) or {path}
            else:
                found.add(path)
    return frozenset(found)


def prune(root: Path, folder: Path, keep: frozenset[Path]) -> tuple[Path, ...]:
    """Remove what is below the folder and not in `keep`; says what went."""
    extra = tuple(sorted(listing(folder) - keep))
    for path in extra:
        remove(root, path)
        _drop_empty(root, path.parent, folder)
    return extra


def sweep(root: Path, folder: Path) -> None:
    """Remove what a killed `write` has left; nobody else may be writing there."""
    for path in listing(folder):
        if path.name.startswith(".") and path.name.endswith(".tmp"):
            remove(root, path)


def is_plain(path: Path, mode: int) -> bool:
    """A regular file (no link) with exactly that mode."""
    try:
        found = os.lstat(path).st_mode
    except OSError:
        return False
    return stat.S_ISREG(found) and stat.S_IMODE(found) == mode


def _drop_empty(root: Path, folder: Path, top: Path) -> None:
    while folder not in (top, root):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


@contextmanager
def _folder(root: Path, path: Path, *, create: bool) -> Iterator[int]:
    """A descriptor of the folder, reached from the root without following any link."""
    with _naming(path):
        current = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        here = root
        for part in path.relative_to(root).parts:
            here /= part
            with _naming(here):
                below = _enter(current, part, here, create=create)
            os.close(current)
            current = below
        yield current
    finally:
        os.close(current)


def _enter(parent: int, name: str, path: Path, *, create: bool) -> int:
    made = create and _make(parent, name)
    descriptor = _open(parent, name, path)
    if made:
        os.fchmod(descriptor, os.fstat(descriptor).st_mode & ~0o777 | FOLDER_MODE)
    return descriptor


def _open(parent: int, name: str, path: Path) -> int:
    try:
        return os.open(name, _DIRECTORY, dir_fd=parent)
    except NotADirectoryError:
        pass
    except OSError as error:
        if not stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            raise error from None
    shown = one_line(path)
    raise CheckError(
        f"{shown} is a symbolic link or a file, not a folder: nothing is written through "
        f"it. Remove it: rm {shown}"
    )


def _make(parent: int, name: str) -> bool:
    """Make a folder; whether there was none."""
    try:
        os.mkdir(name, dir_fd=parent)
    except FileExistsError:
        return False
    return True


def _fill(folder: int, name: str, data: bytes, mode: int, *, durable: bool) -> None:
    descriptor = os.open(name, _NEW_FILE, 0o600, dir_fd=folder)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fchmod(descriptor, mode)
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _clear(folder: int, name: str) -> None:
    """Rename replaces a file or a link, but no folder: take that away first."""
    with suppress(FileNotFoundError):
        if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            _remove(folder, name)


def _remove(parent: int, name: str) -> None:
    if not stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
        os.unlink(name, dir_fd=parent)
        return
    folder = os.open(name, _DIRECTORY, dir_fd=parent)
    try:
        for entry in os.listdir(folder):
            _remove(folder, entry)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=parent)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Give an OSError the whole path: with descriptors the kernel names only the last part."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise
