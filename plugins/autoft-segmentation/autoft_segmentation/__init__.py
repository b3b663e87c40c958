"""Semantic segmentation for autoft."""
