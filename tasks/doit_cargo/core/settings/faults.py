"""Collects what is wrong with one file, so that every fault is reported at once."""

from __future__ import annotations

from typing import Final, NoReturn

from doit_cargo.core.errors import ConfigError

MAX_FAULTS: Final = 50
BAD: Final = object()  # what a decoder returns once it has added a fault

_SHOWN: Final = 60  # characters
_LISTED: Final = 20  # names


class Faults:
    """The faults of one file, each as `path:line: key path: what is wrong`."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self._found: list[tuple[int, str]] = []

    def add(self, line: int, keys: str, text: str) -> object:
        """Note a fault and return BAD. Raises ConfigError when there are too many to go on."""
        place = f"{self.shown}:{line}: {keys}: " if keys else f"{self.shown}:{line}: "
        self._found.append((line, place + text))
        if len(self._found) == MAX_FAULTS:
            raise ConfigError((*self.lines(), f"{self.shown}: there may be more faults"))
        return BAD

    def lines(self) -> tuple[str, ...]:
        """Return the faults as they are shown, in the order of the file."""
        return tuple(text for _, text in sorted(self._found, key=lambda fault: fault[0]))

    def check(self) -> None:
        """Raise ConfigError if there are faults."""
        if self._found:
            raise ConfigError(self.lines())

    def stop(self, line: int, text: str, keys: str = "") -> NoReturn:
        """Raise ConfigError: the file cannot be read past this fault."""
        self.add(line, keys, text)
        raise ConfigError(self.lines())

    def no_file(self, text: str) -> NoReturn:
        """Raise ConfigError: there is nothing to read, hence no line."""
        raise ConfigError((f"{self.shown}: {text}",))


def clip(text: str) -> str:
    """Shorten a text to what a message can show."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def quote(text: str) -> str:
    """Write the text as a message shows it: in quotes, on one line, not too long."""
    return repr(clip(text))


def nearest(name: str, known: tuple[str, ...]) -> str:
    """Say which known name was meant, or else which names are known."""
    import difflib  # noqa: PLC0415 - only a mistake needs it

    if near := difflib.get_close_matches(name[:_SHOWN], known, n=1):
        return f"did you mean '{near[0]}'?"
    if not known:
        return "it has none"
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f"known: {', '.join(known[:_LISTED])}{more}"
