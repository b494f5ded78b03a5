"""Asks a registry and pushes to it, with skopeo. Credentials are those of its own login."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from doit_cargo.core.errors import CheckError
from doit_cargo.core.images import engine_commands
from doit_cargo.tools import process
from doit_cargo.tools.images.buildah import end

_ASK_TIMEOUT, _PUSH_TIMEOUT = 60.0, 1800.0  # seconds
# What registries answer for a tag or repository that is not there (distribution specification).
_UNKNOWN = ("manifest unknown", "name unknown", "not found", "NAME_UNKNOWN", "MANIFEST_UNKNOWN")
_DENIED = ("unauthorized", "authentication required", "denied")


class Registry:
    """The registry at a host, over plain HTTP if it is `insecure`."""

    def __init__(self, host: str, env: Mapping[str, str], *, insecure: bool) -> None:
        self._host = host
        self._env = env
        self._insecure = insecure

    def digest(self, reference: str) -> str | None:
        """The digest of what a tag names there now, None if it is not there. Raises CheckError."""
        argv = engine_commands.skopeo_inspect(reference, insecure=self._insecure)
        done = process.run_guarded(argv, env=self._env, timeout=_ASK_TIMEOUT)
        if done.code == 0:
            return f"sha256:{hashlib.sha256(done.out.encode()).hexdigest()}"
        if any(sign in done.err for sign in _UNKNOWN):
            return None
        raise self._error(f"asked for {reference}", done.err)

    def push(self, layout: Path, destination: str) -> None:
        """Send what the registry lacks of a layout, the index last, to a name by digest.

        What it has is asked for each blob: one that it lost is sent again. It takes no bytes that
        have another digest, so what comes to lie in the folder meanwhile is refused. Raises
        CheckError.
        """
        argv = engine_commands.skopeo_copy(layout.name, destination, insecure=self._insecure)
        done = process.run_guarded(argv, env=self._env, cwd=layout.parent, timeout=_PUSH_TIMEOUT)
        if done.code != 0:
            raise self._error(f"pushed {destination}", done.err)

    def tag(self, source: str, destination: str, digest: str) -> None:
        """Have a tag name what the registry itself has under a digest.

        Raises CheckError if it can't be done, or if the tag names something else then.
        """
        argv = engine_commands.skopeo_tag(source, destination, insecure=self._insecure)
        done = process.run_guarded(argv, env=self._env, timeout=_PUSH_TIMEOUT)
        if done.code != 0:
            raise self._error(f"tagged {destination}", done.err)
        if (found := self.digest(destination)) != digest:
            raise CheckError(f"{destination} names {found}, not {digest}: someone else pushes it")

    def _error(self, what: str, stderr: str) -> CheckError:
        login = any(sign in stderr for sign in _DENIED)
        hint = (
            f"log in first: skopeo login {self._host}" if login else "is it up? then run it again"
        )
        return CheckError(f"the registry {self._host} failed when {what}; {hint}\n{end(stderr, 3)}")
