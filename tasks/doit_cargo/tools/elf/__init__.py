"""Verifies and splits executables: two readers, the policy, objcopy."""
