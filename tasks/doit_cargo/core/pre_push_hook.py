"""The pre-push hook as a value: its text, and whether a text is ours."""

from __future__ import annotations

import hashlib
import re
import shlex
from typing import Literal

Whose = Literal["ours", "edited", "foreign"]

NAME = "pre-push"
_HEAD = "#!/bin/sh\n# doit-cargo's pre-push hook; doit hooks uninstall removes it. sha256: {sha}\n"
_OURS = re.compile(re.escape(_HEAD).replace(re.escape("{sha}"), "([0-9a-f]{64})"))
# Git starts a hook at the top of the working tree that is pushed from (githooks(5)), with
# variables set that would point every other git at that repository.
_BODY = """\
# Nothing is pushed unless what lies on disk is valid, and made of these sources.
exec </dev/null >&2
unset $(git rev-parse --local-env-vars)

refuse() {{
    echo "push refused: $1"
    echo "    to fix it:     $2"
    echo "    to push anyway: git push --no-verify"
    exit 1
}}

cd {folder} || refuse "there is no such folder" "doit hooks install"
doit={doit}
[ -x "$doit" ] || doit=doit
command -v "$doit" >/dev/null || refuse "doit is not found" "install it, then: doit hooks install"
"$doit" audit || refuse "the binaries are not as they should be (above)" "doit"
"$doit" verify || refuse "verification failed (above)" "what is said above, then: doit"
"""


def text(*, folder: str, doit: str) -> str:
    """The hook for a project in `folder`, relative to the top of the working tree.

    `doit` is the executable to call: where it is gone, the one on PATH is.
    """
    body = _BODY.format(folder=shlex.quote(f"./{folder}"), doit=shlex.quote(doit))
    return _HEAD.format(sha=_sha256(body)) + body


def whose(found: str) -> Whose:
    """Ours as it was written, ours but changed since, or somebody else's."""
    head = _OURS.match(found)
    if head is None:
        return "foreign"
    return "ours" if head[1] == _sha256(found[head.end() :]) else "edited"


def _sha256(body: str) -> str:
    return hashlib.sha256(body.encode(errors="surrogateescape")).hexdigest()
