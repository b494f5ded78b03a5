"""doit's further commands, one a file: thin, the work is in the tools and reports."""
