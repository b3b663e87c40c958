"""Keeps batch normalisation honest in short trainings, and quick."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf
from keras.layers import BatchNormalization

from autoft.api import Job, shown_again

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

Tensor = Any

#: Keras averages statistics over 100 steps, some networks over 1000: more than a short fine-tuning has.
MOMENTUM = 0.1
#: The loss of maps with peaks.
PEAKS = "heatmap"
#: How the names of layers of new heads begin.
NEW = ("heads.", "neck.")


class Norms:
    """The batch normalisations of a net that are in training.

    In evaluation they use running statistics, which must follow the weights within the few steps that a small
    data set gives: the momentum (the share of the new batch, 1 minus what Keras calls so) is at least `MOMENTUM`.
    From scratch it starts at 1 and falls as 1 / step, a plain mean, since the initial statistics mean nothing.

    Networks for maps with peaks take those of images as they are, at the end of each epoch: augmented ones have other
    statistics, and where nearly all places are empty, a small shift finds other ones. For masks that was no gain
    (docs/adr/0064-better-boxes.md).

    Where it can be, a layer is computed by TensorFlow's fused operation, in training as in evaluation: Keras makes
    about fifteen operations of it, which cost a compact network half of its speed.
    """

    def __init__(self, net: keras.Model, *, scratch: bool, kept: bool = False, settles: bool = False) -> None:
        """`kept` leaves running statistics as they are, and uses them in training: not from scratch, nor in
        new heads."""
        self.scratch, self.kept, self.settles = scratch, kept and not scratch, settles
        self.shown = False
        """Whether images are shown for their statistics alone."""
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

    @classmethod
    def of(cls, job: Job, net: keras.Model) -> Norms:
        """Those of a net that is to be trained so."""
        peaks = any(output.loss == PEAKS for output in job.problem.outputs)
        return cls(net, scratch=not job.card.pretrained, kept=job.recipe.norms == "kept", settles=peaks)

    def before(self, step: int, samples: int) -> None:
        """Prepare for training step `step` (counted from 0) on a batch of so many samples."""
        self.single = samples == 1
        if self.scratch:
            self.least.assign(1 / (step + 1))

    @property
    def needed(self) -> bool:
        """Whether there is anything to settle."""
        return self.settles and any(layer.trainable for layer in self.layers)

    def some(self, trained: Sequence[Array], *, whole: bool) -> list[Array]:
        """Those of an epoch's batches that `settle` is to see."""
        return shown_again(trained, whole=whole) if self.needed else []

    def settle(self, shown: Iterable[Tensor], wanted: int, show: Callable[[Tensor], object]) -> None:
        """The plain mean of the statistics of what is shown, with the weights as they are. `show` runs the network, in
        a graph of its own.

        Of less than half of what was `wanted`, or where memory ends, they would tell too little: all stays as it was.
        """
        found = [value for layer in self.layers for value in (layer.moving_mean, layer.moving_variance)]
        before, seen, enough = [value.numpy() for value in found], 0, False
        self.shown, self.single = True, False
        try:
            for images in shown:
                seen += 1
                self.least.assign(1 / seen)
                show(images)
            enough = 2 * seen >= wanted
        finally:
            self.shown = False
            if not enough:
                for value, old in zip(found, before, strict=True):
                    value.assign(old)


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
            share = self.norms.least if self.norms.shown else share
            for kept, new in ((layer.moving_mean.value, mean), (layer.moving_variance.value, variance)):
                kept.assign_sub((kept - new) * share)
        return values
