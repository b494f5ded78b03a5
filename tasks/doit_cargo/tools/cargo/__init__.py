"""Drives cargo: one build process, its messages, its metadata and its fingerprints."""
