"""The pre-push hook as a value: its text, and whether a text is ours."""

from __future__ import annotations

import hashlib
import os
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

cd {folder} || refuse "there is no such folder" "{name} hooks install"
doit={doit}
[ -x "$doit" ] || doit={name}
command -v "$doit" >/dev/null || refuse "no {name} is found" "install it; {name} hooks install"
"$doit" audit || refuse "the binaries are not as they should be (above)" "{run}"
"$doit" verify || refuse "verification failed (above)" "what is said above, then: {run}"
"""


def text(*, folder: str, doit: str) -> str:
    """The hook for a project in `folder`, relative to the top of the working tree.

    `doit` is the executable to call: where it is gone, the one on PATH is.
    """
    name = os.path.basename(doit)
    run = name if name == "doit" else f"{name} run"
    folder, doit = shlex.quote(f"./{folder}"), shlex.quote(doit)
    body = _BODY.format(folder=folder, doit=doit, name=name, run=run)
    return _HEAD.format(sha=_sha256(body)) + body


def whose(found: str) -> Whose:
    """Ours as it was written, ours but changed since, or another one."""
    head = _OURS.match(found)
    if head is None:
        return "foreign"
    return "ours" if head[1] == _sha256(found[head.end() :]) else "edited"


def _sha256(body: str) -> str:
    return hashlib.sha256(body.encode(errors="surrogateescape")).hexdigest()
