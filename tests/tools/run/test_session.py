"""A run's live things on a machine that has no thread left."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from doit_cargo.tools.run.session import Session
from helpers.contexts import context


def no_thread(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_a_run_without_a_thread_for_cargo_still_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What never ran cannot be joined: the error that is told is the first one."""
    session, ctx = Session(), context(tmp_path)
    try:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", no_thread)
            with pytest.raises(RuntimeError, match="new thread"):
                session.start([], ctx.graph, lambda _, __: None, None)
    finally:
        session.close()
