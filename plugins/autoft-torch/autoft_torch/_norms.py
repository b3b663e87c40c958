"""Keeps batch normalisation honest in short trainings."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

#: Some networks average their statistics over 100 steps, more than a short fine-tuning has.
MOMENTUM = 0.1
#: How the names of parts of new heads begin.
NEW = ("heads.", "neck.")


class Norms:
    """The batch normalisations of a net that are in training.

    In evaluation they use running statistics, which must follow the weights within the few steps that a small
    data set gives: the momentum is at least `MOMENTUM`. From scratch it starts at 1 and falls as 1 / step, a plain
    mean, since the initial statistics mean nothing.
    """

    def __init__(self, net: nn.Module, *, scratch: bool, kept: bool = False) -> None:
        """`kept` leaves running statistics as they are, and uses them in training: not from scratch, nor in
        new heads."""
        self.scratch, self.kept = scratch, kept and not scratch
        found = {name: part for name, part in net.named_modules() if isinstance(part, _BatchNorm)}
        self.layers = list(found.values())
        self.still = [self.kept and not name.startswith(NEW) for name in found]
        self.usual = [max(MOMENTUM, layer.momentum or MOMENTUM) for layer in self.layers]

    def before(self, step: int, samples: int) -> None:
        """Prepare for training step `step` (counted from 0) on a batch of so many samples.

        One sample has no batch statistics: the layers then use and keep their running ones.
        """
        for layer, usual, still in zip(self.layers, self.usual, self.still, strict=True):
            momentum = max(usual, 1 / (step + 1)) if self.scratch else usual
            if layer.momentum != momentum:  # modules are slow to set, and a step from a cut can be quick
                layer.momentum = momentum
            if (samples == 1 or still) and layer.training:
                layer.eval()
