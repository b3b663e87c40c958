"""A search strategy learned from past fine-tuning runs: see `autoft_graybox.allocator`."""
