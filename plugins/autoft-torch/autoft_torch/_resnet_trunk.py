"""Trunks of autoft's own small networks."""

from __future__ import annotations

from collections.abc import Collection

from torch import nn

from autoft.api import ModelCard
from autoft_torch import _resnet


def build(card: ModelCard, size: int) -> tuple[nn.Module, Collection[str]]:
    return _resnet.build(str(card.extra["architecture"])), ()
