"""From a feed's batches to what networks for texts and recordings take in: the trunk itself says how.

Such a trunk has, beside `forward`, what `Trunk` lists. Lengths travel inside the tensor: words are numbered from 1 and
padded with 0, samples behind a recording's end are NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch.nn import functional

from autoft.api import Feed, Job, Recipe, recording_lengths, text_lengths
from autoft.vocab import ACTIVATION
from autoft_torch._cuts import Point
from autoft_torch._inputs import Batch, Loader

Array = np.ndarray[Any, np.dtype[Any]]


class Trunk(Protocol):
    """What a trunk for texts or recordings offers."""

    width: int
    """Features of a sample, or of a frame."""

    def follow(self, recipe: Recipe) -> None:
        """Take from the recipe what concerns the input: lengths, pooling, the strength of augmentation."""
        ...

    def values(self, arrays: dict[str, Array], *, cropped: bool) -> torch.Tensor:
        """Rows of a feed as one tensor, one sample each. `cropped` leaves out what only pads in this batch."""
        ...

    # Where a network needs more than arrays, it also has `take(folder)`, which reads that from the folder of its
    # checkpoint or of a saved model, and `keep(folder)`, which writes it.

    def changed(self, values: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
        """Augmented."""
        ...


class Rows(Loader):
    """Loads batches for such a trunk. Has the surface of `Inputs`."""

    def __init__(self, job: Job, device: torch.device, trunk: Any) -> None:
        super().__init__(device)
        self.trunk: Trunk = trunk
        self.keys = tuple(output.target for output in job.problem.outputs)
        self.words = job.card.modality == "text" and not job.card.counts
        self.spoken = job.card.modality == "audio"
        self.point: Point | None = None
        """Set where feeds give the trunk's features."""

    def normalise(self, values: torch.Tensor) -> torch.Tensor:
        """Networks for texts and recordings do it themselves."""
        return values

    def load(self, feed: Feed, index: Array, targets: bool) -> Batch:
        arrays = feed.batch(index)
        if self.point is None:
            values = self.trunk.values(arrays, cropped=targets).to(self.device)
        else:
            values = self.move(arrays[ACTIVATION])
        return values, {key: self.move(arrays[key]) for key in self.keys} if targets else {}

    def lengths(self, feed: Feed, *, training: bool = False) -> Array | None:
        """Letters of each text. Recordings are read for it, which an epoch of training is worth."""
        if self.point is not None:
            return None
        if self.words:
            return text_lengths(feed)
        return recording_lengths(feed) if training and self.spoken else None

    def fixed(self, values: torch.Tensor, seeds: Sequence[int]) -> torch.Tensor:
        """Each sample augmented by draws from its own seed, so that batches do not matter."""
        draws = (torch.Generator().manual_seed(seed) for seed in seeds)
        rows = [self.trunk.changed(value[None], own) for value, own in zip(values, draws, strict=True)]
        longest = max(row.shape[-1] for row in rows)  # recordings change in speed; behind their ends is NaN
        return torch.cat([functional.pad(r, (0, longest - r.shape[-1]), value=torch.nan) for r in rows])
