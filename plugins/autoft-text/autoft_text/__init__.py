"""Texts for autoft."""
