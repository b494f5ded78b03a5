"""`doit list`: doit's own, whose files of others have no power over the terminal."""

from __future__ import annotations

from typing import IO, Any

from doit import cmd_list

from doit_cargo.core.text import plain


class List(cmd_list.List):
    """As doit has it."""

    outstream: Any
    doc_purpose = "list the stages; with --all every task"

    def execute(self, params: Any, args: list[str]) -> int:
        """List them, by a stream that escapes what is no text."""
        self.outstream = _Plain(self.outstream)
        return int(super().execute(params, args) or 0)


class _Plain:
    """The stream as doit uses it."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write it escaped."""
        return self._stream.write(plain(text))
