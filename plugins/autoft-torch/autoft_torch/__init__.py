"""The PyTorch backend of autoft."""
