"""What the user writes: config/pipeline.yaml and config/policy.yaml, decoded and checked."""
