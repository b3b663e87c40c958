"""What frozen prefixes give, computed once per machine and shared by all trials: keys, stores on disk, feeds."""

from __future__ import annotations

from autoft.activations.choice import Choice, choose, forbidden
from autoft.activations.feed import ActivationFeed
from autoft.activations.fill import Ask, NoRoom, fill
from autoft.activations.key import Origin, origin_of
from autoft.activations.store import ActivationStore

__all__ = [
    "ActivationFeed",
    "ActivationStore",
    "Ask",
    "Choice",
    "NoRoom",
    "Origin",
    "choose",
    "fill",
    "forbidden",
    "origin_of",
]
