"""Lets `pytest` run the examples' tests from a checkout, whether or not the examples are installed."""

import importlib.util
import sys
from pathlib import Path

for folder in sorted(Path(__file__).parent.glob("tiny_*")):
    if importlib.util.find_spec(f"autoft_{folder.name}") is None:
        sys.path.append(str(folder))
