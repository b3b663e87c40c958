"""RetinaNet of KerasHub (Lin et al., 2017): its encoder, pyramid and two towers are the trunk, the classes are new.

Boxes are matched as the paper and torchvision do, whose weights KerasHub's presets are.
"""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import keras_hub
import numpy as np
import tensorflow as tf

from autoft.api import Job, ModelCard, Output, TrialFailed
from autoft_keras import _kerashub, _losses, _places, caches
from autoft_keras.folders import refuse_code

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = Any

CANDIDATES = 1000
"""Places of an image that its boxes are chosen from: those with the highest scores."""
FLOOR = 0.01
"""Scores below it are no boxes."""
OVERLAP = 0.7
"""Boxes of a class that overlap by less are left: the task suppresses the other doubles."""
SURE, UNSURE = 0.5, 0.4
"""Overlap with a box from which on an anchor is to find it, and below which it is to find nothing."""
PRIOR = 0.01
"""What the classes say before training: nearly all places are empty."""
LARGEST = math.log(1000 / 16)
"""Of the logarithm of a box's side in those of its anchor; more would overflow early in training."""


def build(card: ModelCard, size: int) -> keras.Model:
    """The detector with the classes that its preset has.

    Raises:
        ValueError: the sides of coarse and fine maps would not fit.
    """
    _kerashub.even(size)
    told = {key: value for key, value in card.extra["head"].items() if key != "anchor_generator"}
    return keras_hub.models.RetinaNetObjectDetector(
        _kerashub.build(card, size), anchor_generator=_generator(card), **{"num_classes": 1, **told}
    )


def load(network: keras.Model, card: ModelCard, path: Path) -> None:
    """
    Raises:
        TrialFailed: the weights do not fit.
    """
    _kerashub.load(network.backbone, card, path)
    head = path / caches.TASK_WEIGHTS
    if not head.is_file():
        return
    try:
        network.load_task_weights(head)
    except (OSError, KeyError, ValueError) as error:
        raise TrialFailed(f"the head at {head} does not fit {card.name}: {str(error).splitlines()[0]}") from error


def trunk(network: keras.Model, card: ModelCard) -> keras.Model:
    """Sides of all boxes (n, anchors, 4), and a map of each level that classes are told from."""
    levels = [*network.backbone.output.values()]
    sides = _tower(network.box_head, levels, "sides")
    last = _copies([network.box_head.prediction_layer], sides, ["sides.last"])
    rows = [keras.layers.Reshape((-1, 4), name=f"sides.rows.{number}")(side) for number, side in enumerate(last)]
    joined = keras.layers.Concatenate(axis=1, name="sides.joined")(rows)
    maps = _tower(network.classification_head, levels, "classes")
    return keras.Model(network.backbone.input, [joined, *maps], name=network.name)


def _tower(head: Any, levels: Sequence[Tensor], name: str) -> list[Tensor]:
    """Each level through the convolutions of one of the heads, up to its last one."""
    parts, names = [], []
    for number, conv in enumerate(head.conv_layers):
        norms = head.group_norm_layers[number : number + 1] if head.use_group_norm else ()
        parts += [conv, *norms, keras.layers.Activation(head.activation)]
        names += [f"{name}.{number}", *(f"{name}.{number}.norm" for _ in norms), f"{name}.{number}.act"]
    return _copies(parts, levels, names)


def _copies(parts: Sequence[Any], maps: Sequence[Tensor], names: Sequence[str]) -> list[Tensor]:
    """The maps through copies of layers: those in KerasHub's head are one layer with the classes, and called as those
    of the other head are."""
    for part, name in zip(parts, names, strict=True):
        copied = type(part).from_config({**part.get_config(), "name": name})
        maps = [copied(each) for each in maps]
        copied.set_weights(part.get_weights())
    return [*maps]


def _generator(card: ModelCard) -> Any:
    """KerasHub's layer that gives anchors: of the preset, else its usual one."""
    if told := card.extra["head"].get("anchor_generator"):
        refuse_code(told, Path(card.name), keras_hub=True)
        return keras.saving.deserialize_keras_object(copy.deepcopy(told), safe_mode=True)
    levels: Mapping[str, int] = card.extra["config"]["config"]
    return keras_hub.layers.AnchorGenerator("yxyx", levels["min_level"], levels["max_level"], 3, [0.5, 1.0, 2.0], 4.0)


