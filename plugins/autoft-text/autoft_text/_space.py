"""What is searched for texts in place of the default space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from autoft.api import ModelCard, Param

SCRATCH = ("strong", "strong", "light", "none")
"""How many words a step leaves out: small sets are learned by heart without it."""
PRETRAINED = ("none", "none", "light")
"""A network that has read much needs it little."""


def edits(space: Sequence[Param], cards: Sequence[ModelCard]) -> Iterator[Param]:
    """Params in the place of those of the default space."""
    pretrained = tuple(card.name for card in cards if card.pretrained)
    scratch = tuple(card.name for card in cards if not card.pretrained)
    kinds = [(scratch, SCRATCH), (pretrained, PRETRAINED)]
    present = [(names, policies) for names, policies in kinds if names] or kinds[:1]
    for param in space:
        if param.key == "augment" and len(set(param.choices)) > 1:
            for names, policies in present:
                when = {**param.when, "model": names} if len(present) > 1 else param.when
                yield msgspec.structs.replace(param, choices=policies, default=policies[0], when=when)
