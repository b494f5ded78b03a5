"""Finds the compiler, std, linker and their caches, from files alone."""
