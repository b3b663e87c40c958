"""What is searched for recordings in place of the default space."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import msgspec

from autoft.api import ModelCard, Param, Scalar

POLICIES = ("light", "light", "none", "strong")
"""Augmentations that mean something for sounds."""
FIXED: dict[str, dict[str, Scalar]] = {
    "audio-cls": {"cutmix": 0.0},
    "audio-multilabel": {"cutmix": 0.0},
    "asr": {
        "cutmix": 0.0,
        "mixup": 0.0,
        "label_smoothing": 0.0,
        "class_weights": "none",
        "head_width": 0,
        "l1": 0.0,
        "optimizer": "adamw",
        "clip": 5.0,
        "patience": 0,
    },
}
"""Task -> what it has no use for. The loss of CTC stays on a plateau of blanks before it falls: no patience."""
BATCHES = (4, 4, 8)
STEPS = 2000
"""Of the longest training, however many epochs few recordings need for them: CTC stays on its plateau of blanks for
hundreds of steps, and a trial that has less time plans for less."""
RATES = (1.5e-3, 1e-2, 5e-3)
"""Lowest, highest and default learning rate of networks that are trained from scratch."""


def edits(space: Sequence[Param], task: str, recordings: int, cards: Sequence[ModelCard]) -> Iterator[Param]:
    """Params in the place of those of the default space."""
    fixed = FIXED[task]
    for param in space:
        searched = len(set(param.choices)) > 1
        if param.key in fixed:
            yield Param(key=param.key, choices=(fixed[param.key],), default=fixed[param.key])
        elif param.key == "augment":  # one that stays as it is, too: what is yielded takes the place of all of the key
            yield msgspec.structs.replace(param, choices=POLICIES, default=POLICIES[0]) if searched else param
        elif task == "asr" and param.key == "batch_size":
            yield msgspec.structs.replace(param, choices=BATCHES, default=BATCHES[0])
        elif task == "asr" and param.key == "epochs":
            epochs = max(int(str(param.default)), math.ceil(STEPS / math.ceil(max(1, recordings) / BATCHES[0])))
            yield Param(key="epochs", choices=(epochs,), default=epochs)
        elif task == "asr" and param.key == "lr" and param.low < param.high:
            low, high, default = (param.low, param.high, param.default) if _pretrained(param, cards) else RATES
            yield msgspec.structs.replace(param, low=low, high=high, default=default)
        elif task == "asr" and param.key == "warmup":
            yield Param(key="warmup", choices=(0.1, 0.1, 0.05), default=0.1)


def _pretrained(param: Param, cards: Sequence[ModelCard]) -> bool:
    """Whether a parameter is for a network that brings weights: rates from scratch would undo them."""
    names = param.when.get("model")
    return any(card.pretrained for card in cards if names is None or card.name in names)
