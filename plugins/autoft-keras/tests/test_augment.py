"""Augmentation and mixing of batches."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from autoft_keras import _augment, _mix, _operations, _sounds
from autoft_keras._augment import DRAWS


def test_light_moves_but_never_mirrors():
    arrow = np.zeros((64, 32, 32, 3), np.uint8)
    arrow[:, :, :8] = 255  # bright on the left
    out, again = (_augment.policy("light", 32)(tf.constant(arrow), tf.constant([0, 0])).numpy() for _ in range(2))
    assert np.array_equal(out, again) and out.shape == arrow.shape and out.min() >= 0 and out.max() <= 255
    left, right = out[:, :, :16].mean((1, 2, 3)), out[:, :, 16:].mean((1, 2, 3))
    assert (left > right).all() and len({round(float(x), 3) for x in left}) > 60


@pytest.mark.parametrize("word", ["light", "trivial", "strong"])
def test_policies_draw_for_each_image_and_from_the_seed(word):
    image = np.random.default_rng(0).integers(0, 255, (1, 32, 32, 3), np.uint8)
    images = tf.constant(np.repeat(image, 16, 0))
    out, again, other = (
        _augment.policy(word, 32)(images, tf.constant(seed)).numpy() for seed in ([1, 0], [1, 0], [1, 1])
    )
    assert out.shape == images.shape and out.min() >= 0 and out.max() <= 255
    assert len({picture.tobytes() for picture in out}) > 8
    assert np.array_equal(out, again) and not np.array_equal(out, other)


def one_operation(name, image, bins=30, sign=1.0, space=_operations.WIDE):
    kinds = tf.constant([_operations.NAMES.index(name)])
    batch = tf.constant(image[None], tf.float32)
    return _operations.operate(batch, kinds, tf.constant([bins]), tf.constant([sign]), space).numpy()[0]


@pytest.mark.parametrize("name", _operations.NAMES)
def test_operations_are_those_of_pillow(name):
    """Against Pillow, by which the policies were published."""
    from PIL import Image, ImageEnhance, ImageOps

    rng = np.random.default_rng(1)
    image = np.clip(rng.normal(120, 30, (32, 32, 3)), 20, 220).astype(np.uint8)
    picture = Image.fromarray(image)
    grown = 1 + 0.99 * 10 / 30
    wanted = {
        "identity": lambda: picture,
        "translate_x": lambda: picture.transform((32, 32), Image.Transform.AFFINE, (1, 0, 32 / 3, 0, 1, 0)),
        "translate_y": lambda: picture.transform((32, 32), Image.Transform.AFFINE, (1, 0, 0, 0, 1, 32 / 3)),
        "shear_x": lambda: picture.transform((32, 32), Image.Transform.AFFINE, (1, 0.33, -0.33 * 16, 0, 1, 0)),
        "shear_y": lambda: picture.transform((32, 32), Image.Transform.AFFINE, (1, 0, 0, 0.33, 1, -0.33 * 16)),
        "rotate": lambda: picture.rotate(45),
        "brightness": lambda: ImageEnhance.Brightness(picture).enhance(grown),
        "colour": lambda: ImageEnhance.Color(picture).enhance(grown),
        "contrast": lambda: ImageEnhance.Contrast(picture).enhance(grown),
        "sharpness": lambda: ImageEnhance.Sharpness(picture).enhance(grown),
        "posterize": lambda: ImageOps.posterize(picture, 6),
        "solarize": lambda: ImageOps.solarize(picture, 170),
        "autocontrast": lambda: ImageOps.autocontrast(picture),
        "equalize": lambda: ImageOps.equalize(picture),
    }[name]()
    found = one_operation(name, image, bins=10)
    near = np.abs(found - np.asarray(wanted, np.float32)) <= 2
    assert near.mean() > 0.95, f"{near.mean():.0%} of the values agree"
    if name != "identity":
        assert not np.array_equal(np.round(found), image)


@pytest.mark.parametrize("way", ["mixup", "cutmix"])
def test_mixed_targets_say_how_much_of_each_image_is_there(job, tiny, way):
    wanted = job(tiny, **{way: 1.0})
    values = tf.constant(np.broadcast_to(np.arange(4.0, dtype=np.float32).reshape(4, 1, 1, 1), (4, 16, 16, 3)))
    targets = {"label": tf.range(4)}
    images, mixed = _mix.mix(values, targets, wanted.problem, wanted.recipe, np.random.default_rng(3))
    soft = mixed["label"].numpy()
    assert np.allclose(soft.sum(-1), 1) and (soft < 1).any()
    assert np.allclose(np.mean(images, (1, 2, 3)), soft @ np.arange(4.0), atol=1e-4)


def test_noise_on_pictures_of_sound_is_another_one_for_each():
    pictures = tf.fill((2, 32, 32, 3), tf.constant(200, tf.uint8))
    drawn = [_sounds.policy("strong", 32)(pictures, tf.constant([seed, 0])).numpy() for seed in (1, 2)]
    given = _sounds.fixed("strong", 32)(pictures, tf.random.stateless_uniform((2, DRAWS), (0, 1))).numpy()
    for one, other in ((drawn[0][0], drawn[1][0]), (drawn[0][0], drawn[0][1]), (given[0], given[1])):
        noise = [np.sort(found[..., 0][found[..., 0] > 100]) for found in (one, other)]
        assert not np.array_equal(noise[0][:200], noise[1][:200])
        assert all(3 < found.std() < 4.5 and found.max() - found.min() <= 13 for found in noise), (
            "up to 5 % of the range"
        )
    again = _sounds.fixed("strong", 32)(pictures[1:], tf.random.stateless_uniform((2, DRAWS), (0, 1))[1:]).numpy()
    assert np.allclose(again[0], given[1], atol=0.1), "neighbours do not matter"
