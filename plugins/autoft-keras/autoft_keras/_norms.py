"""Keeps batch normalisation honest in short trainings, and quick."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras.layers import BatchNormalization

Tensor = Any

#: Keras averages statistics over 100 steps, some networks over 1000: more than a short fine-tuning has.
MOMENTUM = 0.1
#: How the names of layers of new heads begin.
NEW = ("heads.", "neck.")


class Norms:
    """The batch normalisations of a net that are in training.

    In evaluation they use running statistics, which must follow the weights within the few steps that a small
    data set gives: the momentum (the share of the new batch, 1 minus what Keras calls so) is at least `MOMENTUM`.
    From scratch it starts at 1 and falls as 1 / step, a plain mean, since the initial statistics mean nothing.

    Where it can be, a layer is computed by TensorFlow's fused operation, in training as in evaluation: Keras makes
    about fifteen operations of it, which cost a compact network half of its speed.
    """

    def __init__(self, net: keras.Model, *, scratch: bool, kept: bool = False) -> None:
        """`kept` leaves running statistics as they are, and uses them in training: not from scratch, nor in
        new heads."""
        self.scratch, self.kept = scratch, kept and not scratch
        self.least = tf.Variable(0.0, trainable=False)
        self.single = False
        """The batch has one sample, and so no statistics: the layers use and keep their running ones."""
        self.layers = [part for part in net._flatten_layers() if isinstance(part, BatchNormalization)]
        for layer in self.layers:
            pretrained = not layer.name.startswith(NEW)
            usual = max(MOMENTUM, 1 - layer.momentum)
            layer.momentum = 1 - usual
            if _fusible(layer):
                # This instance alone, so that the layer is saved, and loaded elsewhere, as Keras' own.
                layer.call = _Fused(layer, usual, self, kept=self.kept and pretrained)
            elif self.kept and pretrained:
                layer.call = _running(layer.call)

    def before(self, step: int, samples: int) -> None:
        """Prepare for training step `step` (counted from 0) on a batch of so many samples."""
        self.single = samples == 1
        if self.scratch:
            self.least.assign(1 / (step + 1))


def _fusible(layer: Any) -> bool:
    """Whether the fused operation computes what this layer does: four dimensions, channels last."""
    return (
        layer.built
        and len(layer.input_spec.axes) == 1
        and layer.input_spec.ndim == 4
        and not layer.renorm
        and (layer.axis in (3, -1))
    )


def _running(call: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The same layer as it is in evaluation."""

    def evaluated(inputs: Tensor, training: bool | None = None, mask: Tensor = None) -> Tensor:
        return call(inputs, training=False, mask=mask)

    return evaluated


class _Fused:
    """`BatchNormalization.call`, in one operation."""

    def __init__(self, layer: Any, usual: float, norms: Norms, *, kept: bool) -> None:
        self.layer, self.usual, self.norms, self.kept = layer, usual, norms, kept
        self.width = layer.moving_mean.shape[0]

    def __call__(self, inputs: Tensor, training: bool | None = None, mask: Tensor = None) -> Tensor:
        layer = self.layer
        gamma = layer.gamma.value if layer.scale else tf.ones(self.width)
        beta = layer.beta.value if layer.center else tf.zeros(self.width)
        learns = bool(training) and layer.trainable and not (self.norms.single or self.kept)
        running = () if learns else (layer.moving_mean.value, layer.moving_variance.value)
        values, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, gamma, beta, *running, epsilon=layer.epsilon, is_training=learns
        )
        if learns:
            share = tf.maximum(self.usual, self.norms.least) if self.norms.scratch else self.usual
            for kept, new in ((layer.moving_mean.value, mean), (layer.moving_variance.value, variance)):
                kept.assign_sub((kept - new) * share)
        return values
