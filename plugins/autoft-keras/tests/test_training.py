"""What a learner does step by step, beyond what the contract kit asks of every backend."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from types import SimpleNamespace

import keras
import msgspec
import numpy as np
import pytest
import tensorflow as tf

from autoft.api import ModelCard, TrialFailed
from autoft.testing.toys import ArrayFeed
from autoft_keras import _inputs, _net, _optim, _precision
from autoft_keras._norms import Norms
from autoft_keras.backend import KerasBackend, prepare


def never():
    return False


def flat(learner):
    return {key: values for block in learner.arrays().values() for key, values in block.items()}


@pytest.fixture(params=["bundled", "tiny"])
def network(request) -> ModelCard:
    return request.getfixturevalue(request.param)


def application(kind, **extra):
    return ModelCard(
        name=f"keras/{kind}",
        backend="keras",
        modality="image",
        pretrained=False,
        extra={"library": "keras", "architecture": kind, **extra},
    )


def check_frozen(learner, toys, freeze):
    """Frozen arrays stay bit for bit, the others move, and every array is in one block."""
    blocks, before = list(learner.blocks()), learner.arrays()
    assert len(set(blocks)) == len(blocks) >= 3
    assert sum(len(before[b]) for b in blocks) == len(learner.net.trunk.weights), "every array is in one block"
    frozen = blocks[: round(freeze * len(blocks))]
    learner.train_epoch(toys, 1, never)
    after = learner.arrays()
    for block in frozen:
        assert all(before[block][k].tobytes() == after[block][k].tobytes() for k in before[block]), block
    for block in [*blocks[len(frozen) :], "head"]:
        assert any(not np.array_equal(before[block][k], after[block][k]) for k in before[block]), block


@pytest.mark.parametrize("freeze", [0.5, 1.0])
def test_frozen_blocks_stay_bit_identical(network, job, toys, freeze):
    learner = KerasBackend().build(job(network, freeze=freeze, batch_size=16))
    check_frozen(learner, toys, freeze)
    counted = sum(v.size for k, v in flat(learner).items() if k in learner.net.trained)
    assert learner.trainable() == counted


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["MobileNetV3Small", "EfficientNetB0", "ConvNeXtTiny", "ResNet50", "VGG16"])
def test_networks_of_keras_are_frozen_trained_and_kept(kind, job, toys, tmp_path):
    wanted = job(application(kind), freeze=0.5, batch_size=16)
    learner = KerasBackend().build(wanted)
    check_frozen(learner, toys, 0.5)
    learner.save(tmp_path)
    again = KerasBackend().load(wanted, tmp_path)
    assert np.allclose(again.predict(toys)["class"], learner.predict(toys)["class"], atol=1e-5)


def test_a_frozen_trunk_draws_nothing_and_records_nothing(tiny, job):
    learner = KerasBackend().build(job(tiny, freeze=1.0))
    images = tf.random.stateless_normal((4, 32, 32, 3), (1, 2))
    one, two = (learner.net.trunk(images, training=True) for _ in range(2))
    assert np.array_equal(one, two) and np.array_equal(one, learner.net.trunk(images, training=False))
    free = KerasBackend().build(job(tiny))
    assert not np.array_equal(free.net.trunk(images, training=True), free.net.trunk(images, training=True))
    assert all(name.startswith("heads.") for name in learner.net.trained)


def test_fused_normalisation_is_that_of_keras():
    """In training, in evaluation, and in the statistics it keeps (of which the fused variance is the unbiased one)."""
    images = np.random.default_rng(0).normal(3, 2, (8, 6, 6, 5)).astype(np.float32)
    layers = [keras.layers.BatchNormalization(momentum=0.9, scale=scale) for scale in (True, True, False, False)]
    for layer in layers:
        layer.build(images.shape)
        layer.beta.assign(np.arange(5.0))
    fused = [keras.Sequential([keras.Input(images.shape[1:]), layers[i]]) for i in (1, 3)]
    for model, plain, layer in zip(fused, (layers[0], layers[2]), (layers[1], layers[3]), strict=True):
        norms = Norms(model, scratch=False)
        assert np.allclose(model(images, training=True), plain(images, training=True), atol=1e-4)
        assert np.allclose(layer.moving_mean, plain.moving_mean, atol=1e-5)
        share = images.size / 5
        assert np.allclose(layer.moving_variance - 0.9, (plain.moving_variance - 0.9) * share / (share - 1), atol=1e-5)
        plain.moving_variance.assign(layer.moving_variance)
        assert np.allclose(model(images, training=False), plain(images, training=False), atol=1e-4)
        kept = layer.moving_mean.numpy().copy()
        norms.before(1, 1)
        model(images, training=True)
        assert np.array_equal(kept, layer.moving_mean.numpy()), "a batch of one keeps the running statistics"


def test_statistics_follow_short_trainings(tiny, job, toys):
    learner = KerasBackend().build(job(tiny, batch_size=32))  # one of its momenta is 0.999
    name = next(k for k in flat(learner) if "batch_normalization_1/moving_variance" in k)
    before = flat(learner)[name]
    learner.train_epoch(toys, 1, never)
    assert np.allclose([layer.momentum for layer in learner.norms.layers], [0.9, 0.9])
    assert not np.allclose(flat(learner)[name], before, rtol=0.02)


def test_statistics_from_scratch_are_a_plain_mean(bundled, job, toys):
    learner = KerasBackend().build(job(msgspec.structs.replace(bundled, pretrained=False), lr=0.0, batch_size=16))
    name = "trunk.stem.norm1/moving_mean"
    seen = []
    learner.train_epoch(toys, 1, never)
    for rows in (slice(0, 16), slice(16, 32)):
        images = tf.cast(toys.arrays["image"][rows], tf.float32)
        maps = learner.net.trunk.get_layer("stem.conv1")(
            learner.net.trunk.get_layer("stem.conv1.pad")(learner.inputs.normalise(images))
        )
        seen.append(np.mean(maps, (0, 1, 2)))
    assert np.allclose(flat(learner)[name], np.mean(seen, 0), atol=1e-3), "the mean over all batches"


def test_rates_fall_by_block(bundled, job):
    learner = KerasBackend().build(job(bundled, layer_decay=0.5, lr=1.0, freeze=0.25))
    learner.optimizer.set_rate(1.0)
    rates = learner.optimizer.rates()
    blocks = list(learner.blocks())
    for number, block in enumerate(blocks):
        found = {rates.get(name) for name in learner.arrays()[block] if "kernel" in name}
        assert found == ({None} if number < 2 else {0.5 ** (len(blocks) - 1 - number)}), block
    assert {rate for name, rate in rates.items() if name.startswith("heads.")} == {1.0}


def test_a_shortened_schedule_still_comes_to_its_end(tiny, job, toys):
    learner = KerasBackend().build(job(tiny, epochs=100, lr=0.1, warmup=0.0, optimizer="sgd"))
    learner.train_epoch(toys, 1, never)
    assert learner.optimizer.rates()["heads.class.last.kernel"] > 0.05
    learner.set_epochs(2)
    learner.train_epoch(toys, 2, never)
    assert 0 < learner.optimizer.rates()["heads.class.last.kernel"] < 0.01


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_one_step_is_what_the_formula_says(tiny, job, toys, optimizer):
    plain = {"lr": 0.01, "weight_decay": 0.1, "schedule": "constant", "warmup": 0.0, "clip": 0.0}
    learner = KerasBackend().build(job(tiny, freeze=1.0, batch_size=32, optimizer=optimizer, **plain))
    before = flat(learner)
    images = learner.inputs.normalise(tf.constant(toys.arrays["image"]))
    features = np.array(learner.net.trunk(images), np.float64)
    raw = np.array(learner.net(images, training=True)["class"], np.float64)
    chance = np.exp(raw) / np.exp(raw).sum(-1, keepdims=True)
    error = (chance - np.eye(4)[toys.arrays["label"]]) / 32
    gradients = {"heads.class.last.kernel": features.T @ error, "heads.class.last.bias": error.sum(0)}
    learner.train_epoch(toys, 1, never)
    after = flat(learner)
    for name, gradient in gradients.items():
        decay = 0.1 if name.endswith("kernel") else 0.0
        if optimizer == "adam":  # the decay is part of the gradient
            gradient, decay = gradient + decay * before[name], 0.0
        step = gradient if optimizer == "sgd" else gradient / (np.abs(gradient) + 1e-8)
        shrink = 1 - 0.01 * decay
        assert np.allclose(after[name], before[name] * shrink - 0.01 * step, atol=1e-5), name


def test_l1_brings_weights_of_the_head_to_zero_and_nothing_else(tiny, job, toys):
    learner = KerasBackend().build(job(tiny, l1=1.0, lr=3e-3, schedule="constant", warmup=0.0))
    before = flat(learner)
    for epoch in (1, 2, 3, 4):
        learner.train_epoch(toys, epoch, never)
    after = flat(learner)
    zeros = {key for key, values in after.items() if values.ndim > 1 and (values == 0).mean() > 0.2}
    assert zeros == {"heads.class.last.kernel"}
    assert abs(before["heads.class.last.kernel"]).sum() > abs(after["heads.class.last.kernel"]).sum()


def test_gradients_are_clipped_together():
    long = [tf.constant([3.0, 0.0]), tf.constant([[4.0]])]
    assert np.allclose(tf.linalg.global_norm(_optim.clip(long, 1.0)), 1.0, atol=1e-5)
    assert all(np.array_equal(a, b) for a, b in zip(_optim.clip(long, 6.0), long, strict=True))


def test_parts_of_a_batch_add_up_to_the_batch(job, toys, tiny):
    wanted = job(tiny, batch_size=16, clip=0.0, optimizer="sgd", lr=0.1)
    whole, parts = (KerasBackend().build(wanted) for _ in range(2))
    for learner in (whole, parts):
        for layer in learner.net.trunk._flatten_layers(include_self=False):
            _net._hold(layer)  # dropout and batch statistics differ from part to part
    parts.most = 5
    losses = [learner.train_epoch(toys, 1, never).loss for learner in (whole, parts)]
    assert math.isclose(*losses, rel_tol=1e-4)
    one, two = flat(whole), flat(parts)
    assert all(np.allclose(one[k], two[k], atol=1e-4) for k in one)


def test_where_memory_ends_half_is_computed_at_a_time(tiny, job, toys, monkeypatch):
    learner = KerasBackend().build(job(tiny, batch_size=16))
    asked = []

    def narrow(images, targets):
        asked.append(len(images))
        raise tf.errors.ResourceExhaustedError(None, None, "no room")

    monkeypatch.setattr(learner, "_whole", narrow)
    assert learner.train_epoch(toys, 1, never).complete
    assert (asked, learner.most, learner.steps) == ([16], 8, 2)
    monkeypatch.setattr(learner, "_parts", narrow)
    with pytest.raises(TrialFailed, match="one sample must fit"):
        learner.train_epoch(toys, 2, never)


def test_batches_cover_all_and_none_is_tiny(tiny, job, toys):
    learner = KerasBackend().build(job(tiny, batch_size=31))
    assert learner.train_epoch(toys, 1, never).steps == 2
    single = ArrayFeed({k: v[:1] for k, v in toys.arrays.items()})
    assert math.isfinite(learner.train_epoch(single, 2, never).loss), "a batch of one keeps the running statistics"


def test_every_graph_is_traced_once(tiny, job, toys):
    learner = KerasBackend().build(job(tiny, batch_size=7, augment="light", mixup=0.2))
    for epoch in (1, 2):
        learner.train_epoch(toys, epoch, never)
        learner.predict(toys)
        learner.predict(ArrayFeed({k: v[:3] for k, v in toys.arrays.items()}))
    assert sorted(name for name, *_ in learner._graphs) == ["predict", "step"]


def test_the_store_may_have_another_size(bundled, job, toys):
    learner = KerasBackend().build(job(bundled, size=48, augment="light", freeze=1.0))
    assert math.isfinite(learner.train_epoch(toys, 1, never).loss)
    assert learner.predict(toys)["class"].shape == (32, 4)
    grey = np.full((1, 64, 64, 3), 200, np.uint8)
    assert np.array_equal(_inputs.resize(tf.constant(grey), 32), grey[:, :32, :32])


@pytest.mark.parametrize("order", ["", "bgr"])
def test_images_are_normalised_in_the_order_of_the_card(order, tiny, job):
    card = msgspec.structs.replace(tiny, mean=(0.1, 0.2, 0.3), std=(0.5, 1.0, 2.0), extra={"channels": order})
    values = _inputs.Inputs(job(card), "CPU").normalise(tf.constant([[[[51, 102, 255]]]], tf.uint8))
    pixel = (1.0, 0.4, 0.2) if order else (0.2, 0.4, 1.0)
    wanted = [(p - m) / s for p, m, s in zip(pixel, (0.1, 0.2, 0.3), (0.5, 1.0, 2.0), strict=True)]
    assert np.allclose(values[0, 0, 0], wanted, atol=1e-5)


@pytest.mark.parametrize("change", [{"optimizer": "sgd"}, {"lr": 1e-5}, {"freeze": 0.5}], ids=str)
def test_a_state_can_be_taken_up_under_another_recipe(tiny, job, toys, tmp_path, change):
    learner = KerasBackend().build(job(tiny))
    learner.train_epoch(toys, 1, never)
    learner.save_state(tmp_path)
    assert {p.suffix for p in tmp_path.iterdir()} == {".safetensors", ".json"}
    other = KerasBackend().build(job(tiny, seed=9, **change))
    other.load_state(tmp_path)
    assert np.allclose(other.predict(toys)["class"], learner.predict(toys)["class"], atol=1e-6)
    assert other.steps == learner.steps == 4
    assert bool(other.optimizer.steps.numpy().all()) == ("optimizer" not in change)
    assert math.isfinite(other.train_epoch(toys, 2, never).loss)


def test_a_state_of_another_network_is_refused_in_words(tiny, job, tmp_path):
    KerasBackend().build(job(tiny)).save_state(tmp_path)
    with pytest.raises(TrialFailed, match="was not saved from this network"):
        KerasBackend().build(job(tiny, head_width=8)).load_state(tmp_path)


def test_a_model_of_other_outputs_or_none_is_refused_in_words(tiny, job, tmp_path):
    KerasBackend().build(job(tiny)).save(tmp_path)
    wanted = job(tiny)
    other = msgspec.structs.replace(
        wanted.problem, outputs=(msgspec.structs.replace(wanted.problem.outputs[0], size=7),)
    )
    with pytest.raises(TrialFailed, match="was not saved from this network"):
        KerasBackend().load(msgspec.structs.replace(wanted, problem=other), tmp_path)
    with pytest.raises(TrialFailed, match="cannot be read"):
        KerasBackend().load(wanted, tmp_path / "nowhere")


USE = """
import json, sys
import keras, numpy as np
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
images = np.load(sys.argv[2])
raw = model(images)["class"]
print(json.dumps([np.argmax(raw, -1).tolist(), [n for n in ("torch", "autoft", "autoft_keras") if n in sys.modules]]))
"""


@pytest.mark.slow
def test_the_saved_model_needs_keras_alone(bundled, job, toys, tmp_path):
    learner = KerasBackend().build(job(bundled, precision="bf16"))
    learner.train_epoch(toys, 1, never)
    learner.save(tmp_path)
    assert {layer.dtype_policy.name for layer in learner.net.trunk.layers} == {"mixed_bfloat16"}
    values = (toys.arrays["image"] / 255 - np.array(bundled.mean)) / np.array(bundled.std)
    np.save(tmp_path / "images.npy", values.astype(np.float32))
    done = subprocess.run(
        [sys.executable, "-c", USE, str(tmp_path / "model.keras"), str(tmp_path / "images.npy")],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    )
    found, modules = json.loads(done.stdout.splitlines()[-1])
    assert modules == []
    assert np.mean(found == learner.predict(toys)["class"].argmax(-1)) > 0.9  # bf16 and float32 may part at a tie


OTHER = """
from autoft_keras.backend import prepare
prepare()
import keras
print(keras.config.backend())
"""


@pytest.mark.slow
def test_keras_runs_on_tensorflow_whatever_was_wished_before():
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    done = subprocess.run([sys.executable, "-c", OTHER], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "tensorflow"
    assert done.stderr == "", "TensorFlow's notes are kept from the screen"


def test_keras_on_another_framework_is_refused_in_words(monkeypatch):
    other = SimpleNamespace(config=SimpleNamespace(backend=lambda: "jax"))
    monkeypatch.setitem(sys.modules, "keras", other)
    with pytest.raises(TrialFailed, match="this process has imported it on 'jax'"):
        prepare()


def test_fp16_on_a_cpu_is_refused_in_words(tiny, job):
    with pytest.raises(TrialFailed, match="fp16 needs a GPU"):
        KerasBackend().build(job(tiny, precision="fp16"))


def test_the_loss_scale_falls_on_overflow_and_grows_after_many_good_steps():
    scaler = _precision.Scaler()
    true, finite = scaler.unscale([tf.constant([65536.0]), tf.constant([[131072.0]])])
    assert bool(finite) and [float(tf.reduce_sum(g)) for g in true] == [1.0, 2.0]
    _, finite = scaler.unscale([tf.constant([math.inf])])
    scaler.update(finite)
    assert (float(scaler.scale), int(scaler.good)) == (32768.0, 0)
    scaler.load({"scale": 4.0, "good": _precision.PATIENCE - 1})
    scaler.update(tf.constant(True))
    assert scaler.state() == {"scale": 8.0, "good": 0}


@pytest.mark.gpu
def test_a_gpu_learns_the_toys_in_16_bit(bundled, job, toys):
    from autoft.api import Resources

    wanted = msgspec.structs.replace(job(bundled, epochs=30, lr=3e-3), resources=Resources(gpus=1.0))
    learner = KerasBackend().build(wanted)
    for epoch in range(1, 31):
        learner.train_epoch(toys, epoch, never)
    assert learner.on_gpu()
    assert learner.precision.word in ("bf16", "fp16")
    assert (learner.predict(toys)["class"].argmax(-1) == toys.arrays["label"]).mean() >= 0.95


def test_weight_decay_shrinks_no_bias_of_attention_and_a_state_without_moments_is_taken_up(tiny, job, tmp_path):
    learner = KerasBackend().build(job(tiny, optimizer="sgd", momentum=0.0, freeze=0.0))
    shrinks = dict(zip(learner.optimizer.names, learner.optimizer.shrinks, strict=True))
    biases = [n for n in shrinks if n.endswith("bias") and len(learner.net.named()[n].shape) > 1]
    assert biases and not any(shrinks[name] for name in biases)
    KerasBackend().build(job(tiny, optimizer="sgd", momentum=0.0, freeze=1.0)).save_state(tmp_path)
    learner.load_state(tmp_path)


def test_an_epoch_tells_the_time_that_its_steps_were_planned_in(tiny, job, toys):
    learner = KerasBackend().build(job(tiny, batch_size=16))
    first, second = (learner.train_epoch(toys, epoch, never) for epoch in (1, 2))
    assert first.tracing > 0.05 and second.tracing == 0
