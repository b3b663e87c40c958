"""What is searched for segmentation in place of the default space: the size of the image, by time, and rates."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

import msgspec

from autoft.api import ModelCard, Param, Scalar

SIZES = (224, 160, 320)
"""Of networks that take any size, the default first. Masks cannot be finer than images: on cells of 20 pixels the best
mean IoU there can be is .88 for masks of 160 pixels, .93 for 224, .95 for 320."""
SHORT = (160, 128, 224)
"""The same where time is short: more epochs are then worth more (docs/adr/0065-edges-of-masks.md)."""
EPOCHS = 8
"""Those that trial 0 should have in half of the time, at the least."""
SECONDS, EACH = 0.03, 0.06
"""What an epoch takes of a core, half of the network frozen, for each sample of 224 pixels: by itself, and for each
10^9 multiplications and additions of the network."""
ALIKE = 1.6e-7
"""The same of networks of which nobody knows it, for each parameter, as a ResNet-50 has it."""
LOWEST, HIGHEST = 3e-4, 1e-2
BATCHES, FEW = (8, 8, 16), (4, 4, 8)
"""Of pictures, the default first; the second ones where few samples leave no choice."""
DEPTHS = (0.5, 0.5, 0.25, 0.0, 0.75)
"""How deep to freeze, the default first. In short trainings half frozen masks are level with others or better, for less
time (docs/performance.md). What is less frozen may go on from there."""
OWN = (0.0, 0.5)
"""Depths that the default space gives networks whose heads are new; of others the head is pretrained, too."""
FIXED: dict[str, Scalar] = {"label_smoothing": 0.0, "l1": 0.0, "head_width": 0, "optimizer": "adamw"}
"""What maps gain little by."""
SIDES = (
    ("left", "right"),
    ("link", "recht"),
    ("gauche", "droite"),
    ("gauche", "droit"),
    ("izquierd", "derech"),
    ("sinistr", "destr"),
    ("esquerd", "direit"),
    ("左", "右"),
)
"""Stems by which two names differ: `leftlung`, `rightlung`; `lunge links`, `lunge rechts`."""
LETTERS = {"l": "r", "lh": "rh", "lt": "rt"}
"""The same as words of their own: `l_eye`, `r_eye`; `lung_L`, `lung_R`."""
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W_a-zA-Z]+")


def edits(
    space: Sequence[Param], cards: Sequence[ModelCard], seconds: float, classes: Sequence[str] = ()
) -> Iterator[Param]:
    """Params in the place of those of the default space; `seconds` are those of the search for each sample."""
    for param in space:
        searched = len(set(param.choices)) > 1
        if param.key == "image_size":
            yield _sized(param, cards, seconds)
        elif param.key == "freeze" and param.default in OWN and searched:
            yield msgspec.structs.replace(param, choices=DEPTHS, default=DEPTHS[0])
        elif param.key == "augment" and _sided(classes):
            yield Param(key=param.key, choices=("none",), default="none")
        elif param.key in FIXED:
            yield Param(key=param.key, choices=(FIXED[param.key],), default=FIXED[param.key])
        elif param.key == "batch_size":
            # Few samples leave no choice of sizes, and few steps: on 154 pictures, five epochs in batches of 4 gave
            # .826, in batches of 8 .795, in batches of 16 .753.
            sizes = BATCHES if searched else FEW
            yield msgspec.structs.replace(param, choices=sizes, default=sizes[0])
        elif param.key == "lr" and isinstance(param.default, float) and LOWEST <= param.default <= HIGHEST:
            # Rates of sgd lie elsewhere.
            yield msgspec.structs.replace(param, low=max(param.low, LOWEST), high=min(param.high, HIGHEST))


def _sided(classes: Sequence[str]) -> bool:
    """Whether classes tell left from right: every augmentation of masks mirrors them.

    They do with both words, or where two of them differ in the side alone. `upright` and `bright` are no sides."""
    named = [tuple(word.lower() for word in WORD.findall(name)) for name in classes]
    words = {re.sub("^(left|right).*", r"\1", word) for name in named for word in name}
    if {"left", "right"} <= words:
        return True
    mirrored = {
        tuple(LETTERS.get(word, word) for word in name) for name in named if not LETTERS.keys().isdisjoint(name)
    }
    joined = {" ".join(name) for name in named}
    swapped = {name.replace(left, right) for left, right in SIDES for name in joined if left in name}
    return not mirrored.isdisjoint(named) or not swapped.isdisjoint(joined)


def _sized(param: Param, cards: Sequence[ModelCard], seconds: float) -> Param:
    """Presets that search no sides keep their own, unless it is one for icons; networks made for one side keep that."""
    largest = max((int(size) for size in param.choices if isinstance(size, int)), default=0)
    searched = len(set(param.choices)) > 1
    named = param.when.get("model", ())
    meant = [card for card in cards if not named or card.name in named]
    if not searched and (largest >= min(SHORT) or all(card.fixed_size for card in meant)):
        return param
    needed = max(map(_needed, meant), default=0.0)
    sizes = SIZES if seconds >= needed else SHORT
    return msgspec.structs.replace(param, choices=sizes if searched else sizes[:1], default=sizes[0])


def _needed(card: ModelCard) -> float:
    """Seconds of a search for each sample that leave time for larger images."""
    cost = card.macs * (SIZES[0] / card.input_size) ** 2 if card.input_size else 0.0
    cost = cost or ALIKE * card.params or math.inf
    return 2 * EPOCHS * (SECONDS + EACH * cost)
