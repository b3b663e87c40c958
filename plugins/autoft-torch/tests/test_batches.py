"""Batches of one size, as a GPU wants them, give what others give."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autoft.api import View
from autoft_torch import _batches, _precision
from autoft_torch._learner import TorchLearner
from autoft_torch.backend import TorchBackend


def never():
    return False


def test_a_store_is_filled_by_whole_batches_on_a_gpu():
    sizes = {side: _batches.size(side, "cuda") for side in (64, 160, 224, 256, 320, 384)}
    assert sizes[160] == sizes[224] == 64
    assert all(-(-128 // size) * size - 128 < size / 2 for size in sizes.values()), "little is filled up in vain"
    assert _batches.size(160, "cpu") == 7
    assert _batches.size(4096, "cuda") == _batches.size(4096, "cpu") == 1


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
