"""What several tasks of several distributions share. Numpy only; offered to plugins by `autoft.api`."""
