"""Takes over from a checkpoint what it has learned to spell: the rows of its old head that say the same letters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import nn

from autoft.api import Output


class Spelling(NamedTuple):
    """An old head, which gives one number for each of its letters."""

    letters: Mapping[str, int]
    """Letter -> row; the empty one is the blank."""
    weight: torch.Tensor
    """(rows, width)."""
    bias: torch.Tensor

    @classmethod
    def of(cls, letters: Mapping[str, int], state: Mapping[str, torch.Tensor]) -> Spelling | None:
        """None where the arrays of a file have no such head for these letters."""
        weight, bias = state.get("lm_head.weight"), state.get("lm_head.bias")
        if not letters or weight is None or bias is None or max(letters.values()) >= len(weight):
            return None
        return cls(letters, weight, bias)


@torch.no_grad()
def take_over(head: nn.Module, output: Output, spelling: Spelling) -> int:
    """Copy the rows of the letters that both have; gives their number. A head with a hidden layer starts anew."""
    linear = [part for part in head.modules() if isinstance(part, nn.Linear)]
    if len(linear) != 1 or linear[0].in_features != spelling.weight.shape[1] or "" not in spelling.letters:
        return 0
    shared = [(row, spelling.letters[one]) for row, one in enumerate(output.letters) if one in spelling.letters]
    for row, old in shared:
        linear[0].weight[row] = spelling.weight[old]
        linear[0].bias[row] = spelling.bias[old]
    return len(shared)
