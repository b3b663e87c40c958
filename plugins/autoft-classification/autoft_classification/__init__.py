"""Image classification for autoft."""
