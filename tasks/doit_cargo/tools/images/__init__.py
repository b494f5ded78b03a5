"""Builds, reads, checks and pushes images."""
