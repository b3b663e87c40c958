"""autoft searches for the best fine-tuned model for your data.

import autoft

run = autoft.search("./imgs", task="image-cls", time="10m")
run.leaderboard()
run.best.predict(["new.png"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autoft.version import VERSION as __version__

if TYPE_CHECKING:
    from autoft.predictor import Predictor
    from autoft.python import search, train
    from autoft.run import Run

__all__ = ["Predictor", "Run", "__version__", "search", "train"]

_HOMES = {"train": "autoft.python", "Run": "autoft.run", "Predictor": "autoft.predictor"}


def __getattr__(name: str) -> Any:
    # `import autoft` must stay quick: the command line and every worker begin with it.
    import importlib

    if name == "search":
        return importlib.import_module("autoft.search")  # a package that can be called: see there
    if name not in _HOMES:
        raise AttributeError(f"module 'autoft' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)
