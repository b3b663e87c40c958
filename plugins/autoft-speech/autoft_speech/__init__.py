"""Sound and speech for autoft."""
