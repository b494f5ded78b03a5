"""What compiles: found from files alone."""
