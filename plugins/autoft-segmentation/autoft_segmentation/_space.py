"""What is searched for segmentation in place of the default space: the size of the image, the loss, and rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from autoft.api import Param, Scalar

SIZES = (160, 128, 224)
"""Of networks that take any size; the default first."""
LOWEST, HIGHEST = 3e-4, 1e-2
DEPTHS = (0.5, 0.5, 0.25, 0.0, 0.75)
"""How deep to freeze, the default first. In short trainings half frozen masks are level with others or better, for less
time (docs/performance.md). What is less frozen may go on from there."""
OWN = (0.0, 0.5)
"""Depths that the default space gives networks whose heads are new; of others the head is pretrained, too."""
FIXED: dict[str, Scalar] = {"label_smoothing": 0.0, "l1": 0.0, "head_width": 0, "optimizer": "adamw"}
"""What maps gain little by."""


def edits(space: Sequence[Param]) -> Iterator[Param]:
    """Params in the place of those of the default space."""
    for param in space:
        searched = len(set(param.choices)) > 1
        if param.key == "image_size" and searched:
            yield msgspec.structs.replace(param, choices=SIZES, default=SIZES[0])
        elif param.key == "freeze" and param.default in OWN and searched:
            yield msgspec.structs.replace(param, choices=DEPTHS, default=DEPTHS[0])
        elif param.key in FIXED:
            yield Param(key=param.key, choices=(FIXED[param.key],), default=FIXED[param.key])
        elif param.key == "batch_size" and searched:
            yield msgspec.structs.replace(param, choices=(8, 8, 16), default=8)
        elif param.key == "lr" and isinstance(param.default, float) and LOWEST <= param.default <= HIGHEST:
            # Rates of sgd lie elsewhere.
            yield msgspec.structs.replace(param, low=max(param.low, LOWEST), high=min(param.high, HIGHEST))
