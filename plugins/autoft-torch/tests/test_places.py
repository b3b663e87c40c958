"""Augmentation moves image, mask and boxes alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autoft.vocab import UNTAUGHT
from autoft_torch._places import GREY, REACHES, hide, move

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
        assert box[4:].tolist() in ([7.0, 1.0], [UNTAUGHT - 7.0, 1.0])
    assert (found["boxes"][:, 1] == -1).all(), "rows that hold no box stay so"
    assert not torch.equal(found["mask"], targets["mask"])


def test_beyond_the_edge_there_is_no_class() -> None:
    images, targets = scene(32)
    moved, found = move("strong", images, targets, torch.Generator().manual_seed(2))
    outside = found["mask"] == -1
    assert outside.any() and set(found["mask"].unique().tolist()) == {-1, 0, 3}
    grey = moved.float().std(1) < 1e-3
    assert grey[outside].all()


def test_light_mirrors_masks_alone() -> None:
    images, targets = scene(32)
    targets["mask"][:, 20:44, 12:24] = 5  # the left half
    for word, boxes, mirrors in (("light", True, False), ("light", False, True), ("trivial", True, True)):
        given = targets if boxes else {"mask": targets["mask"]}
        _, found = move(word, images, given, torch.Generator().manual_seed(3))
        upper = [torch.nonzero((row > 0).any(1)).float().mean() for row in found["mask"]]
        assert not mirrors or torch.stack(upper).std() < SIDE / 4, "never upside down"
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


def test_a_box_that_is_mostly_cut_off_is_not_taught_any_more() -> None:
    images, targets = scene(64)
    targets["boxes"][:, 1] = torch.tensor([0.0, 0.0, 0.3, 0.3, 2.0, 0.0])
    _, found = move("strong", images, targets, torch.Generator().manual_seed(4))
    rows = found["boxes"].reshape(-1, 6)
    codes = set(rows[:, 4].tolist())
    assert codes <= {7.0, 2.0, -1.0, UNTAUGHT - 7.0, UNTAUGHT - 2.0} and UNTAUGHT - 2.0 in codes
    little = rows[rows[:, 4] < -1]
    assert ((little[:, 2] > little[:, 0]) & (little[:, 3] > little[:, 1])).all(), "what is left of it is known"
    assert ((little[:, :4] == 0) | (little[:, :4] == 1)).any(1).all(), "it lies at the edge"
    assert (rows[rows[:, 4] == -1] == -1).all()


def test_what_is_not_taught_is_grey_unless_it_lies_in_another_box() -> None:
    images = torch.full((2, 3, 8, 8), 7, dtype=torch.uint8)
    boxes = torch.full((2, 2, 5), -1.0)
    assert torch.equal(hide(images, {"boxes": boxes}), images)
    boxes[0, 0] = torch.tensor([0.0, 0.0, 0.5, 0.5, UNTAUGHT - 1.0])
    boxes[0, 1] = torch.tensor([0.25, 0.25, 1.0, 1.0, 0.0])
    shown = hide(images, {"boxes": boxes})
    wanted = torch.zeros(8, 8, dtype=torch.bool)
    wanted[:4, :4] = True
    wanted[2:, 2:] = False
    assert (shown[0, :, wanted] == GREY).all() and (shown[0, :, ~wanted] == 7).all() and (shown[1] == 7).all()
