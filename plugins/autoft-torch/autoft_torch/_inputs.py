"""From a feed's numpy batches to what the network takes in, on the device where it computes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from autoft.api import Feed, Job, ahead, target_at
from autoft.vocab import ACTIVATION
from autoft_torch._cuts import Point
from autoft_torch._precision import layout

Array = np.ndarray[Any, np.dtype[Any]]
Batch = tuple[torch.Tensor, dict[str, torch.Tensor]]


class Loader:
    """Brings batches of a feed to the device."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def batches(self, feed: Feed, indices: Iterable[Array], *, targets: bool) -> Iterator[Batch]:
        """What the network takes in, and targets, for each array of indices. A thread feeds a GPU ahead of time."""
        loaded = (self.load(feed, index, targets) for index in indices)
        return loaded if self.device.type == "cpu" else ahead(loaded)

    def load(self, feed: Feed, index: Array, targets: bool) -> Batch:
        """One batch; without targets there are none in it."""
        raise NotImplementedError

    def lengths(self, feed: Feed, *, training: bool = False) -> Array | None:
        """About how long each sample is, where batches of like lengths take less time."""
        return None

    def side(self, feed: Feed) -> int:
        """Of the images that the feed gives; 0 where it gives none."""
        return 0

    def move(self, values: Array) -> torch.Tensor:
        """On the device."""
        tensor = torch.from_numpy(np.require(values, requirements=("C", "W")))  # copied only where it is read-only
        if self.device.type == "cpu":
            return tensor
        return tensor.pin_memory().to(self.device, non_blocking=True)


class Inputs(Loader):
    """Loads batches, brings images to the size the network sees and normalises them as its card says."""

    def __init__(self, job: Job, device: torch.device) -> None:
        super().__init__(device)
        self.field = job.card.modality
        self.keys = None if job.problem.encoder else tuple(output.target for output in job.problem.outputs)
        """Targets that are loaded; None where an encoder takes all that there are."""
        self.size = job.image_size
        self.mean = torch.tensor(job.card.mean, device=device).view(1, -1, 1, 1) * 255
        self.std = torch.tensor(job.card.std, device=device).view(1, -1, 1, 1) * 255
        self.point: Point | None = None
        """Where feeds give what a frozen prefix gave; None where they give images."""

    def normalise(self, images: torch.Tensor) -> torch.Tensor:
        """Images in 0..255 (n, 3, h, w) to float32 in the card's units, as they lie best in memory."""
        values = (images.float() - self.mean) / self.std
        return values.contiguous(memory_format=layout(self.device))

    def side(self, feed: Feed) -> int:
        none = feed.batch(np.zeros(0, np.int64))
        return int(none[self.field].shape[1]) if self.field in none else 0

    def load(self, feed: Feed, index: Array, targets: bool) -> Batch:
        """Images uint8 (n, 3, size, size), or what stands at `point`, and targets."""
        arrays = feed.batch(index)
        keys = self.keys or tuple(key for key in arrays if key not in (self.field, ACTIVATION))
        wanted = {key: self.move(target_at(key, arrays[key], self.size)) for key in keys} if targets else {}
        if self.point:
            return self.point.tensor(self.move(arrays[ACTIVATION])), wanted
        images = self.move(arrays[self.field]).permute(0, 3, 1, 2)  # a view that is channels last already
        return resize(images, self.size), wanted


def resize(images: torch.Tensor, size: int) -> torch.Tensor:
    """uint8 images (n, 3, h, w) to (n, 3, size, size), bilinear with antialiasing."""
    if images.shape[2:] == (size, size):
        return images
    if images.device.type == "cpu":
        return F.interpolate(images, (size, size), mode="bilinear", antialias=True, align_corners=False)
    small = F.interpolate(images.float(), (size, size), mode="bilinear", antialias=True, align_corners=False)
    return small.round_().clamp_(0, 255).to(torch.uint8)
