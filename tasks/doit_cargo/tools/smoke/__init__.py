"""Runs smoke tests: in containers, or in namespaces without any."""
