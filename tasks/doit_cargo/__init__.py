"""From a Cargo workspace to verified, Docker-ready static binaries."""
