"""Effects: one outside tool to a module."""
