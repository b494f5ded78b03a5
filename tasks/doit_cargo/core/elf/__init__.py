"""Reads executables, and checks them against a policy."""
