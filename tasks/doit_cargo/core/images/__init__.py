"""Images as values: names, Dockerfile, command lines, and what lies in an OCI layout."""
