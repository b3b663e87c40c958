"""Normalisations that are part of the convolutions before them: the same numbers, and never in what trains."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import batch_norm

from autoft.api import View
from autoft_torch import _foldable
from autoft_torch._folding import Folding
from autoft_torch._kernels import Kernels
from autoft_torch.backend import TorchBackend

NETWORKS = {
    "autoft": ("autoft", "resnet-s"),
    "timm": ("timm", "mobilenetv2_050"),
    "before activations": ("timm", "resnetv2_18"),
    "torchvision": ("torchvision", "mobilenet_v2"),
    "joined": ("torchvision", "densenet121"),
    "groups is a number there": ("torchvision", "resnet18"),
}


def never():
    return False


def moved(learner):
    """Statistics and scales that a training would give, in place of ones and zeros."""
    draws = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for part in learner.net.modules():
            if isinstance(part, nn.BatchNorm2d):
                for array in (part.weight, part.running_var):
                    array.copy_(torch.rand(array.shape, generator=draws) + 0.5)
                for array in (part.bias, part.running_mean):
                    array.copy_(torch.rand(array.shape, generator=draws) - 0.5)
    learner.folding.forget()
    return learner


def alone(learner):
    """The same learner without anything folded."""
    learner.precision.folding = Folding(learner.net, ())
    return learner


def calls(learner, function):
    """Normalisations that are computed."""
    count = 0

    class Counting(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            nonlocal count
            count += func is batch_norm
            return func(*args, **(kwargs or {}))

    with Counting():  # outside of `Kernels`, so it sees what that leaves
        function()
    return count


@pytest.mark.parametrize("name", NETWORKS)
def test_predictions_are_the_same(name, card, job, toys):
    pytest.importorskip(NETWORKS[name][0] if name != "autoft" else "torch")
    learner = moved(TorchBackend().build(job(card(*NETWORKS[name]), size=64 if name == "joined" else 32)))
    found = learner.predict(toys)["class"]
    np.testing.assert_allclose(found, alone(learner).predict(toys)["class"], atol=1e-4)


def test_nothing_but_convolutions_is_left(card, job, toys):
    learner = moved(TorchBackend().build(job(card("autoft", "resnet-s"))))
    norms = sum(isinstance(part, nn.BatchNorm2d) for part in learner.net.modules())
    assert len(learner.folding.folds) == norms > 10
    assert calls(learner, lambda: learner.predict(toys)) == 0


def test_of_a_training_only_the_frozen_part_is_folded(card, job, toys):
    network = card("autoft", "resnet-s")
    learner = moved(TorchBackend().build(job(network, freeze=0.5, batch_size=32)))
    still = sum(fold.fixed for fold in learner.folding.folds)
    assert 0 < still < len(learner.folding.folds)
    learner.train_epoch(toys, 1, never)  # also tries where the network can be cut
    assert calls(learner, lambda: learner.train_epoch(toys, 2, never)) == len(learner.folding.folds) - still


def test_training_is_the_same(card, job, toys):
    losses = []
    for change in (lambda learner: learner, alone):
        learner = change(moved(TorchBackend().build(job(card("autoft", "resnet-s"), freeze=0.5, optimizer="sgd"))))
        losses.append([learner.train_epoch(toys, epoch, never).loss for epoch in (1, 2)])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)


def test_what_training_changed_is_folded_anew(card, job, toys):
    learner = moved(TorchBackend().build(job(card("autoft", "resnet-s"), lr=0.01)))
    learner.predict(toys)
    learner.train_epoch(toys, 1, never)
    found = learner.predict(toys)["class"]
    np.testing.assert_allclose(found, alone(learner).predict(toys)["class"], atol=1e-4)


def test_what_was_loaded_is_folded_anew(card, job, toys, tmp_path):
    one, other = (TorchBackend().build(job(card("autoft", "resnet-s"), freeze=0.5, seed=seed)) for seed in (0, 1))
    moved(one).save(tmp_path)
    other.predict(toys)
    other.inherit(tmp_path)
    np.testing.assert_array_equal(one.predict(toys)["class"], other.predict(toys)["class"])


class Shared(nn.Module):
    """What the convolution gives goes past the normalisation as well."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)

    def forward(self, images):
        maps = self.conv(images)
        return maps + self.norm(maps)


