"""Serves one run around its tasks: session, lock, preflight, content index, exit codes."""
