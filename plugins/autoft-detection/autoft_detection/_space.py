"""What is searched for detection in place of the default space: the size of the image decides, and time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from autoft.api import Param, Scalar, Schema
from autoft_detection import _sides

SMALL = 160
"""Sides below it show no small things; networks that were trained on such images still take larger ones."""
SIZES = (256, 192, 320)
"""The default first."""
RATE = 5e-3
"""Above it, training on heat maps breaks down."""
DEPTHS = {0.0: (0.75, 0.75, 0.5, 0.25, 0.0), 0.5: (0.5, 0.5, 0.75, 0.25, 0.0)}
"""How deep to freeze, the default first, by the default that the space has for networks whose heads are new: 0 for
those that know little, half for others. In short trainings more frozen is quicker, and of small networks better, too:
early steps teach the new head (docs/performance.md). What is less frozen may go on from there. Half of a network is
about what comes before its maps of stride 16; three quarters are that of the bundled one."""
FIXED: dict[str, Scalar] = {
    # These change class targets, of which there are none here.
    "label_smoothing": 0.0,
    "class_weights": "none",
    # Heads are convolutions on many places, which gain little by these.
    "head_width": 0,
    "l1": 0.0,
    "optimizer": "adamw",
}


LONG = 40
"""Epochs of a trial from which on there is time for larger images, where boxes are small: as `best` has them."""


def edits(space: Sequence[Param], schema: Schema) -> Iterator[Param]:
    """Params in the place of those of the default space."""
    sizes = _sizes(space, schema)
    for param in space:
        if param.key == "image_size":
            largest = max((int(size) for size in param.choices if isinstance(size, int)), default=0)
            if largest < SMALL or len(set(param.choices)) > 1:
                yield msgspec.structs.replace(param, choices=sizes, default=sizes[0])
            else:
                yield param
        elif param.key == "freeze" and (depths := _depths(param)):
            yield msgspec.structs.replace(param, choices=depths, default=depths[0])
        elif param.key in FIXED:
            yield Param(key=param.key, choices=(FIXED[param.key],), default=FIXED[param.key])
        elif param.key == "batch_size":
            # Small data give few steps: on 131 pictures, six epochs in batches of 4 gave 0.14, in batches of 8 0.09.
            largest = max((int(size) for size in param.choices if isinstance(size, int)), default=8)
            half = 4 if largest <= 8 else 8
            sizes = (half,) if len(set(param.choices)) == 1 else (half, half, 2 * half)
            yield msgspec.structs.replace(param, choices=sizes, default=half)
        elif param.key == "augment" and len(set(param.choices)) > 1:
            # In short trainings, large changes of scale teach less than they blur (docs/performance.md).
            words = ("light", "light", "trivial", "strong")
            yield msgspec.structs.replace(param, choices=words, default="light")
        elif param.key in ("epochs", "patience") and isinstance(param.choices[0], int):
            yield msgspec.structs.replace(param, choices=(2 * param.choices[0],), default=2 * param.choices[0])
        elif param.key == "lr":
            high = max(param.low, min(param.high, RATE))
            yield msgspec.structs.replace(param, high=high, default=min(float(param.default or high), high))


def _depths(param: Param) -> tuple[float, ...]:
    """None where the head is pretrained, too, or the depth is not searched."""
    found = DEPTHS.get(param.default) if isinstance(param.default, float) else None
    return found if found and len(set(param.choices)) > 1 else ()


def _sizes(space: Sequence[Param], schema: Schema) -> tuple[int, ...]:
    """Around the side at which the boxes of these data are seen, where trials are long enough for it."""
    epochs = max(
        (int(n) for param in space if param.key == "epochs" for n in param.choices if isinstance(n, int)), default=0
    )
    place = _sides.STEPS.index(_sides.of(schema)) if _sides.of(schema) in _sides.STEPS else 0
    if not place or epochs < LONG:
        return SIZES
    return _sides.STEPS[place], _sides.STEPS[place - 1], _sides.STEPS[min(place + 1, len(_sides.STEPS) - 1)]
