"""The lines of doit.cfg and pyproject.toml that name our plugins: read, compared, changed."""
