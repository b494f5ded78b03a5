"""Names images: repositories, tags, and the git revision that a tag may hold."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from doit_cargo.core import bounded
from doit_cargo.core.image_settings import Images
from doit_cargo.core.model import Binary, Context, Target

_SHA = "[0-9a-f]{40}([0-9a-f]{24})?"
_LONG = 12  # digits of a revision in a tag: git's own default for a large repository
VERSION, REVISION = "{version}", "{revision}"
MAX_TAG = 128  # source: OCI distribution specification 1.1, "Pulling manifests"


def imaged(ctx: Context) -> tuple[Binary, ...]:
    """The binaries that get an image, in the order in which they are shipped."""
    images = ctx.config.images
    if images is None:
        return ()
    wanted = images.services
    return tuple(b for b in ctx.ship if wanted is None or b.name in wanted)


def repository(images: Images, binary: Binary) -> str:
    """`prefix/binary`."""
    return f"{images.prefix}/{binary.name}" if images.prefix else binary.name


def remote(images: Images, binary: Binary) -> str:
    """The repository in the registry."""
    return f"{images.registry}/{repository(images, binary)}"


def tags(ctx: Context, binary: Binary) -> tuple[str, ...]:
    """The tags of a binary's images; "" stands for a revision where there is none."""
    images = ctx.config.images
    templates: Sequence[str] = images.tags if images else ()
    version = ctx.graph.crates[binary.crate].version.replace("+", "-")
    revised = any(REVISION in template for template in templates)
    commit = revision(ctx.config.root)[:_LONG] if revised else ""
    filled = (
        "" if REVISION in tag and not commit
        else tag.replace(VERSION, version).replace(REVISION, commit)
        for tag in templates
    )  # fmt: skip
    return tuple(dict.fromkeys(filled))


def references(ctx: Context, target: Target, binary: Binary) -> tuple[str, ...]:
    """The names of one platform's image on this machine.

    The first target's have the plain tags; another's end in its architecture.
    """
    images = ctx.config.images
    if images is None:
        return ()
    suffix = "" if target == ctx.config.targets[0] else f"-{target.arch}"
    name = repository(images, binary)
    return tuple(f"{name}:{tag}{suffix}" for tag in tags(ctx, binary))


def tag_faults(tags_: Sequence[str]) -> list[str]:
    """Why these tags can't be given."""
    found = []
    if "" in tags_:
        found.append("images.tags: {revision} needs a git repository with a commit")
    found += [f"images.tags: '{tag}' is too long" for tag in tags_ if len(tag) > MAX_TAG]
    return found


def revision(folder: Path) -> str:
    """The commit that is checked out in the folder's repository, "" if there is none.

    Reads git's own files, since loading the tasks starts no process. Source: gitrepository-layout.
    """
    for parent in (folder, *folder.parents):
        if (git := parent / ".git").exists():
            return _head(_git_folder(git))
    return ""


def _git_folder(git: Path) -> Path:
    """`.git`, or where it points to from a worktree or a submodule."""
    pointer = "" if git.is_dir() else _read(git)
    return git.parent / pointer.removeprefix("gitdir: ") if pointer else git


def _head(git: Path) -> str:
    head = _read(git / "HEAD")
    if not head.startswith("ref: "):
        return head if re.fullmatch(_SHA, head) else ""
    name = head.removeprefix("ref: ")
    common = git / (_read(git / "commondir") or ".")
    loose = _read(common / os.path.normpath(name))
    return loose if re.fullmatch(_SHA, loose) else _packed(common, name)


def _packed(common: Path, name: str) -> str:
    for line in _read(common / "packed-refs").splitlines():
        sha, _, found = line.partition(" ")
        if found == name and re.fullmatch(_SHA, sha):
            return sha
    return ""


def _read(path: Path) -> str:
    with suppress(OSError, ValueError):
        return bounded.read_text(path).strip()
    return ""
