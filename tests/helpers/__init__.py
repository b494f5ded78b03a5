"""What several tests need: workspaces to read and to build."""
