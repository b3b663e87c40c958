"""Keeps batch normalisation honest in short trainings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from autoft.api import Job, shown_again

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

#: Some networks average their statistics over 100 steps, more than a short fine-tuning has.
MOMENTUM = 0.1
#: The loss of maps with peaks.
PEAKS = "heatmap"
#: How the names of parts of new heads begin.
NEW = ("heads.", "neck.")


class Norms:
    """The batch normalisations of a net that are in training.

    In evaluation they use running statistics, which must follow the weights within the few steps that a small
    data set gives: the momentum is at least `MOMENTUM`. From scratch it starts at 1 and falls as 1 / step, a plain
    mean, since the initial statistics mean nothing.

    Networks for maps with peaks take those of images as they are, at the end of each epoch: augmented ones have other
    statistics, and where nearly all places are empty, a small shift finds other ones. For masks that was no gain
    (docs/adr/0064-better-boxes.md).
    """

    def __init__(self, net: nn.Module, *, scratch: bool, kept: bool = False, settles: bool = False) -> None:
        """`kept` leaves running statistics as they are, and uses them in training: not from scratch, nor in
        new heads."""
        self.scratch, self.kept, self.settles = scratch, kept and not scratch, settles
        found = {name: part for name, part in net.named_modules() if isinstance(part, _BatchNorm)}
        self.layers = list(found.values())
        self.still = [self.kept and not name.startswith(NEW) for name in found]
        self.usual = [max(MOMENTUM, layer.momentum or MOMENTUM) for layer in self.layers]
        net.train()
        self._learning = any(layer.training for layer in self.layers)

    @classmethod
    def of(cls, job: Job, net: nn.Module) -> Norms:
        """Those of a net that is to be trained so."""
        peaks = any(output.loss == PEAKS for output in job.problem.outputs)
        return cls(net, scratch=not job.card.pretrained, kept=job.recipe.norms == "kept", settles=peaks)

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

    @property
    def needed(self) -> bool:
        """Whether there is anything to settle."""
        return self.settles and self._learning

    def some(self, trained: Sequence[Array], *, whole: bool) -> list[Array]:
        """Those of an epoch's batches that `settle` is to see."""
        return shown_again(trained, whole=whole) if self.needed else []

    @torch.no_grad()
    def settle(self, shown: Iterable[torch.Tensor], wanted: int, show: Callable[[torch.Tensor], object]) -> None:
        """The plain mean of the statistics of what is shown, with the weights as they are. `show` runs the network.

        Of less than half of what was `wanted`, or where memory ends, they would tell too little: all stays as it was.
        """
        found = [
            value for layer in self.layers for value in (layer.running_mean, layer.running_var) if value is not None
        ]
        before, seen, enough = [value.clone() for value in found], 0, False
        try:
            for images in shown:
                seen += 1
                for layer in self.layers:
                    layer.momentum = 1 / seen
                show(images)
            enough = 2 * seen >= wanted
        finally:
            if not enough:
                for value, old in zip(found, before, strict=True):
                    value.copy_(old)
