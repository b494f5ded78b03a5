"""What Cargo's manifests, lock file and configuration say: the crate graph, the inputs."""
