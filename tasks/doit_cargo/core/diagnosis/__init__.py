"""Known failures: a table of what cargo and build scripts say, why, and what to do."""
