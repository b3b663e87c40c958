"""Augmentation moves image, mask and boxes alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from autoft.testing import PlacesContract
from autoft_torch._places import hide, move

Array = np.ndarray[Any, np.dtype[Any]]


def first(images: Array) -> torch.Tensor:
    """Channels first, as torch has them."""
    return torch.from_numpy(images.copy()).permute(0, 3, 1, 2)


class TestPlaces(PlacesContract):
    def move(self, word: str, images: Array, targets: dict[str, Array], seed: int) -> tuple[Array, dict[str, Array]]:
        given = {key: torch.from_numpy(values.copy()) for key, values in targets.items()}
        moved, found = move(word, first(images), given, torch.Generator().manual_seed(seed))
        return moved.permute(0, 2, 3, 1).numpy(), {key: values.numpy() for key, values in found.items()}

    def hide(self, images: Array, boxes: Array) -> Array:
        shown = hide(first(images), {"boxes": torch.from_numpy(boxes.copy())})
        return shown.permute(0, 2, 3, 1).numpy()
