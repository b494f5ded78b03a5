"""What an executable is, and what a policy says of it."""
