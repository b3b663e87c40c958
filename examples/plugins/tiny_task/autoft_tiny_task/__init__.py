"""A tiny task for autoft."""
