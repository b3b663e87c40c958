"""Optimizers, weight decay, and learning rates by block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from autoft.api import Recipe, scheduled_rate
from autoft_keras._net import Net
from autoft_keras._precision import Scaler

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = Any
HEADS = "heads."
BIAS = "bias"

#: Of Adam, as published (Kingma & Ba, 2015) and as in PyTorch. Keras' own epsilon is 1e-7, and means another thing.
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
#: Moments of each optimizer. Heads that are solved need no steps.
KINDS = {"sgd": ("momentum",), "adam": ("mean", "square"), "adamw": ("mean", "square"), "solve": ()}


class Optimizer:
    """SGD, Adam or AdamW over the trainable arrays of a net.

    Weight decay is decoupled for SGD and AdamW (Loshchilov & Hutter, 2019): before each step every weight shrinks by
    the factor 1 - rate * decay. Adam is the older one: decay times weight is added to the gradient. Biases,
    normalisation and other arrays of one dimension do not shrink. L1 is decoupled: after each step the heads' weights
    come nearer to 0 by rate * l1, and stop there (soft thresholding, a proximal step; a subgradient would swing about
    0). The rate of block i of n is `layer_decay ** (n - 1 - i)` times that of the last one; that of the heads is `pace`
    times as high.

    The steps are TensorFlow's own fused operations, not Keras' optimizers: those take the learning rate into the
    momentum, and their epsilon is not the published one, so that one recipe would mean two things.
    """

    def __init__(self, net: Net, recipe: Recipe, scaler: Scaler | None = None, pace: float = 1.0) -> None:
        self.recipe, self.scaler = recipe, scaler
        blocks, count = net.block_of(), len(net.blocks)
        self.names = [name for name in net.named() if name in net.trained]
        self.parameters = [net.named()[name].value for name in self.names]
        self.scales = [
            pace if name.startswith(HEADS) else recipe.layer_decay ** max(0, count - 1 - blocks[name])
            for name in self.names
        ]
        self.shrinks = [
            len(parameter.shape) > 1 and not name.endswith(BIAS)  # those of attention have a row for each head
            for name, parameter in zip(self.names, self.parameters, strict=True)
        ]
        self.rate = 0.0
        self.kinds = KINDS[recipe.optimizer] if recipe.optimizer != "sgd" or recipe.momentum else ()
        self.moments: dict[str, list[Tensor]] = {}
        """By kind, in the order of the arrays."""
        self.steps = tf.Variable(tf.zeros(len(self.names)))
        """Of each array: those that were frozen when a state was kept start later than others."""

    def ready(self) -> None:
        """Make the moments: to predict takes none. Before a graph is traced: one that makes variables costs twice."""
        self.moments = self.moments or {
            kind: [tf.Variable(tf.zeros(p.shape), trainable=False) for p in self.parameters] for kind in self.kinds
        }

    def rates(self) -> dict[str, float]:
        """The present learning rate of each trainable array, by name."""
        return {name: self.rate * scale for name, scale in zip(self.names, self.scales, strict=True)}

    def set_step(self, step: int, total: float) -> None:
        """Set the learning rate of this step, by the recipe's schedule."""
        self.set_rate(scheduled_rate(self.recipe, step, total))

    def set_rate(self, rate: float) -> None:
        """Set the head's learning rate; blocks follow by their scales."""
        self.rate = rate

    def step(self, gradients: Sequence[Tensor], rate: Tensor) -> None:
        """Change the arrays. To be called in a graph, with the head's rate as a tensor."""
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        with tf.control_dependencies(gradients):  # where memory ends in the middle of them, no array has changed
            if self.scaler is None:
                self._step(gradients, rate)
                return
            gradients, finite = self.scaler.unscale(gradients)
            tf.cond(finite, lambda: self._step(gradients, rate), lambda: None)
            self.scaler.update(finite)

    def _step(self, gradients: Sequence[Tensor], rate: Tensor) -> None:
        gradients = clip(gradients, self.recipe.clip) if self.recipe.clip else gradients
        by_scale = {scale: rate * scale for scale in self.scales}
        rates = [by_scale[scale] for scale in self.scales]
        if self.recipe.weight_decay and self.recipe.optimizer != "adam":
            factors = {scale: 1 - own * self.recipe.weight_decay for scale, own in by_scale.items()}
            for parameter, scale, shrinks in zip(self.parameters, self.scales, self.shrinks, strict=True):
                if shrinks:
                    parameter.assign(parameter * factors[scale])
        if self.recipe.optimizer == "sgd":
            self._sgd(gradients, rates)
        else:
            self._adam(gradients, rates)
        for parameter, own in self._sparse(rates) if self.recipe.l1 else ():
            parameter.assign(tf.sign(parameter) * tf.maximum(tf.abs(parameter) - own * self.recipe.l1, 0))

    def _sgd(self, gradients: Sequence[Tensor], rates: Sequence[Tensor]) -> None:
        moments: Sequence[Tensor] = self.moments.get("momentum", ())
        momentum = tf.constant(self.recipe.momentum)
        for number, (parameter, gradient) in enumerate(zip(self.parameters, gradients, strict=True)):
            if not moments:
                parameter.assign_sub(rates[number] * gradient)
                continue
            tf.raw_ops.ResourceApplyMomentum(
                var=parameter.handle,
                accum=moments[number].handle,
                lr=rates[number],
                grad=gradient,
                momentum=momentum,
                use_nesterov=self.recipe.nesterov,
            )

    def _adam(self, gradients: Sequence[Tensor], rates: Sequence[Tensor]) -> None:
        self.steps.assign_add(tf.ones_like(self.steps))
        powers = [tf.unstack(beta**self.steps, len(self.names)) for beta in (BETA1, BETA2)]
        betas = tf.constant(BETA1), tf.constant(BETA2)
        epsilons = tf.unstack(EPSILON * tf.sqrt(1 - BETA2**self.steps), len(self.names))
        for number, (parameter, gradient) in enumerate(zip(self.parameters, gradients, strict=True)):
            if self.recipe.optimizer == "adam" and self.shrinks[number] and self.recipe.weight_decay:
                gradient = gradient + self.recipe.weight_decay * parameter
            # The operation adds epsilon before it corrects the bias: corrected, it is the published one.
            tf.raw_ops.ResourceApplyAdam(
                var=parameter.handle,
                m=self.moments["mean"][number].handle,
                v=self.moments["square"][number].handle,
                beta1_power=powers[0][number],
                beta2_power=powers[1][number],
                lr=rates[number],
                beta1=betas[0],
                beta2=betas[1],
                epsilon=epsilons[number],
                grad=gradient,
            )

    def _sparse(self, rates: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
        """The heads' weights and their rates."""
        rows = zip(self.names, self.parameters, rates, self.shrinks, strict=True)
        return [(parameter, own) for name, parameter, own, shrinks in rows if shrinks and name.startswith(HEADS)]

    def state(self) -> dict[str, Array]:
        """Moments and counters as arrays, by ``array name:kind``."""
        found = {}
        steps = self.steps.numpy()
        for number, name in enumerate(self.names):
            found[f"{name}:step"] = steps[number]
            for kind, moments in self.moments.items():
                found[f"{name}:{kind}"] = moments[number].numpy()
        return found

    def load(self, state: Mapping[str, Array]) -> None:
        """Take up what `state` gave. Arrays that are no longer trained are left out, new ones start afresh."""
        self.ready()
        steps = self.steps.numpy()
        for number, name in enumerate(self.names):
            kept = {kind: state.get(f"{name}:{kind}") for kind in self.moments}
            if f"{name}:step" not in state or any(
                value is None or value.shape != tuple(self.parameters[number].shape) for value in kept.values()
            ):
                continue
            steps[number] = float(state[f"{name}:step"].reshape(()))
            for kind, value in kept.items():
                self.moments[kind][number].assign(value)
        self.steps.assign(steps)


def clip(gradients: Sequence[Tensor], most: float) -> list[Tensor]:
    """Shortened together so that their norm is at most `most` (Pascanu et al., 2013)."""
    factor = tf.minimum(1.0, most / (tf.linalg.global_norm(gradients) + 1e-6))
    return [gradient * factor for gradient in gradients]
