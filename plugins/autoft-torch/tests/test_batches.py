"""Batches of one size, as a GPU wants them, give what others give."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from autoft.api import View, in_order, shuffled, windows
from autoft_torch import _batches, _precision
from autoft_torch._learner import TorchLearner
from autoft_torch.backend import TorchBackend


def never():
    return False


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


def test_a_store_is_filled_by_whole_batches_on_a_gpu():
    sizes = {side: _batches.size(side, "cuda") for side in (64, 160, 224, 256, 320, 384)}
    assert sizes[160] == sizes[224] == 64
    assert all(-(-128 // size) * size - 128 < size / 2 for size in sizes.values()), "little is filled up in vain"
    assert _batches.size(160, "cpu") == 7
    assert _batches.size(4096, "cuda") == _batches.size(4096, "cpu") == 1


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


def test_what_is_filled_up_lies_in_memory_as_before():
    for form in (torch.channels_last, torch.contiguous_format):
        images = torch.randn(3, 3, 8, 8).contiguous(memory_format=form)
        full = _batches.filled(images, 5)
        assert full.shape[0] == 5 and full.is_contiguous(memory_format=form)
        assert torch.equal(full[:3], images) and torch.equal(full[3:], images[:1].expand(2, -1, -1, -1))
        assert _batches.filled(images, 2) is images


def test_full_batches_predict_and_extract_the_same(card, job, toys, monkeypatch):
    learner = TorchBackend().build(job(card("timm", "mobilenetv3_small_050")))
    assert not learner.on_gpu()
    cuts = learner.cuts()[-1:]
    plain = learner.predict(toys)["class"], [rows for (rows,) in learner.extract(toys, cuts, View())]
    sizes = []
    learner.net.register_forward_pre_hook(lambda module, args: sizes.append(len(args[0])))
    monkeypatch.setattr(TorchLearner, "_equal", True)
    monkeypatch.setattr(_batches, "size", lambda image_size, device: len(toys) - 5)
    full = learner.predict(toys)["class"], [rows for (rows,) in learner.extract(toys, cuts, View())]
    assert sizes == [len(toys) - 5] * 2, "the second one had 5 samples"
    np.testing.assert_allclose(full[0], plain[0], atol=1e-5)
    np.testing.assert_allclose(np.concatenate(full[1]), np.concatenate(plain[1]), atol=1e-5)


def test_an_epoch_of_equal_batches_takes_as_many_steps(card, job, toys, monkeypatch):
    wanted = job(card("autoft", "resnet-s"), batch_size=len(toys) // 2 - 1)
    usual = TorchBackend().build(wanted).train_epoch(toys, 1, never)
    monkeypatch.setattr(TorchLearner, "_equal", True)
    learner, sizes = TorchBackend().build(wanted), []
    learner.net.trunk.register_forward_pre_hook(lambda module, args: sizes.append(len(args[0])))
    equal = learner.train_epoch(toys, 1, never)
    assert equal.steps == usual.steps == len(sizes) == 3 and len(set(sizes)) == 1


def test_memory_that_ends_is_not_filled_up(card, job, toys, monkeypatch):
    learner = TorchBackend().build(job(card("autoft", "resnet-s")))
    plain = learner.predict(toys)["class"]
    whole, sizes = learner._infer, []

    def infer(values):
        sizes.append(len(values))
        if len(values) > len(toys):
            raise torch.OutOfMemoryError
        return whole(values)

    monkeypatch.setattr(TorchLearner, "_equal", True)
    monkeypatch.setattr(_batches, "size", lambda image_size, device: len(toys) + 5)
    monkeypatch.setattr(learner, "_infer", infer)
    np.testing.assert_allclose(learner.predict(toys)["class"], plain, atol=1e-6)
    assert sizes == [len(toys) + 5, len(toys)]


def test_maps_lie_channels_first_on_a_gpu_and_last_on_a_cpu():
    assert _precision.layout(torch.device("cuda")) is torch.contiguous_format
    assert _precision.layout(torch.device("cpu")) is torch.channels_last


def test_what_is_computed_once_does_without_cudnn():
    before = torch.backends.cudnn.enabled
    with pytest.raises(ZeroDivisionError), _precision.once():
        assert not torch.backends.cudnn.enabled
        raise ZeroDivisionError
    assert torch.backends.cudnn.enabled == before