class Composed(nn.Module):
    """As little of a net as pairs are looked for in."""

    def __init__(self, trunk):
        super().__init__()
        self.trunk = trunk

    def forward(self, images):
        return {"maps": self.trunk(images)}

    def block_of(self):
        return dict.fromkeys(self.state_dict(), 0)


class TwoNorms(Shared):
    """Two normalisations take the same."""

    def __init__(self):
        super().__init__()
        self.other = nn.BatchNorm2d(4)

    def forward(self, images):
        maps = self.conv(images)
        return self.norm(maps) * self.other(maps)


def sound(*parts):
    trunk = nn.Sequential(*parts) if len(parts) > 1 else parts[0]
    draws = torch.Generator().manual_seed(0)
    return _foldable._sound(Composed(trunk).eval(), torch.randn(2, 3, 8, 8, generator=draws), draws)


UNSOUND = {
    "goes past it": [Shared()],
    "taken twice": [TwoNorms()],
    "changed in place between the two": [nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True), nn.BatchNorm2d(4)],
    "computed weights": [nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 1)), nn.BatchNorm2d(4)],
}


@pytest.mark.parametrize("name", UNSOUND)
def test_a_network_that_would_give_other_numbers_is_left_as_it_is(name):
    assert sound(*UNSOUND[name]) == ()


def test_a_scale_that_begins_at_zero_hides_nothing():
    norm = nn.BatchNorm2d(4)
    nn.init.zeros_(norm.weight)
    assert sound(nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True), norm) == ()
    assert sound(nn.Conv2d(3, 4, 1), norm, nn.ReLU(inplace=True)) == (("trunk.0", "trunk.1"),)


def test_without_normalisations_nothing_is_run(card, job, toys, monkeypatch):
    pytest.importorskip("timm")
    learner = TorchBackend().build(job(card("timm", "convnext_atto"), size=32))
    monkeypatch.setattr(_foldable, "_tried", None)
    assert learner.folding.folds == []


def test_several_threads_predict_the_same(card, job, toys):
    learner = moved(TorchBackend().build(job(card("autoft", "resnet-s"))))
    wanted = learner.predict(toys)["class"]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: learner.predict(toys)["class"], range(30)))
    for values in found:
        np.testing.assert_allclose(values, wanted, atol=1e-5)


def test_of_what_is_in_training_nothing_is_kept(card, job, toys):
    learner = moved(TorchBackend().build(job(card("autoft", "resnet-s"), freeze=0.5)))
    learner.predict(toys)
    learner.train_epoch(toys, 1, never)
    assert all(fold.fixed or fold._made is None for fold in learner.folding.folds)


def test_features_are_the_same_between_epochs(card, job, toys):
    found = []
    for change in (lambda learner: learner, alone):
        learner = change(moved(TorchBackend().build(job(card("autoft", "resnet-s"), freeze=0.5, optimizer="sgd"))))
        cut = learner.cuts()[-1]
        for epoch in (1, 2):
            learner.train_epoch(toys, epoch, never)
            found.append(next(iter(learner.extract(toys, (cut,), View())))[0])
    for folded, plain in zip(found[:2], found[2:], strict=True):
        np.testing.assert_allclose(folded, plain, rtol=1e-2, atol=1e-3 * np.abs(plain).max())
    assert np.abs(found[0] - found[1]).max() > 0


def test_a_run_that_ends_behind_the_convolution_spoils_no_other():
    net = Composed(nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))).eval()
    net.trunk[1].running_mean += 1
    folding = Folding(net, (("trunk.0", "trunk.1"),))
    images = torch.ones(1, 3, 2, 2)
    wanted = net.trunk(images)
    with torch.inference_mode(), Kernels(folding):
        with folding.whole():
            net.trunk[0](images)
        torch.testing.assert_close(net.trunk(images), wanted)
