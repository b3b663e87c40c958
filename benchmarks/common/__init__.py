"""What the benchmarks of whole commands share: processes with their cost, divided data, spaces, snapshots of models."""
