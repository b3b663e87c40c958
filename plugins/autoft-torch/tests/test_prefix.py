"""Where networks can be cut, and that going on from a cut is the same as going through the whole."""

from __future__ import annotations

import copy
from contextlib import nullcontext

import msgspec
import numpy as np
import pytest
import torch
from torch import nn

from autoft.api import Cut, View
from autoft.testing.toys import ArrayFeed
from autoft.vocab import ACTIVATION
from autoft_torch import _augment, _cuts, _prefix
from autoft_torch._blocks import Block
from autoft_torch.backend import TorchBackend

VIT = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 64, "image_size": 32}
SWIN = {
    "model_type": "swin",
    "embed_dim": 16,
    "depths": [1, 1],
    "num_heads": [2, 2],
    "window_size": 4,
    "image_size": 32,
}
PRESSED = {"drop_rate": 0.2, "pos_drop_rate": 0.3, "drop_path_rate": 0.2}

NETWORKS = [
    ("autoft", "resnet-s", {}),
    ("timm", "mobilenetv2_035", {}),
    ("timm", "test_convnext", {}),
    ("timm", "test_vit", {"sized": True, "arguments": PRESSED}),
    (
        "timm",
        "eva02_tiny_patch14_224",
        {"sized": True, "arguments": {"depth": 2, "patch_size": 16}},
    ),  # rotary positions
    ("torchvision", "mobilenet_v3_small", {}),
    ("torchvision", "shufflenet_v2_x0_5", {}),
    ("transformers", "vit", {"config": {"model_type": "vit", **VIT, "patch_size": 8}}),
    ("transformers", "swin", {"config": SWIN}),
]


def never():
    return False


def rows_of(learner, feed, cuts, view=View()):  # noqa: B008
    batches = list(learner.extract(feed, cuts, view))
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def cached(feed, rows):
    return ArrayFeed({ACTIVATION: rows, "label": feed.arrays["label"]})


@pytest.fixture(params=NETWORKS, ids=lambda p: f"{p[0]}/{p[1]}")
def network(request, card):
    library, architecture, extra = request.param
    return card(library, architecture, **extra)


def test_every_cut_of_a_network_gives_what_its_images_give(network, job, toys):
    learner = TorchBackend().build(job(network, freeze=1.0))
    few = ArrayFeed({key: values[:6] for key, values in toys.arrays.items()})
    cuts, wanted = learner.cuts(), learner.predict(few)["class"]
    assert [cut.depth for cut in cuts] == list(range(1, len(learner.blocks()) + 1)), "a chain of blocks is cut anywhere"
    for cut, rows in zip(cuts, rows_of(learner, few, cuts), strict=True):
        learner.enter(cut)
        assert np.allclose(learner.predict(cached(few, rows))["class"], wanted, atol=1e-5), cut
        learner.enter(None)


@pytest.mark.parametrize("freeze", [0.5, 1.0])
def test_losses_from_a_cut_are_those_from_images(network, job, toys, freeze):
    # Adam makes whole steps of gradients that are nothing but rounding, and kernels round differently by machine.
    recipe = {"freeze": freeze, "dropout": 0.2, "batch_size": 16, "optimizer": "sgd", "lr": 0.01}
    plain, other = (TorchBackend().build(job(network, **recipe)) for _ in range(2))
    cut = [c for c in other.cuts() if c.depth <= other.net.frozen][-1]
    (rows,) = rows_of(other, toys, [cut])
    other.enter(cut)
    for epoch in (1, 2):
        losses = plain.train_epoch(toys, epoch, never).loss, other.train_epoch(cached(toys, rows), epoch, never).loss
        assert np.isclose(*losses, rtol=1e-4), losses
    one, two = plain.arrays(), other.arrays()
    for block, arrays in one.items():
        assert all(np.allclose(arrays[key], two[block][key], atol=1e-3) for key in arrays), block


def test_frozen_blocks_record_no_gradients_in_training(network, job):
    learner = TorchBackend().build(job(network, freeze=0.5))
    point = [p for p in learner.prefix._facts().points if p.depth <= learner.net.frozen][-1]
    seen = []

    def hook(module, args, output):
        seen.extend(leaf for leaf in torch.utils._pytree.tree_leaves(output) if isinstance(leaf, torch.Tensor))

    learner.net.trunk.get_submodule(point.module).register_forward_hook(hook)
    learner.net.train()
    assert learner.net.trunk(torch.zeros(2, 3, 32, 32)).requires_grad
    assert [tensor.requires_grad for tensor in seen] == [False]


