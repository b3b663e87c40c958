"""What learners are given to learn from: masks at their size, and texts as numbers that fit."""

from __future__ import annotations

import numpy as np
import pytest

from autoft.api import known_terms, padded, shared_room, target_at, terms, text_pair


@pytest.mark.parametrize("kind", ["uint8", "uint16"])
def test_masks_come_at_the_side_of_the_network_and_mark_what_has_no_class(kind: str) -> None:
    mask = np.zeros((1, 4, 4), kind)
    mask[0, :2, 2:] = 3
    mask[0, 2:] = np.iinfo(kind).max
    assert target_at("mask", mask, 2).tolist() == [[[0, 3], [-1, -1]]]
    assert target_at("mask", mask, 4).dtype == np.int64 and set(target_at("mask", mask, 4).ravel()) == {-1, 0, 3}
    assert target_at("class", mask, 2) is mask
    signed = mask.astype(np.int64)
    assert target_at("mask", signed, 2) is signed


@pytest.mark.parametrize(
    ("lengths", "room", "wanted"),
    [([3], 5, [3]), ([9], 5, [5]), ([2, 2], 5, [2, 2]), ([1, 9], 5, [1, 4]), ([9, 1], 5, [4, 1]), ([9, 9], 5, [3, 2])],
)
def test_the_longer_of_two_texts_gives_way(lengths: list[int], room: int, wanted: list[int]) -> None:
    assert shared_room(lengths, room) == wanted


def test_further_texts_count_as_part_of_the_second() -> None:
    assert text_pair(("a",)) == ("a",) and text_pair(("a", "b")) == ("a", "b")
    assert text_pair(("a", "b", "c")) == ("a", "b\nc")


def test_numbers_of_texts_are_remembered_and_padded() -> None:
    first, second = known_terms(("one word",), 64), known_terms(("one",), 64)
    assert known_terms(("one word",), 64) is first and np.array_equal(first, terms(("one word",), 64))
    assert len(known_terms(("one word",), 64, 1)) == len(second) < len(first)
    rows = padded([first, second], "int32")
    assert rows.shape == (2, len(first)) and rows.dtype == np.int32
    assert rows[1, : len(second)].tolist() == second.tolist() and not rows[1, len(second) :].any()
    assert padded([], "int64").shape == (0, 1)
