"""A tiny backend for autoft."""
