"""How many samples are computed at a time.

cuDNN plans each convolution anew for each size of a batch. With a MobileNetV2 on an H200 that took 0.2 s for a training
step (and 7 s with channels last in memory, see `_precision.layout`), where the step itself takes 0.02 s. So on a GPU
all batches of images have one size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch

from autoft.api import TrialFailed

Array = np.ndarray[Any, np.dtype[Any]]
Key = TypeVar("Key")
Rows = Callable[[torch.Tensor], dict[Key, torch.Tensor]]
"""Gives rows by key, one for each sample."""

CPU_PIXELS, CPU_IMAGES = 12 * 128 * 128, 512
"""Most in one batch of predictions. On a CPU, what a layer gives should stay near the core: with a MobileNetV2 at 128
pixels, batches of 4 to 12 took 4.8 ms an image, of 25 6.0, of 100 7.9; at 256 pixels, of 2 to 4 18, of 8 26."""
GPU_PIXELS, GPU_IMAGES = 64 * 224 * 224, 64
FILLED = 128
"""Samples by which a store is filled: on a GPU whole batches of nearly the same size."""
ROWS = {"cpu": 16, "cuda": 32}
"""Texts or recordings in one batch of predictions."""


def size(image_size: int, device: str) -> int:
    """Samples in one batch of predictions, for images of this side; 0 for what is no image."""
    if not image_size:
        return ROWS[device]
    if device == "cpu":
        return max(1, min(CPU_IMAGES, CPU_PIXELS // image_size**2))
    most = max(1, min(GPU_IMAGES, GPU_PIXELS // image_size**2))
    return math.ceil(FILLED / math.ceil(FILLED / most))


def filled(values: torch.Tensor, size: int) -> torch.Tensor:
    """A batch of `size` samples: its first one fills what is missing."""
    missing = size - len(values)
    if missing <= 0:
        return values
    return torch.cat([values, values[:1].expand(missing, *values.shape[1:]).clone(memory_format=torch.preserve_format)])


def computed(compute: Rows[Key], values: torch.Tensor, full: int) -> dict[Key, torch.Tensor]:
    """What `compute` gives for a batch, filled up to `full` samples where one of another size would be slow."""
    if len(values) < full:
        try:
            return {key: rows[: len(values)] for key, rows in compute(filled(values, full)).items()}
        except torch.OutOfMemoryError:  # what is too much may be the filling
            torch.cuda.empty_cache()
    return fitted(compute, values)


def fitted(compute: Rows[Key], values: torch.Tensor) -> dict[Key, torch.Tensor]:
    """What `compute` gives for a batch. Where memory ends, it gets half at a time.

    Raises:
        TrialFailed: a single sample is too much.
    """
    try:
        return compute(values)
    except torch.OutOfMemoryError as error:
        if len(values) == 1:
            raise TrialFailed("one sample must fit into the GPU's memory, but it does not.") from error
    torch.cuda.empty_cache()
    halves = [fitted(compute, half) for half in values.tensor_split(2)]
    return {key: torch.cat([half[key] for half in halves]) for key in halves[0]}
