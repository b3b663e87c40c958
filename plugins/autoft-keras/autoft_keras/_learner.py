"""`KerasLearner`: one network in training, or trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from autoft.api import EpochStats, Feed, Job, Stop, TrialFailed
from autoft_keras import _losses, _optim, _state
from autoft_keras._augment import policy
from autoft_keras._inputs import Inputs
from autoft_keras._mix import mix
from autoft_keras._net import HEAD, Net
from autoft_keras._norms import Norms
from autoft_keras._precision import Precision, device

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = Any
Targets = dict[str, Any]

#: Pixels in one batch of predictions.
PREDICT_PIXELS = 64 * 224 * 224
NO_ROOM = "one sample must fit into the GPU's memory, but it does not."


class KerasLearner:
    """One network with its head, optimizer and schedule. Implements `Learner`, `Resumable` and `Reschedulable`."""

    def __init__(self, job: Job, net: Net, where: str) -> None:
        self.job, self.device, self.net = job, where, net
        self.inputs = Inputs(job, where)
        self.precision = Precision(job.recipe.precision, where)
        self.precision.apply(net.trunk)
        self.norms = Norms(net.trunk, scratch=not job.card.pretrained)
        self.optimizer = _optim.Optimizer(net, job.recipe, self.precision.scaler)
        self.augment = policy(job.recipe.augment, job.image_size)
        self.epochs = job.recipe.epochs
        self.steps = 0
        self.most = job.recipe.batch_size
        """Samples that fit into memory at a time; larger batches are computed in parts."""
        self._graphs: dict[str, Any] = {}
        """Compiled functions; each is traced once, for batches of any length."""

    @classmethod
    def start(cls, job: Job) -> KerasLearner:
        """With pretrained weights and a new head, ready for epoch 1."""
        where = device(job)
        keras.utils.set_random_seed(job.seed % 2**32)
        return cls(job, Net.of(job), where)

    @classmethod
    def restore(cls, job: Job, folder: Path) -> KerasLearner:
        """With the weights that `save` wrote."""
        where = device(job)
        return cls(job, _state.load_model(job, folder), where)

    # ---- what is in it ----------------------------------------------------------------------------

    def blocks(self) -> Sequence[str]:
        return self.net.block_names()

    def arrays(self) -> Mapping[str, Mapping[str, Array]]:
        names, numbers = (*self.net.block_names(), HEAD), self.net.block_of()
        found: dict[str, dict[str, Array]] = {name: {} for name in names}
        for name, value in _state.arrays(self.net).items():
            found[names[numbers[name]]][name] = value
        return found

    def trainable(self) -> int:
        return sum(math.prod(parameter.shape) for parameter in self.optimizer.parameters)

    # ---- training -----------------------------------------------------------------------------------

    def train_epoch(self, feed: Feed, epoch: int, stop: Stop) -> EpochStats:
        rng = np.random.default_rng((self.job.seed, epoch))
        seed = int(rng.integers(1 << 62)) % 2**31
        self.net.seed(seed)
        self.optimizer.ready()
        batches = _split(rng.permutation(len(feed)), self.job.recipe.batch_size)
        total, seen, steps = tf.zeros((), tf.float64), 0, 0
        for images, targets in self.inputs.batches(feed, batches, targets=True):
            if stop():
                return EpochStats(self._mean(total, seen), steps, False)
            values = tf.cast(self.augment(images, tf.constant([seed, steps])), tf.float32)
            values, targets = mix(values, targets, self.job.problem, self.job.recipe, rng)
            at = (epoch - 1) * len(batches) + steps
            self.optimizer.set_rate(_optim.rate(self.job.recipe, at, self.epochs * len(batches)))
            total += tf.cast(self._step(values, targets), tf.float64) * len(values)
            seen, steps = seen + len(values), steps + 1
        return EpochStats(self._mean(total, seen), steps, True)

    def set_epochs(self, epochs: int) -> None:
        """Let the schedule end after `epochs` in all, from the next epoch on."""
        self.epochs = epochs

    def _mean(self, total: Tensor, seen: int) -> float:
        loss = float(total) / max(1, seen)
        if not math.isfinite(loss):
            raise TrialFailed(f"the training loss must be finite, but it is {loss}.", "Lower lr, or clip gradients.")
        return loss

    def _step(self, images: Tensor, targets: Targets) -> Tensor:
        """One step of the optimizer, and its loss. Where memory ends, it computes half at a time."""
        self.norms.before(self.steps, len(images))
        loss = None
        while loss is None:
            try:
                loss = self._whole(images, targets) if len(images) <= self.most else self._parts(images, targets)
            except tf.errors.ResourceExhaustedError as error:
                self.most = min(self.most, len(images)) // 2
                if self.most < 1:
                    raise TrialFailed(NO_ROOM) from error
        if self.device == "CPU":  # asking a GPU at every step would hold it up
            self._mean(loss, 1)
        self.steps += 1
        return loss

    def _whole(self, images: Tensor, targets: Targets) -> Tensor:
        def step(images: Tensor, targets: Targets, rate: Tensor) -> Tensor:
            loss, gradients = self._gradients(images, targets, tf.constant(1.0))
            self.optimizer.step(gradients, rate)
            return loss

        return self._graph("step", step, images, targets, tf.constant(self.optimizer.rate, tf.float32))

    def _parts(self, images: Tensor, targets: Targets) -> Tensor:
        """Add up the gradients of a batch, computed in parts of at most `most` samples."""
        total, sums = tf.zeros(()), None
        for first in range(0, len(images), self.most):
            part = slice(first, first + self.most)
            some = {key: values[part] for key, values in targets.items()}
            share = tf.constant(len(images[part]) / len(images), tf.float32)
            loss, gradients = self._graph("gradients", self._gradients, images[part], some, share)
            total += loss * share
            sums = gradients if sums is None else [a + b for a, b in zip(sums, gradients, strict=True)]
        self._graph("apply", self.optimizer.step, sums, tf.constant(self.optimizer.rate, tf.float32))
        return total

    def _gradients(self, images: Tensor, targets: Targets, share: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The loss, and the gradients of its share (times the loss scale of fp16)."""
        scaler = self.precision.scaler
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.optimizer.parameters)
            loss = self._loss(self.net(self.inputs.normalise(images), training=True), targets)
            target = loss * share * scaler.scale if scaler else loss * share
        found = tape.gradient(target, self.optimizer.parameters, unconnected_gradients="zero")
        return loss, [tf.convert_to_tensor(gradient) for gradient in found]

    def _loss(self, raw: Mapping[str, Tensor], targets: Targets) -> Tensor:
        smoothing = self.job.recipe.label_smoothing
        outputs = self.job.problem.outputs
        return tf.add_n([o.weight * _losses.loss(o, raw[o.name], targets[o.target], smoothing) for o in outputs])

    def _graph(self, name: str, function: Any, *arguments: Any) -> Any:
        """Call a function, traced once for any number of rows, and once more for a batch of one."""
        key = f"{name} of one" if self.norms.single else name
        if key not in self._graphs:
            rows = name != "apply"  # gradients have no rows
            signature = tf.nest.map_structure(lambda t: _any_rows(t) if rows else tf.TensorSpec(t.shape), arguments)
            self._graphs[key] = tf.function(function, autograph=False).get_concrete_function(*signature)
        return self._graphs[key](*arguments)

    # ---- predicting -----------------------------------------------------------------------------------

    def predict(self, feed: Feed) -> dict[str, Array]:
        outputs = self.job.problem.outputs
        found: dict[str, list[Array]] = {o.name: [np.zeros((0, o.size), np.float32)] for o in outputs}
        size = max(1, min(512, PREDICT_PIXELS // self.job.image_size**2))
        indices = [np.arange(first, min(first + size, len(feed))) for first in range(0, len(feed), size)]
        for images, _ in self.inputs.batches(feed, indices, targets=False):
            for name, values in self._infer(images).items():
                found[name].append(values)
        return {name: np.concatenate(parts) for name, parts in found.items()}

    def _infer(self, images: Tensor) -> dict[str, Array]:
        def outputs(images: Tensor) -> dict[str, Tensor]:
            raw = self.net(self.inputs.normalise(images), training=False)
            return {o.name: _losses.finish(o, raw[o.name]) for o in self.job.problem.outputs}

        self.norms.single = False
        try:
            return {name: values.numpy() for name, values in self._graph("predict", outputs, images).items()}
        except tf.errors.ResourceExhaustedError as error:
            if len(images) == 1:
                raise TrialFailed(NO_ROOM) from error
        middle = len(images) // 2
        halves = [self._infer(half) for half in (images[:middle], images[middle:])]
        return {name: np.concatenate([half[name] for half in halves]) for name in halves[0]}

    # ---- keeping --------------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        _state.save_model(self.net, self.job.card, folder)

    def save_state(self, folder: Path) -> None:
        """Weights, moments, and how far training has come. Draws and rates follow from seed and epoch."""
        scaler = self.precision.scaler.state() if self.precision.scaler else {}
        facts = {"steps": self.steps, "optimizer": self.job.recipe.optimizer, "scaler": scaler}
        _state.save_state(folder, self.net, self.optimizer.state(), facts)

    def load_state(self, folder: Path) -> None:
        """Take up a state, also of a trial with another recipe: its rates apply from now on (as PBT needs).

        Moments of another optimizer, or of arrays that are frozen here, are left out.
        """
        moments, facts = _state.load_state(folder, self.net)
        self.steps = int(facts["steps"])
        if facts["optimizer"] == self.job.recipe.optimizer:
            self.optimizer.load(moments)
        if self.precision.scaler and facts["scaler"]:
            self.precision.scaler.load(facts["scaler"])


def _any_rows(tensor: Tensor) -> tf.TensorSpec:
    return tf.TensorSpec((None, *tensor.shape[1:]) if tensor.shape.rank else (), tensor.dtype)


def _split(order: Array, size: int) -> list[Array]:
    """Batches of nearly equal size, at most `size`, so that no small remainder upsets batch statistics."""
    return list(np.array_split(order, math.ceil(len(order) / size))) if len(order) else []
