"""Examines and prepares this machine: doctor and setup."""
