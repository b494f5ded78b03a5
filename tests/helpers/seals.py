"""A seal for tests on values."""

from doit_cargo.core.seal import Seal

SEAL = Seal(b"a key of tests alone", "/state")
