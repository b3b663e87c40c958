"""In which batches samples come."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from autoft.api import in_order, recording_lengths, shuffled, text_lengths, windows
from autoft.batches import FEW, READ
from autoft.testing.toys import ArrayFeed


@pytest.mark.parametrize(("rows", "size"), [(245, 32), (131, 4), (32, 32), (7, 32), (64, 32), (1, 8)])
def test_all_batches_of_an_epoch_have_one_size_and_few_samples_come_twice(rows, size):
    order = np.random.default_rng(0).permutation(rows)
    batches = shuffled(order, size, equal=True)
    assert len({len(batch) for batch in batches}) == 1 and len(batches[0]) <= size
    seen = Counter(np.concatenate(batches).tolist())
    assert set(seen) == set(range(rows)) and max(seen.values()) <= 2
    assert sum(seen.values()) - rows < len(batches)


def test_without_it_each_sample_comes_once():
    batches = shuffled(np.arange(245), 32)
    assert sorted(np.concatenate(batches)) == list(range(245))
    assert {len(batch) for batch in batches} == {30, 31}
    assert shuffled(np.arange(0), 32, equal=True) == []


@pytest.mark.parametrize("count", [0, 1, 7, 100])
def test_texts_of_like_lengths_come_together_and_are_told_in_order(count):
    lengths = np.random.default_rng(0).integers(1, 99, count)
    groups = windows(count, 4, lengths)
    assert all(len(batch) <= 4 and len(group) <= 4 for group in groups for batch in group)
    seen = []
    for group in groups:
        each = [lengths[batch] for batch in group]
        assert list(np.concatenate(each)) == sorted(np.concatenate(each))
        seen += list(in_order(each, group))
    assert seen == list(lengths)
    plain = windows(count, 4, None)
    assert [len(group) for group in plain] == [1] * -(-count // 4)
    assert np.concatenate([[-1], *(batch for group in plain for batch in group)]).tolist() == [*range(-1, count)]


@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("count", [40, 100, 1000])
def test_an_epoch_pads_little_and_its_batches_differ_from_those_of_the_next(count, equal):
    rng = np.random.default_rng(0)
    lengths = rng.integers(10, 400, count)
    padded, members = [], []
    for _ in range(2):
        order = rng.permutation(count)
        batches = shuffled(order, 8, equal=equal, lengths=lengths, rng=rng)
        assert set(np.concatenate(batches).tolist()) == set(range(count)) and max(map(len, batches)) <= 8
        assert {len(batch) for batch in batches} == {len(batch) for batch in shuffled(order, 8, equal=equal)}
        padded.append(sum(len(batch) * lengths[batch].max() for batch in batches))
        members.append({frozenset(batch.tolist()) for batch in batches})
        plain = sum(len(batch) * lengths[batch].max() for batch in shuffled(order, 8, equal=equal))
        assert count < 100 or padded[-1] < 0.75 * plain
    assert members[0] != members[1]


def test_texts_are_as_long_as_their_letters_and_few_are_not_measured():
    texts = np.array([("a" * n, "bc") for n in range(FEW + 1)], object)
    assert text_lengths(ArrayFeed({"text": texts})).tolist() == [n + 2 for n in range(FEW + 1)]
    assert text_lengths(ArrayFeed({"text": texts[:FEW]})) is None


def test_lengths_of_recordings_are_read_in_parts():
    class Counting(ArrayFeed):
        def batch(self, rows):
            read.append(len(rows))
            return super().batch(rows)

    read, lengths = [], np.arange(2 * READ + 5)
    assert recording_lengths(Counting({"length": lengths})).tolist() == lengths.tolist()
    assert sum(read) == len(lengths) and max(read) <= READ
    assert recording_lengths(Counting({"length": lengths[:FEW]})) is None
