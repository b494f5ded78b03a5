"""Reads Cargo's manifests, lock file and configuration: the crate graph, the inputs."""
