"""Decodes and checks what the user writes: config/pipeline.yaml and config/policy.yaml."""
