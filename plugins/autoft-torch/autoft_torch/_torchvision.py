"""Trunks of torchvision's classifiers."""

from __future__ import annotations

from collections.abc import Collection

import torchvision
from torch import nn

from autoft.api import ModelCard, TrialFailed

#: Classes of the published weights; the last linear layer with so many outputs is the old head.
CLASSES = 1000


def build(card: ModelCard, size: int) -> tuple[nn.Module, Collection[str]]:
    trunk = torchvision.models.get_model(str(card.extra["architecture"]), weights=None, num_classes=CLASSES)
    linear = [
        name for name, part in trunk.named_modules() if isinstance(part, nn.Linear) and part.out_features == CLASSES
    ]
    if len(linear) != 1:
        raise TrialFailed(f"a classifier must end in one linear layer, but {card.name} has {len(linear)}.")
    parent, _, last = linear[0].rpartition(".")
    setattr(trunk.get_submodule(parent), last, nn.Identity())
    for name, part in trunk.get_submodule(parent).named_children() if parent else ():
        if isinstance(part, nn.Dropout):  # the new head has its own
            setattr(trunk.get_submodule(parent), name, nn.Identity())
    return trunk, (linear[0] + ".",)