def test_dropout_between_frozen_blocks_is_off_in_training(card, job):
    learner = TorchBackend().build(job(card("timm", "test_vit", sized=True, arguments=PRESSED), freeze=0.5))
    learner.net.train()
    loose = learner.net.trunk.pos_drop
    assert loose.training, "it has no arrays, so freezing alone does not reach it"
    learner.prefix.rest()
    assert not loose.training
    assert learner.net.trunk.norm.training, "what comes after the cut is left alone"


def test_maps_lie_channels_last_and_are_taken_without_a_copy(card, job, toys):
    learner = TorchBackend().build(job(card("autoft", "resnet-s"), freeze=0.5))
    cut = learner.cuts()[2]
    (rows,) = rows_of(learner, toys, [cut])
    assert rows.shape == (32, 8, 8, 32) and rows.flags.c_contiguous and cut.bytes == rows[0].nbytes
    learner.enter(cut)
    ((values, _),) = learner.inputs.batches(Held(rows), [np.arange(32)], targets=False)
    assert values.shape == (32, 32, 8, 8) and values.is_contiguous(memory_format=torch.channels_last)
    assert values.data_ptr() == rows.ctypes.data


def test_rows_that_cannot_be_written_are_copied(card, job, toys):
    learner = TorchBackend().build(job(card("autoft", "resnet-s"), freeze=0.5))
    cut = learner.cuts()[2]
    (rows,) = rows_of(learner, toys, [cut])
    rows.flags.writeable = False
    learner.enter(cut)
    ((values, _),) = learner.inputs.batches(Held(rows), [np.arange(32)], targets=False)
    assert values.data_ptr() != rows.ctypes.data and np.array_equal(values.permute(0, 2, 3, 1), rows)


class Held:
    """A feed that gives its own array."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def batch(self, index):
        return {ACTIVATION: self.rows}


def test_16_bit_goes_on_where_it_stopped(card, job, toys):
    """Rows are kept in 32 bits; the network goes on in the type that it computed them in."""
    learner = TorchBackend().build(job(card("autoft", "resnet-s"), freeze=1.0, precision="bf16"))
    wanted = learner.predict(toys)["class"]
    cut = learner.cuts()[4]
    (rows,) = rows_of(learner, toys, [cut])
    assert rows.dtype == np.float32 and cut.dtype == "float32"
    learner.enter(cut)
    assert np.allclose(learner.predict(cached(toys, rows))["class"], wanted, atol=1e-3)
    assert learner.inputs.point.form.dtype == torch.bfloat16


def test_words_for_what_cannot_be_done(card, job, toys):
    learner = TorchBackend().build(job(card("autoft", "resnet-s"), freeze=0.5, head_width=8))
    cuts = learner.cuts()
    with pytest.raises(ValueError, match="5 blocks stand before this one and 4 are frozen"):
        learner.enter(cuts[4])
    with pytest.raises(ValueError, match="must be one of the network's"):
        learner.enter(Cut(depth=2, shape=(1, 2, 3)))
    with pytest.raises(ValueError, match="must be linear"):
        learner.set_head({"class": (np.zeros((4, 160)), np.zeros(4))})
    with pytest.raises(ValueError, match="got 'klass'"):
        learner.set_head({"klass": (np.zeros((4, 160)), np.zeros(4))})
    learner.enter(cuts[3])
    with pytest.raises(ValueError, match="extract takes images"):
        next(learner.extract(toys, cuts[:1], View()))


@pytest.mark.parametrize("word", ["light", "trivial", "strong"])
def test_fixed_draws_do_not_hang_on_the_batch(word):
    images = torch.randint(0, 255, (6, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    draw, seeds = _augment.fixed(word, 32), [11, 12, 13, 14, 15, 16]
    torch.manual_seed(5)
    whole, drawn = draw(images, seeds), torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(3)), "what training draws next is untouched"
    parts = torch.cat([draw(images[:4], seeds[:4]), draw(images[4:], seeds[4:])])
    assert torch.allclose(whole.float(), parts.float(), atol=1e-3)
    assert not torch.allclose(whole.float(), draw(images, seeds[::-1]).float(), atol=1.0)


def test_looking_for_cuts_leaves_no_trace(card, job, toys):
    _prefix._known.clear()
    learner = TorchBackend().build(job(card("torchvision", "mobilenet_v3_small"), freeze=0.5))
    before, chance = learner.arrays(), torch.get_rng_state()
    wishes = [p.requires_grad for p in learner.net.parameters()]
    learner.cuts()
    learner.enter(learner.cuts()[1])
    learner.enter(None)
    assert torch.equal(chance, torch.get_rng_state())
    assert wishes == [p.requires_grad for p in learner.net.parameters()]
    after = learner.arrays()
    assert all(np.array_equal(before[b][k], after[b][k]) for b in before for k in before[b])
    assert not any("forward" in vars(m) or m._forward_hooks for m in learner.net.modules())


# ---- networks that are made to be difficult ---------------------------------------------------------------


class Step(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Conv2d(3, 3, 1)

    def forward(self, x):
        return torch.tanh(self.inner(x))


class Chain(nn.Module):
    """Three steps, then a mean."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.three = Step(), Step(), Step()

    def forward(self, x):
        return self.three(self.two(self.one(x))).mean((2, 3))


