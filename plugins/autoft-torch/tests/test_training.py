"""What a learner does step by step, beyond what the contract kit asks of every backend."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
import torch

from autoft.api import ModelCard, TrialFailed
from autoft.testing.toys import ArrayFeed
from autoft_torch import _augment, _inputs, _mix
from autoft_torch.backend import TorchBackend

TRANSFORMERS = {
    "model_type": "resnet",
    "embedding_size": 8,
    "hidden_sizes": [8, 16],
    "depths": [2, 2],
    "layer_type": "basic",
}


def never():
    return False


def flat(learner):
    return {key: values for block in learner.arrays().values() for key, values in block.items()}


@pytest.fixture(
    params=[
        ("autoft", "resnet-s", {}),
        ("timm", "mobilenetv3_small_050", {}),
        ("timm", "test_vit", {"sized": True, "arguments": {"drop_rate": 0.1, "drop_path_rate": 0.1}}),
        ("torchvision", "mobilenet_v2", {}),
        ("transformers", "resnet", {"config": TRANSFORMERS}),
    ],
    ids=lambda p: f"{p[0]}/{p[1]}",
)
def network(request, card) -> ModelCard:
    library, architecture, extra = request.param
    return card(library, architecture, **extra)


@pytest.mark.parametrize("freeze", [0.5, 1.0])
def test_frozen_blocks_stay_bit_identical(network, job, toys, freeze):
    learner = TorchBackend().build(job(network, freeze=freeze, batch_size=16))
    blocks, before = list(learner.blocks()), learner.arrays()
    assert len(set(blocks)) == len(blocks) >= 3
    assert sum(len(before[b]) for b in blocks) == len(learner.net.trunk.state_dict()), "every array is in one block"
    frozen = blocks[: round(freeze * len(blocks))]
    learner.train_epoch(toys, 1, never)
    after = learner.arrays()
    for block in frozen:
        assert all(before[block][k].tobytes() == after[block][k].tobytes() for k in before[block]), block
    for block in [*blocks[len(frozen) :], "head"]:
        assert any(not np.array_equal(before[block][k], after[block][k]) for k in before[block]), block
    assert all(p.grad_fn is None for p in learner.net.parameters())
    stuck = [p for n, p in learner.net.named_parameters() if not p.requires_grad]
    assert sum(p.numel() for p in stuck) + learner.trainable() == sum(p.numel() for p in learner.net.parameters())


def test_a_frozen_prefix_records_no_gradients(network, job):
    learner = TorchBackend().build(job(network, freeze=1.0))
    learner.net.train()
    assert not learner.net.trunk(torch.zeros(2, 3, 32, 32)).requires_grad
    assert not any(part.training for part in learner.net.trunk.modules())


def test_rates_fall_by_block(card, job):
    learner = TorchBackend().build(job(card("autoft", "resnet-s"), layer_decay=0.5, lr=1.0, freeze=0.25))
    learner.optimizer.set_rate(1.0)
    rates = learner.optimizer.rates()
    blocks = list(learner.blocks())
    for number, block in enumerate(blocks):
        found = {rates.get(name) for name in learner.arrays()[block] if "weight" in name and "norm" not in name}
        assert found == ({None} if number < 2 else {0.5 ** (len(blocks) - 1 - number)}), block
    assert {rate for name, rate in rates.items() if name.startswith("heads.")} == {1.0}


def test_a_shortened_schedule_still_comes_to_its_end(card, job, toys):
    learner = TorchBackend().build(job(card("autoft", "resnet-s"), epochs=100, lr=0.1, warmup=0.0, optimizer="sgd"))
    learner.train_epoch(toys, 1, never)
    assert learner.optimizer.rates()["heads.class.1.weight"] > 0.05
    learner.set_epochs(2)
    learner.train_epoch(toys, 2, never)
    assert 0 < learner.optimizer.rates()["heads.class.1.weight"] < 0.01


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_one_step_is_what_the_formula_says(card, job, toys, optimizer):
    recipe = {
        "optimizer": optimizer,
        "lr": 0.01,
        "weight_decay": 0.1,
        "schedule": "constant",
        "warmup": 0.0,
        "clip": 0.0,
    }
    learner = TorchBackend().build(job(card("autoft", "resnet-s"), freeze=1.0, batch_size=32, **recipe))
    before = flat(learner)
    images = _inputs.resize(torch.from_numpy(toys.arrays["image"]).permute(0, 3, 1, 2), 32)
    learner.net.train()
    raw = learner.net(learner.inputs.normalise(images))["class"].detach().double()
    features = learner.net.trunk(learner.inputs.normalise(images)).double()
    error = (raw.softmax(-1) - torch.nn.functional.one_hot(torch.from_numpy(toys.arrays["label"]), 4)) / 32
    gradients = {"heads.class.1.weight": (error.T @ features).numpy(), "heads.class.1.bias": error.sum(0).numpy()}
    learner.train_epoch(toys, 1, never)
    after = flat(learner)
    for name, gradient in gradients.items():
        decay = 0.1 if name.endswith("weight") else 0.0
        if optimizer == "adam":  # the decay is part of the gradient
            gradient, decay = gradient + decay * before[name], 0.0
        step = gradient if optimizer == "sgd" else gradient / (np.abs(gradient) + 1e-8)
        shrink = 1 - 0.01 * decay
        assert np.allclose(after[name], before[name] * shrink - 0.01 * step, atol=1e-5), name


def test_l1_brings_weights_of_the_head_to_zero_and_nothing_else(card, job, toys):
    learner = TorchBackend().build(job(card("autoft", "resnet-s"), l1=1.0, lr=1e-3, schedule="constant", warmup=0.0))
    before = flat(learner)
    for epoch in (1, 2, 3, 4):
        learner.train_epoch(toys, epoch, never)
    after = flat(learner)
    zeros = {key for key, values in after.items() if values.ndim > 1 and (values == 0).mean() > 0.2}
    assert zeros == {"heads.class.1.weight"}
    assert abs(before["heads.class.1.weight"]).sum() > abs(after["heads.class.1.weight"]).sum()


def test_parts_of_a_batch_add_up_to_the_batch(card, job, toys):
    vit = card("timm", "test_vit", sized=True)
    whole, parts = (TorchBackend().build(job(vit, batch_size=16, clip=0.0, optimizer="sgd", lr=0.1)) for _ in range(2))
    parts.most = 5
    losses = [learner.train_epoch(toys, 1, never).loss for learner in (whole, parts)]
    assert math.isclose(*losses, rel_tol=1e-4)
    one, two = flat(whole), flat(parts)
    assert all(np.allclose(one[k], two[k], atol=1e-4) for k in one)


def test_batches_cover_all_and_none_is_tiny(card, job, toys):
    learner = TorchBackend().build(job(card("autoft", "resnet-s"), batch_size=31))
    assert learner.train_epoch(toys, 1, never).steps == 2
    single = ArrayFeed({k: v[:1] for k, v in toys.arrays.items()})
    assert math.isfinite(learner.train_epoch(single, 2, never).loss), "a batch of one keeps the running statistics"


def test_the_store_may_have_another_size(card, job, toys):
    learner = TorchBackend().build(job(card("autoft", "resnet-s"), size=48, augment="light"))
    assert math.isfinite(learner.train_epoch(toys, 1, never).loss)
    assert learner.predict(toys)["class"].shape == (32, 4)
    grey = torch.full((1, 3, 64, 64), 200, dtype=torch.uint8)
    assert torch.equal(_inputs.resize(grey, 32), grey[..., :32, :32])


def test_statistics_follow_short_trainings(card, job, toys):
    slow = card("torchvision", "mobilenet_v3_small")  # publishes a momentum of 0.01
    slow = msgspec.structs.replace(slow, pretrained=True)
    learner = TorchBackend().build(job(slow, batch_size=32))
    before = flat(learner)["trunk.features.0.1.running_var"]
    learner.train_epoch(toys, 1, never)
    assert {layer.momentum for layer in learner.norms.layers} == {0.1}
    assert not np.allclose(flat(learner)["trunk.features.0.1.running_var"], before, rtol=0.02)


@pytest.mark.parametrize("change", [{"optimizer": "sgd"}, {"lr": 1e-5}, {"freeze": 0.5}], ids=str)
def test_a_state_can_be_taken_up_under_another_recipe(card, job, toys, tmp_path, change):
    net = card("autoft", "resnet-s")
    learner = TorchBackend().build(job(net))
    learner.train_epoch(toys, 1, never)
    learner.save_state(tmp_path)
    assert {p.suffix for p in tmp_path.iterdir()} == {".safetensors", ".json"}
    other = TorchBackend().build(job(net, seed=9, **change))
    other.load_state(tmp_path)
    assert np.array_equal(other.predict(toys)["class"], learner.predict(toys)["class"])
    assert other.steps == learner.steps == 4
    assert bool(other.optimizer.state()) == ("optimizer" not in change)
    assert math.isfinite(other.train_epoch(toys, 2, never).loss)


def test_a_state_of_another_network_is_refused_in_words(card, job, tmp_path):
    TorchBackend().build(job(card("autoft", "resnet-s"))).save_state(tmp_path)
    with pytest.raises(TrialFailed, match="was not saved from this network"):
        TorchBackend().build(job(card("autoft", "resnet-s"), head_width=8)).load_state(tmp_path)


def test_light_moves_but_never_mirrors():
    arrow = torch.zeros(64, 3, 32, 32, dtype=torch.uint8)
    arrow[:, :, :, :8] = 255  # bright on the left
    out = _augment.light(arrow, torch.Generator().manual_seed(0))
    again = _augment.light(arrow, torch.Generator().manual_seed(0))
    assert torch.equal(out, again) and out.shape == arrow.shape and out.min() >= 0 and out.max() <= 255
    left, right = out[..., :16].mean((1, 2, 3)), out[..., 16:].mean((1, 2, 3))
    assert bool((left > right).all()) and len({round(float(x), 3) for x in left}) > 60


@pytest.mark.parametrize("word", ["trivial", "strong"])
def test_torchvision_policies_draw_for_each_image(word):
    torch.manual_seed(0)
    images = torch.randint(0, 255, (1, 3, 32, 32), dtype=torch.uint8).expand(16, 3, 32, 32)
    out = _augment.policy(word, 32)(images, torch.Generator())
    assert out.shape == images.shape and out.dtype == torch.uint8
    assert len({image.numpy().tobytes() for image in out}) > 8


@pytest.mark.parametrize("way", ["mixup", "cutmix"])
def test_mixed_targets_say_how_much_of_each_image_is_there(job, card, way):
    wanted = job(card("autoft", "resnet-s"), **{way: 1.0})
    values = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 3, 16, 16).contiguous()
    labels = torch.arange(4)
    images, targets = _mix.mix(values, {"label": labels}, wanted.problem, wanted.recipe, np.random.default_rng(3))
    soft = targets["label"]
    assert torch.allclose(soft.sum(-1), torch.ones(4)) and bool((soft < 1).any())
    assert torch.allclose(images.mean((1, 2, 3)), soft @ torch.arange(4.0), atol=1e-4)


def test_fp16_on_a_cpu_is_refused_in_words(card, job):
    with pytest.raises(TrialFailed, match="fp16 needs a GPU"):
        TorchBackend().build(job(card("autoft", "resnet-s"), precision="fp16"))


def test_a_size_that_a_network_does_not_take_is_refused_in_words(card, job):
    with pytest.raises(TrialFailed, match="does not take images of 48 px"):
        TorchBackend().build(job(card("torchvision", "vit_b_16"), size=48))


@pytest.mark.gpu
def test_a_gpu_learns_the_toys_in_16_bit(card, job, toys):
    from autoft.api import Resources

    wanted = msgspec.structs.replace(job(card("autoft", "resnet-s"), epochs=30, lr=3e-3), resources=Resources(gpus=1.0))
    learner = TorchBackend().build(wanted)
    for epoch in range(1, 31):
        learner.train_epoch(toys, epoch, never)
    assert learner.on_gpu()
    assert learner.precision.word in ("bf16", "fp16")
    assert (learner.predict(toys)["class"].argmax(-1) == toys.arrays["label"]).mean() >= 0.95


@pytest.mark.shared
@pytest.mark.slow
def test_a_real_checkpoint_beats_its_own_architecture_from_scratch(shared, job):
    from PIL import Image

    from autoft_torch.local import LocalSource

    def read(part):
        files = sorted((shared / "data" / "imgcls__hymenoptera" / part).glob("*/*.jpg"))
        images = [np.asarray(Image.open(f).convert("RGB").resize((96, 96)), np.uint8) for f in files]
        return ArrayFeed({"image": np.stack(images), "label": np.array([int(f.parent.name == "bees") for f in files])})

    train, val = read("train"), read("val")
    pretrained = LocalSource().resolve(str(shared / "weights" / "mobilenet_v2_1.0_imagenet" / "timm"))
    assert pretrained is not None
    scores = []
    for chosen in (pretrained, msgspec.structs.replace(pretrained, pretrained=False)):
        wanted = job(chosen, size=96, lr=1e-3, epochs=4, batch_size=32, augment="light")
        outputs = (msgspec.structs.replace(wanted.problem.outputs[0], size=2),)
        learner = TorchBackend().build(
            msgspec.structs.replace(wanted, problem=msgspec.structs.replace(wanted.problem, outputs=outputs))
        )
        for epoch in range(1, 5):
            learner.train_epoch(train, epoch, never)
        scores.append((learner.predict(val)["class"].argmax(-1) == val.arrays["label"]).mean())
    assert scores[0] > scores[1] + 0.05, scores
