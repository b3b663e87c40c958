"""Augmentation moves image, mask and boxes alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autoft_torch._places import REACHES, move

SIDE = 64


def scene(count: int = 8) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """A white square on black, its mask and its box; columns beyond the fourth are the task's own."""
    images = torch.zeros(count, 3, SIDE, SIDE, dtype=torch.uint8)
    images[:, :, 20:44, 12:36] = 255
    mask = torch.zeros(count, SIDE, SIDE, dtype=torch.int64)
    mask[:, 20:44, 12:36] = 3
    box = torch.tensor([12 / SIDE, 20 / SIDE, 36 / SIDE, 44 / SIDE, 7.0, 1.0])
    boxes = torch.stack([box, torch.full((6,), -1.0)]).expand(count, 2, 6).clone()
    return images, {"mask": mask, "boxes": boxes}


@pytest.mark.parametrize("word", REACHES)
def test_image_mask_and_boxes_move_alike(word: str) -> None:
    images, targets = scene(16)
    moved, found = move(word, images, targets, torch.Generator().manual_seed(1))
    white = moved.amin(1) > moved.amax((1, 2, 3), keepdim=False)[:, None, None] * 0.75
    for row in range(16):
        thing = found["mask"][row] == 3
        both = (thing & white[row]).sum() / (thing | white[row]).sum().clamp(min=1)
        assert both > 0.8, f"image and mask of row {row} have {both:.0%} in common"
        box = found["boxes"][row, 0]
        if box[0] < 0:
            continue
        rows, columns = np.nonzero(thing.numpy())
        edges = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / SIDE
        assert np.abs(edges - box[:4].numpy()).max() < 2.5 / SIDE
        assert box[4:].tolist() == [7.0, 1.0]
    assert (found["boxes"][:, 1] == -1).all(), "rows that hold no box stay so"
    assert not torch.equal(found["mask"], targets["mask"])


def test_beyond_the_edge_there_is_no_class() -> None:
    images, targets = scene(32)
    moved, found = move("strong", images, targets, torch.Generator().manual_seed(2))
    outside = found["mask"] == -1
    assert outside.any() and set(found["mask"].unique().tolist()) == {-1, 0, 3}
    grey = moved.float().std(1) < 1e-3
    assert grey[outside].all()


def test_light_never_mirrors() -> None:
    images, targets = scene(32)
    targets["mask"][:, 20:44, 12:24] = 5  # the left half
    for word, mirrors in (("light", False), ("trivial", True)):
        _, found = move(word, images, targets, torch.Generator().manual_seed(3))
        columns = torch.arange(SIDE).float()
        left, right = (
            torch.stack([((row == value).sum(0) * columns).sum() / (row == value).sum() for row in found["mask"]])
            for value in (5, 3)
        )
        assert bool((left > right).any()) is mirrors


def test_no_augmentation_changes_nothing() -> None:
    images, targets = scene()
    moved, found = move("none", images, targets, torch.Generator())
    assert torch.equal(moved, images) and all(torch.equal(found[key], targets[key]) for key in targets)
