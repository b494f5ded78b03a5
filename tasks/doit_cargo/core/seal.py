"""Seals on what runs keep: without the key nobody can make one, nor move one elsewhere."""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

from doit_cargo.core.record import digest

_SIZE = 16  # bytes: nobody tries 2**127 forgeries


class Seal(NamedTuple):
    """The key of one workspace's state, which lies in the folder `place`.

    A `trusting` one takes everything for sealed, and its own seals hold for its like alone.
    """

    key: bytes
    place: str
    trusting: bool = False

    def mac(self, kind: str, data: bytes) -> str:
        """The seal (hex) on data of that kind: what is valid as one is not valid as another."""
        use = f"{self.trusting}\0{self.place}\0{kind}\0".encode(errors="surrogateescape")
        return hashlib.blake2b(use + data, key=self.key, digest_size=_SIZE).hexdigest()

    def holds(self, kind: str, data: bytes, mac: object) -> bool:
        """Whether that is the data's seal."""
        if self.trusting:
            return True
        return isinstance(mac, str) and hmac.compare_digest(
            self.mac(kind, data).encode(), mac.encode(errors="replace")
        )

    def mac_of(self, kind: str, value: object) -> str:
        """The seal on a JSON-able value."""
        return self.mac(kind, digest(value).encode())

    def holds_of(self, kind: str, value: object, mac: object) -> bool:
        """Whether that is the value's seal."""
        return self.holds(kind, digest(value).encode(), mac)

    def sealed(self, kind: str, data: bytes) -> bytes:
        """The data as a file: its seal on a line, then the data."""
        return self.mac(kind, data).encode() + b"\n" + data

    def opened(self, kind: str, file: bytes) -> bytes | None:
        """The data of such a file; None without a valid seal."""
        mac, _, data = file.partition(b"\n")
        return data if self.holds(kind, data, mac.decode(errors="replace")) else None
