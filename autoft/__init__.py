"""autoft searches for the best fine-tuned model for your data.

>>> import autoft
>>> run = autoft.search("./imgs", task="image-cls", time="10m")  # doctest: +SKIP
>>> run.best.predict(["new.png"])  # doctest: +SKIP
"""

from __future__ import annotations

from autoft.version import VERSION as __version__

__all__ = ["__version__"]
