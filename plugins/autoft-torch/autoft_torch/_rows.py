"""From a feed's batches to what networks for texts and recordings take in: the trunk itself says how.

Such a trunk has, beside `forward`, what `Trunk` lists. Lengths travel inside the tensor: words are numbered from 1 and
padded with 0, samples behind a recording's end are NaN.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from autoft.api import Feed, Job, Recipe, ahead

Array = np.ndarray[Any, np.dtype[Any]]
Batch = tuple[torch.Tensor, dict[str, torch.Tensor]]


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

    def changed(self, values: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
        """Augmented."""
        ...


class Rows:
    """Loads batches for such a trunk. Has the surface of `Inputs`; nothing enters behind a cut here."""

    point = None

    def __init__(self, job: Job, device: torch.device, trunk: Any) -> None:
        self.trunk: Trunk = trunk
        self.keys = tuple(output.target for output in job.problem.outputs)
        self.device = device

    def batches(self, feed: Feed, indices: Sequence[Array], *, targets: bool) -> Iterator[Batch]:
        """Values and targets for each array of indices. A thread feeds a GPU ahead of time."""
        loaded = (self._load(feed, index, targets) for index in indices)
        return loaded if self.device.type == "cpu" else ahead(loaded)

    def normalise(self, values: torch.Tensor) -> torch.Tensor:
        """Networks for texts and recordings do it themselves."""
        return values

    def _load(self, feed: Feed, index: Array, targets: bool) -> Batch:
        arrays = feed.batch(index)
        values = self.trunk.values(arrays, cropped=targets).to(self.device)
        return values, {key: self._target(arrays[key]) for key in self.keys} if targets else {}

    def _target(self, values: Array) -> torch.Tensor:
        return torch.from_numpy(np.require(values, requirements=("C", "W"))).to(self.device)


def keep_beside(trunk: Any, folder: Path) -> None:
    """Write what a trunk needs beside its arrays, such as a tokenizer."""
    if hasattr(trunk, "keep"):
        trunk.keep(folder)


def take_beside(trunk: Any, folder: Path) -> None:
    """Take up what `keep_beside` wrote."""
    if hasattr(trunk, "take"):
        trunk.take(folder)
