"""The key that seals what runs keep: in a file of this user's own, or given by a variable.

It lies outside the workspace, so that whatever else can be written there, by a pull request, a
restored cache or another user, counts as unknown. A process of the same user can read it.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

from doit_cargo.core import user_state
from doit_cargo.core.errors import SetupError
from doit_cargo.core.seal import Seal
from doit_cargo.tools import private

VARIABLE = "DOIT_CARGO_KEY"
_SIZE = 32  # bytes
_SHORTEST = 16  # characters: a word that one can guess is no key


class Trust:
    """Whether this run takes what others remembered as it is (`--trust-state`)."""

    others = False


def trusting(state: Path) -> Seal:
    """The seal for what says that a task is done, or what a build has left."""
    return seal(state)._replace(trusting=Trust.others)


@cache
def seal(state: Path) -> Seal:
    """The seal for what lies in that state folder. Makes the key at its first use.

    Raises SetupError if there is no place for a key, or the variable's is too short.
    """
    return Seal(_given() or _kept(user_state.folder(os.environ) / "key"), str(state))


def _given() -> bytes:
    text = os.environ.get(VARIABLE, "")
    if 0 < len(text) < _SHORTEST:
        raise SetupError(f"{VARIABLE} is too short to be a secret: give {_SHORTEST} or more")
    encoded = text.encode(errors="surrogateescape")
    return hashlib.blake2b(encoded, digest_size=_SIZE).digest() if text else b""


def _kept(path: Path) -> bytes:
    """A file that another could have read or written is replaced: what it sealed is unknown."""
    if (found := _read(path)) or (found := _make(path)):
        return found
    raise SetupError(
        f"{path.parent}: other users can write there, so no key can be kept: make it yours "
        f"alone (chmod 700), set XDG_STATE_HOME to another folder, or {VARIABLE} to a secret"
    )


def _make(path: Path) -> bytes | None:
    try:
        private.write(path, os.urandom(_SIZE))
    except OSError as error:
        raise SetupError(
            f"{path}: {error.strerror}: the key of what runs remember cannot be kept. Set "
            f"XDG_STATE_HOME to a folder of yours, or {VARIABLE} to a secret"
        ) from None
    return _read(path)


def _read(path: Path) -> bytes | None:
    found = private.read(path)
    return found if found and len(found) == _SIZE else None
