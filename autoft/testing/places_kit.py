"""`PlacesContract`: augmentation moves image, mask and boxes alike, as far as `autoft.policies` says."""

from __future__ import annotations

import numpy as np
import pytest

from autoft.contracts import Array
from autoft.policies import GREY, MOVES
from autoft.testing.contract import Contract
from autoft.vocab import UNTAUGHT

SIDE = 64
Arrays = dict[str, Array]


class PlacesContract(Contract):
    """For backends that move places with images. Set `move` and `hide`, from arrays to arrays."""

    def move(self, word: str, images: Array, targets: Arrays, seed: int) -> tuple[Array, Arrays]:
        """Images uint8 (n, h, w, 3), `mask` (n, h, w) int64 and `boxes` (n, m, 6) float32, moved by this policy."""
        raise NotImplementedError

    def hide(self, images: Array, boxes: Array) -> Array:
        """Images, grey where boxes are not taught."""
        raise NotImplementedError

    @pytest.mark.parametrize("word", MOVES)
    def test_image_mask_and_boxes_move_alike(self, word: str) -> None:
        given, targets = scene(16)
        images, found = self.move(word, given, targets, 1)
        for row in range(16):
            thing, white = found["mask"][row] == 3, images[row].min(-1) > images[row].max() * 0.75
            both = (thing & white).sum() / max(1, (thing | white).sum())
            assert both > 0.8, f"image and mask of row {row} have {both:.0%} in common"
            box = found["boxes"][row, 0]
            if box[0] < 0:
                continue
            rows, columns = np.nonzero(thing)
            edges = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / SIDE
            assert np.abs(edges - box[:4]).max() < 2.5 / SIDE
            assert box[4:].tolist() in ([7.0, 1.0], [UNTAUGHT - 7.0, 1.0])
        assert (found["boxes"][:, 1] == -1).all(), "rows that hold no box stay so"
        assert not np.array_equal(found["mask"], targets["mask"])

    def test_beyond_the_edge_there_is_no_class(self) -> None:
        images, found = self.move("strong", *scene(32), 2)
        outside = found["mask"] == -1
        assert outside.any() and set(np.unique(found["mask"]).tolist()) == {-1, 0, 3}
        assert (images[outside].std(-1) < 1e-3).all(), "it is grey"

    @pytest.mark.parametrize(
        ("word", "boxes", "mirrors"), [("light", True, False), ("light", False, True), ("trivial", True, True)]
    )
    def test_light_mirrors_masks_alone(self, word: str, boxes: bool, mirrors: bool) -> None:
        images, targets = scene(32)
        targets["mask"][:, 20:44, 12:24] = 5  # the left half
        found = self.move(word, images, targets if boxes else {"mask": targets["mask"]}, 3)[1]["mask"]
        left, right = (np.array([np.nonzero(mask == value)[1].mean() for mask in found]) for value in (5, 3))
        assert bool((left > right).any()) is mirrors
        heights = np.array([np.nonzero(mask > 0)[0].mean() for mask in found])
        assert heights.max() < SIDE * 0.75 and heights.std() < SIDE / 4, "never upside down"

    def test_no_augmentation_changes_nothing(self) -> None:
        images, targets = scene(8)
        moved, found = self.move("none", images, targets, 0)
        assert np.array_equal(moved, images) and all(np.array_equal(found[key], targets[key]) for key in targets)

    def test_a_box_that_is_mostly_cut_off_is_not_taught_any_more(self) -> None:
        images, targets = scene(64)
        targets["boxes"][:, 1] = 0.0, 0.0, 0.3, 0.3, 2.0, 0.0
        rows = self.move("strong", images, targets, 4)[1]["boxes"].reshape(-1, 6)
        codes = set(rows[:, 4].tolist())
        assert codes <= {7.0, 2.0, -1.0, UNTAUGHT - 7.0, UNTAUGHT - 2.0} and UNTAUGHT - 2.0 in codes
        little = rows[rows[:, 4] < -1]
        assert ((little[:, 2] > little[:, 0]) & (little[:, 3] > little[:, 1])).all(), "what is left of it is known"
        assert ((little[:, :4] == 0) | (little[:, :4] == 1)).any(1).all(), "it lies at the edge"
        assert (rows[rows[:, 4] == -1] == -1).all()

    def test_what_is_not_taught_is_grey_unless_it_lies_in_another_box(self) -> None:
        images, boxes = np.full((2, 8, 8, 3), 7, np.uint8), np.full((2, 2, 5), -1, np.float32)
        assert np.array_equal(self.hide(images, boxes), images)
        boxes[0, 0] = 0.0, 0.0, 0.5, 0.5, UNTAUGHT - 1
        boxes[0, 1] = 0.25, 0.25, 1.0, 1.0, 0.0
        shown = self.hide(images, boxes)
        wanted = np.zeros((8, 8), bool)
        wanted[:4, :4] = True
        wanted[2:, 2:] = False
        assert (shown[0][wanted] == GREY).all() and (shown[0][~wanted] == 7).all() and (shown[1] == 7).all()


def scene(count: int) -> tuple[Array, Arrays]:
    """A white square on black, its mask and its box; columns beyond the fourth are the task's own."""
    images = np.zeros((count, SIDE, SIDE, 3), np.uint8)
    images[:, 20:44, 12:36] = 255
    mask = np.zeros((count, SIDE, SIDE), np.int64)
    mask[:, 20:44, 12:36] = 3
    box = np.array([12 / SIDE, 20 / SIDE, 36 / SIDE, 44 / SIDE, 7.0, 1.0], np.float32)
    return images, {"mask": mask, "boxes": np.tile(np.stack([box, np.full(6, -1, np.float32)]), (count, 1, 1))}
