"""What one run needs around its tasks: session, lock, preflight, content index, exit codes."""