class Anchored:
    """See `_own.Boxes`."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def body(self, trunk: keras.Model) -> keras.Model:
        return _kerashub.encoder(trunk)

    @functools.cached_property
    def anchors(self) -> Array:
        """(anchors, 4): centres and sides in pixels, in the order of the network's rows."""
        generator, size = _generator(self.job.card), self.job.image_size
        with tf.init_scope():  # numbers, also where a graph is traced
            found = tf.concat([*generator(tf.zeros((1, size, size, 3))).values()], 0)
            words = {"source": generator.bounding_box_format, "target": "center_xywh"}
            return np.array(keras.utils.bounding_boxes.convert_format(found, **words, height=size, width=size))

    def heads(self, features: Sequence[Tensor], output: Output) -> Tensor:
        """Rows (n, anchors, 4 + classes): sides, then classes."""
        sides, *maps = features
        name, each = f"heads.{output.name}", _generator(self.job.card).num_base_anchors
        dropout = keras.layers.SpatialDropout2D(self.job.recipe.dropout, name=f"{name}.dropout", dtype="float32")
        last = keras.layers.Conv2D(
            each * output.size,
            3,
            padding="same",
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
            bias_initializer=keras.initializers.Constant(math.log(PRIOR / (1 - PRIOR))),
            name=f"{name}.last",
            dtype="float32",
        )
        rows = [
            keras.layers.Reshape((-1, output.size), name=f"{name}.rows.{number}")(last(dropout(level)))
            for number, level in enumerate(maps)
        ]
        joined = keras.layers.Concatenate(axis=1, name=f"{name}.joined", dtype="float32")(rows)
        return keras.layers.Concatenate(name=f"{name}.raw", dtype="float32")([sides, joined])

    def shape(self, output: Output) -> tuple[int | None, ...]:
        return (None, len(self.anchors), 4 + output.size)

    def loss(self, raw: Tensor, boxes: Tensor) -> Tensor:
        """Focal loss of the classes and absolute error of the sides, over the number of anchors that have a box."""
        kind, wanted, known = self.wanted(boxes, raw.shape[-1] - 4)
        positive = tf.reduce_sum(kind, -1)
        classes = tf.reduce_sum(_losses.focal(raw[..., 4:], kind) * known[..., None])
        sides = tf.reduce_sum(tf.reduce_sum(tf.abs(raw[..., :4] - wanted), -1) * positive)
        return (classes + sides) / tf.maximum(tf.reduce_sum(positive), 1.0)

    def wanted(self, boxes: Tensor, classes: int) -> tuple[Tensor, Tensor, Tensor]:
        """Of each anchor: its class (n, anchors, classes) of 0 and 1, its sides, and whether it is known what it is to
        find. The anchor that fits a box best finds it in any case: no anchor fits a small one well."""
        boxes = tf.cast(boxes, tf.float32)
        real = _places.real(boxes) & (boxes[..., 4] >= 0)
        middles = (boxes[..., :2] + boxes[..., 2:4]) / 2 * self.job.image_size
        lengths = (boxes[..., 2:4] - boxes[..., :2]) * self.job.image_size
        overlap = tf.where(real[:, None], _overlap(self.anchors, middles, lengths), -1.0)
        highest, which = tf.reduce_max(overlap, 2), tf.argmax(overlap, 2)
        fits_best = (overlap == tf.reduce_max(overlap, 1, keepdims=True)) & (overlap > 0)
        positive = (highest >= SURE) | tf.reduce_any(fits_best, 2)
        known = positive | (highest < UNSURE)
        of_box = tf.gather(tf.cast(boxes[..., 4], tf.int32), which, batch_dims=1)
        kind = tf.one_hot(tf.where(positive, of_box, -1), classes)
        offset = (tf.gather(middles, which, batch_dims=1) - self.anchors[:, :2]) / self.anchors[:, 2:]
        length = tf.where(positive[..., None], tf.gather(lengths, which, batch_dims=1), self.anchors[:, 2:])
        return kind, tf.concat([offset, tf.math.log(length / self.anchors[:, 2:])], -1), tf.cast(known, tf.float32)

    def found(self, raw: Tensor) -> Tensor:
        raw = tf.cast(raw, tf.float32)
        scores, most = tf.sigmoid(raw[..., 4:]), self.job.problem.outputs[0].most
        _, places = tf.math.top_k(tf.reduce_max(scores, -1), min(max(CANDIDATES, 2 * most), len(self.anchors)))
        anchors = tf.gather(self.anchors, places)
        shifts, scores = tf.gather(raw[..., :4], places, batch_dims=1), tf.gather(scores, places, batch_dims=1)
        corners = tf.clip_by_value(_corners(anchors, shifts) / self.job.image_size, 0, 1)
        boxes, best, kinds, count = tf.image.combined_non_max_suppression(
            corners[:, :, None], scores, most, most, OVERLAP, FLOOR, clip_boxes=False
        )
        rows = tf.concat([boxes, best[..., None], kinds[..., None]], -1)
        return tf.where(tf.sequence_mask(count, most)[..., None], rows, -1.0)


def _corners(anchors: Tensor, shifts: Tensor) -> Tensor:
    """x1, y1, x2, y2 in pixels of anchors that are shifted and stretched."""
    middles = anchors[..., :2] + shifts[..., :2] * anchors[..., 2:]
    halves = anchors[..., 2:] * tf.exp(tf.minimum(shifts[..., 2:], LARGEST)) / 2
    return tf.concat([middles - halves, middles + halves], -1)


def _overlap(anchors: Array, middles: Tensor, lengths: Tensor) -> Tensor:
    """(n, anchors, boxes): the shared area in the whole one."""
    low = tf.maximum((anchors[:, :2] - anchors[:, 2:] / 2)[None, :, None], (middles - lengths / 2)[:, None])
    high = tf.minimum((anchors[:, :2] + anchors[:, 2:] / 2)[None, :, None], (middles + lengths / 2)[:, None])
    shared = tf.reduce_prod(tf.maximum(high - low, 0), -1)
    whole = np.prod(anchors[:, 2:], -1)[None, :, None] + tf.reduce_prod(lengths, -1)[:, None] - shared
    return shared / whole


def own(job: Job) -> Anchored:
    return Anchored(job)
