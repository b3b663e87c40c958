"""What stands beside numbers: the machine, versions, and names without places on this machine."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("autoft", "torch", "ray", "optuna", "timm")},
    }


def name_of(model: str) -> str:
    """Short, and without a place on this machine."""
    return model if model.startswith("autoft/") else "/".join(Path(model).resolve().parts[-2:])