class Long(Chain):
    """The images come in again at the end."""

    def forward(self, x):
        return (self.three(self.two(self.one(x))) + x).mean((2, 3))


class Past(Chain):
    """The second step is passed by."""

    def forward(self, x):
        y = self.one(x)
        return self.three(self.two(y) + y).mean((2, 3))


class Hidden(Chain):
    """The images come in again where autograd does not see it."""

    def forward(self, x):
        return (self.three(self.two(self.one(x))) + x.detach()).mean((2, 3))


class Scaled(Chain):
    """A number of the last block is already used at the start."""

    def __init__(self):
        super().__init__()
        self.three.scale = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return super().forward(x * self.three.scale)


def depths(trunk, record=True):
    blocks = [
        Block(name, tuple(f"{name}.{key}" for key, _ in getattr(trunk, name).named_parameters()))
        for name in ("one", "two", "three")
    ]
    images = torch.randn(2, 3, 8, 8)
    return _cuts.find(trunk.eval(), blocks, images, nullcontext, record=record)


@pytest.mark.parametrize(
    ("kind", "wanted"), [(Chain, [1, 2, 3]), (Long, [3]), (Past, [1, 3]), (Scaled, [3]), (Hidden, [1, 2, 3])]
)
def test_a_cut_is_where_all_paths_meet(kind, wanted):
    points = depths(kind())
    assert [point.depth for point in points] == wanted
    assert points[-1].module == "" and points[-1].shape == (3,)


def test_what_autograd_does_not_see_is_seen_on_numbers():
    images = torch.randn(2, 3, 8, 8)
    with torch.no_grad():
        for trunk, wanted in ((Chain(), [True, True, True]), (Hidden(), [False, False, True])):
            points = depths(copy.deepcopy(trunk))
            agreed = [_prefix.agrees(trunk, point, images) for point in points]
            assert agreed == wanted


def test_a_trunk_that_autograd_cannot_record_is_cut_before_its_head(card, job, monkeypatch):
    learner = TorchBackend().build(job(card("autoft", "resnet-s"), freeze=0.5))
    whole = type(learner.net.trunk).forward

    def shy(self, x):
        return whole(self, torch.from_numpy(x.numpy()))

    monkeypatch.setattr(type(learner.net.trunk), "forward", shy)
    monkeypatch.setattr(_prefix, "_known", {})
    assert [(cut.depth, cut.shape) for cut in learner.cuts()] == [(8, (160,))]
    learner.net.train()
    learner.prefix.rest()


def test_a_cut_that_is_none_is_refused_in_words(card, job, toys, monkeypatch):
    learner = TorchBackend().build(job(card("autoft", "resnet-s"), freeze=0.5))
    monkeypatch.setattr(_prefix, "_known", {})
    whole = type(learner.net.trunk).forward
    monkeypatch.setattr(
        type(learner.net.trunk), "forward", lambda self, x: whole(self, x) + x.detach().mean((1, 2, 3))[:, None]
    )
    with pytest.raises(ValueError, match="gives other features without its images"):
        learner.enter(learner.cuts()[1])
    assert learner.predict(toys)["class"].shape == (32, 4), "nothing was entered"


@pytest.mark.shared
def test_a_real_checkpoint(shared, job):
    from autoft_torch.local import LocalSource

    found = LocalSource().resolve(str(shared / "weights" / "mobilenet_v2_1.0_imagenet" / "timm"))
    assert found is not None
    learner = TorchBackend().build(job(msgspec.structs.replace(found), size=96, freeze=1.0))
    draws = np.random.default_rng(0)
    feed = ArrayFeed({"image": draws.integers(0, 255, (8, 96, 96, 3)).astype(np.uint8), "label": np.arange(8) % 4})
    cuts, wanted = learner.cuts(), learner.predict(feed)["class"]
    assert len(cuts) == len(learner.blocks()) == 18
    for cut, rows in zip(cuts, rows_of(learner, feed, cuts), strict=True):
        learner.enter(cut)
        assert np.allclose(learner.predict(cached(feed, rows))["class"], wanted, atol=1e-4)
        learner.enter(None)
