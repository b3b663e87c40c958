"""Object detection for autoft."""
