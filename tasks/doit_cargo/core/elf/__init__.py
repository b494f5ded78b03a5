"""Reads executables, and judges them by a policy."""
