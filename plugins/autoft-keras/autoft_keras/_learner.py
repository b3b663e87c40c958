"""`KerasLearner`: one network in training, or trained."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar

import keras
import numpy as np
import tensorflow as tf

from autoft.api import Cut, EpochStats, Feed, Job, Stop, TrialFailed, View, encoder, in_order, late, shuffled, windows
from autoft_keras import _augment, _batches, _optim, _shapes, _sounds, _state
from autoft_keras._augment import DRAWS
from autoft_keras._cuts import Point
from autoft_keras._features import Features
from autoft_keras._inputs import Inputs
from autoft_keras._mix import mix
from autoft_keras._net import HEAD, Net
from autoft_keras._norms import Norms
from autoft_keras._places import mover
from autoft_keras._precision import Precision, device, usable
from autoft_keras._prefix import Prefix
from autoft_keras._rows import Rows

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = Any
Targets = dict[str, Any]
Key = TypeVar("Key")

#: Field of the sample -> how pictures of it are changed. Words and samples have their own way (`_rows`).
POLICIES = {"image": _augment, "audio": _sounds, "text": _augment}
NO_ROOM = "one sample must fit into the GPU's memory, but it does not."


class KerasLearner:
    """One network with its head, optimizer and schedule.

    Implements `Learner`, `Resumable`, `Reschedulable`, `Cuttable`, `Inheriting`, `Enlarging`, `Batched`, `Settling` and
    `Placed`.
    """

    def __init__(self, job: Job, net: Net, where: str, folder: Path | None) -> None:
        """`folder` is that of a saved model, or of the files that the card names, where there are any."""
        self.job, self.device, self.net = job, where, net
        self.inputs = Inputs(job, where) if job.card.modality == "image" else Rows(job, where, net, folder)
        self.precision = Precision(job.recipe.precision, where)
        self.precision.apply(net.trunk)
        self.prefix = Prefix(net) if isinstance(self.inputs, Inputs) else Features(net, job.card)
        self.norms = Norms.of(job, net.model)
        self.optimizer = _optim.Optimizer(net, job.recipe, self.precision.scaler, job.card.pace)
        self.augment = POLICIES[job.problem.inputs[0]].policy(job.recipe.augment, job.image_size)
        self.epochs: float = job.recipe.epochs
        self.steps = 0
        self.most = job.recipe.batch_size
        """Samples that fit into memory at a time; larger batches are computed in parts."""
        self._lengths: Array | None = None
        self._traced = 0.0
        """Seconds in which functions were compiled, all together."""
        self._graphs: dict[tuple[object, ...], Any] = {}
        """Compiled functions; each is traced once for each cut, for batches of any length."""

    @classmethod
    def start(cls, job: Job) -> KerasLearner:
        """With pretrained weights and a new head, ready for epoch 1."""
        where = device(job)
        keras.utils.set_random_seed(job.seed % 2**32)
        folder = Path(job.card.folder) if job.card.folder else None
        return cls(job, Net.of(job), where, folder)

    @classmethod
    def restore(cls, job: Job, folder: Path) -> KerasLearner:
        """With the weights that `save` wrote."""
        job = usable(job, where := device(job))
        net = Net.of(job, weights=False)
        _state.load_model(net, folder)
        return cls(job, net, where, folder)

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

    def on_gpu(self) -> bool:
        return self.device == "GPU"

    def at_a_time(self) -> int:
        """See `Batched`."""
        return _batches.size(self.job)

    def settles(self) -> bool:
        """See `Settling`."""
        return self.norms.needed

    # ---- training -----------------------------------------------------------------------------------

    def train_epoch(self, feed: Feed, epoch: int, stop: Stop) -> EpochStats:
        begun = self._begin(feed, stop) if epoch == 1 else ""
        if isinstance(begun, EpochStats):
            return begun
        rng = np.random.default_rng((self.job.seed, epoch))
        seed = int(rng.integers(1 << 62)) % 2**31
        self.net.seed(seed)
        self.optimizer.ready()
        if epoch == 1 or self._lengths is None or len(self._lengths) != len(feed):
            # A head alone has the same batches as on features that are kept, which have no lengths.
            whole = self.net.frozen == len(self.net.block_names())
            self._lengths = None if whole else self.inputs.heard(feed)
        batches = shuffled(rng.permutation(len(feed)), self.job.recipe.batch_size, lengths=self._lengths, rng=rng)
        total, seen, steps, traced = tf.zeros((), tf.float64), 0, 0, self._traced
        for values, targets in self.inputs.batches(feed, batches, targets=True):
            if stop():
                self._settle(feed, self.norms.some(batches[:steps], whole=False), stop)
                return EpochStats(self._mean(total, seen), steps, False, begun, self._traced - traced)
            if self.inputs.point is None:
                values, targets = self._changed(values, targets, tf.constant([seed, steps]), rng)
            at = (epoch - 1) * len(batches) + steps
            self.optimizer.set_step(at, self.epochs * len(batches))
            total += tf.cast(self._step(values, targets), tf.float64) * len(values)
            seen, steps = seen + len(values), steps + 1
        self._settle(feed, self.norms.some(batches, whole=True), stop)
        return EpochStats(self._mean(total, seen), steps, True, begun, self._traced - traced)

    def _settle(self, feed: Feed, some: Sequence[Array], stop: Stop) -> None:
        """Take statistics of these batches as they are. Where memory ends, they are shown anew in parts."""
        done = not some
        while not done:
            parts = [part for batch in some for part in shuffled(batch, self.most)]
            shown = self.inputs.batches(feed, takewhile(lambda _: not late(stop), parts), targets=False)
            try:
                self.norms.settle((images for images, _ in shown), len(parts), self._show)
                done = True
            except tf.errors.ResourceExhaustedError as error:
                self._halve(max(map(len, some)), error)

    def _begin(self, feed: Feed, stop: Stop) -> EpochStats | str:
        """What a trunk can learn from all texts without steps is an epoch of its own: steps are not always better.
        Else what is to be said of the epoch, as a rule nothing."""
        if self.steps or self.net.frozen or not isinstance(self.inputs, Rows):
            return ""
        found = self.inputs.reader.begin(feed, self.job.problem, stop, solve=not self.job.recipe.head_width)
        if found is None or found.head is None:
            return found.said if found else ""
        self.set_head({self.job.problem.outputs[0].name: found.head})
        return EpochStats(found.loss, 1, True, found.said)

    def _changed(
        self, images: Tensor, targets: Targets, seed: Tensor, rng: np.random.Generator
    ) -> tuple[Tensor, Targets]:
        """A batch augmented, encoded and mixed."""
        problem, recipe = self.job.problem, self.job.recipe
        if isinstance(self.inputs, Rows):
            return self.inputs.reader.changed(images, seed), targets
        if not self.net.placed:
            return mix(tf.cast(self.augment(images, seed), tf.float32), targets, problem, recipe, rng)
        images, targets = mover(recipe.augment, self.job.image_size, not problem.encoder)(images, targets, seed)
        if problem.encoder:
            arrays = {key: value.numpy() for key, value in targets.items()}
            made = encoder(problem.encoder)(arrays, self.net.side, self.net.side, problem)
            targets = {key: tf.convert_to_tensor(value) for key, value in made.items()}
        return tf.cast(images, tf.float32), targets

    def set_epochs(self, epochs: float) -> None:
        """Let the schedule end after `epochs` in all, from the next step on."""
        self.epochs = epochs

    def _mean(self, total: Tensor, seen: int) -> float:
        loss = float(total) / max(1, seen)
        if not math.isfinite(loss):
            raise TrialFailed(f"the training loss must be finite, but it is {loss}.", "Lower lr, or clip gradients.")
        return loss

    def _step(self, values: Tensor, targets: Targets) -> Tensor:
        """One step of the optimizer, and its loss. Where memory ends, it computes half at a time."""
        self.norms.before(self.steps, len(values))
        loss = None
        while loss is None:
            try:
                loss = self._whole(values, targets) if len(values) <= self.most else self._parts(values, targets)
            except tf.errors.ResourceExhaustedError as error:
                self._halve(len(values), error)
        if self.device == "CPU":  # asking a GPU at every step would hold it up
            self._mean(loss, 1)
        self.steps += 1
        return loss

    def _halve(self, count: int, error: Exception) -> None:
        """So many samples did not fit into memory."""
        self.most = min(self.most, count) // 2
        if self.most < 1:
            raise TrialFailed(NO_ROOM) from error

    def _whole(self, values: Tensor, targets: Targets) -> Tensor:
        def step(values: Tensor, targets: Targets, rate: Tensor) -> Tensor:
            loss, gradients = self._gradients(values, targets, tf.constant(1.0))
            self.optimizer.step(gradients, rate)
            return loss

        return self._graph("step", step, values, targets, tf.constant(self.optimizer.rate, tf.float32))

    def _show(self, images: Tensor) -> None:
        self._graph("show", lambda values: self._raw(values, training=True), images)

    def _parts(self, values: Tensor, targets: Targets) -> Tensor:
        """Add up the gradients of a batch, computed in parts of at most `most` samples."""
        total, sums = tf.zeros(()), None
        for first in range(0, len(values), self.most):
            part = slice(first, first + self.most)
            some = {key: wanted[part] for key, wanted in targets.items()}
            share = tf.constant(len(values[part]) / len(values), tf.float32)
            loss, gradients = self._graph("gradients", self._gradients, values[part], some, share)
            total += loss * share
            sums = gradients if sums is None else [a + b for a, b in zip(sums, gradients, strict=True)]
        self._graph("apply", self.optimizer.step, sums, tf.constant(self.optimizer.rate, tf.float32))
        return total

    def _gradients(self, values: Tensor, targets: Targets, share: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The loss, and the gradients of its share (times the loss scale of fp16)."""
        scaler = self.precision.scaler
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.optimizer.parameters)
            loss = self._loss(self._raw(values, training=True), targets)
            target = loss * share * scaler.scale if scaler else loss * share
        found = tape.gradient(target, self.optimizer.parameters, unconnected_gradients="zero")
        return loss, [tf.convert_to_tensor(gradient) for gradient in found]

    def _raw(self, values: Tensor, *, training: bool) -> dict[str, Tensor]:
        """Raw outputs of images in 0..255, or of what stands at the cut that is entered."""
        if training and isinstance(self.inputs, Rows):
            return self.net.behind(values)
        return self.net(values if self.inputs.point else self.inputs.normalise(values), training=training)

    def _loss(self, raw: Mapping[str, Tensor], targets: Targets) -> Tensor:
        smoothing = self.job.recipe.label_smoothing
        outputs = self.job.problem.outputs
        return tf.add_n([o.weight * self.net.loss(o, raw[o.name], targets[o.target], smoothing) for o in outputs])

    def _graph(self, name: str, function: Any, *arguments: Any, of: Sequence[Point] = ()) -> Any:
        """Call a function, traced once for any number of rows, and once more for a batch of one.

        Once for each cut, too: the one that is entered, and those (`of`) that it is about.
        """
        places = (self.inputs.point, *of)
        rows = name != "apply"  # gradients have no rows
        free = _shapes.any_length if isinstance(self.inputs, Rows) else _shapes.any_rows
        key = (name, self.norms.single, *(point.place if point else "" for point in places))
        if self.net.placed and rows:  # as many boxes as the fullest image has
            key += tuple(tuple(tensor.shape[1:]) for tensor in tf.nest.flatten(arguments))
        if key not in self._graphs:
            signature = tf.nest.map_structure(lambda t: free(t) if rows else tf.TensorSpec(t.shape), arguments)
            began = time.perf_counter()
            self._graphs[key] = tf.function(function, autograph=False).get_concrete_function(*signature)
            self._traced += time.perf_counter() - began
        return self._graphs[key](*arguments)

    # ---- predicting -----------------------------------------------------------------------------------

    def predict(self, feed: Feed) -> dict[str, Array]:
        return self.predict_at(feed, self.inputs.side(feed))

    def predict_at(self, feed: Feed, side: int) -> dict[str, Array]:
        """See `Enlarging`."""
        outputs = self.job.problem.outputs
        found: dict[str, list[Array]] = {o.name: [] for o in outputs}
        indices = [batch for group in self._groups(feed) for batch in group]
        for values, _ in self.inputs.batches(feed, indices, targets=False):
            for name, rows in self._fitted(lambda some: self._infer(some, side), values).items():
                found[name].append(self.inputs.filled(rows))
        if not indices:
            return {o.name: self.net.none(o, side) for o in outputs}
        return {name: in_order(parts, indices) for name, parts in found.items()}

    def _groups(self, feed: Feed) -> list[list[Array]]:
        """Batches for predictions, see `autoft.batches`."""
        return windows(len(feed), self.at_a_time(), self.inputs.lengths(feed))

    def _infer(self, values: Tensor, side: int) -> dict[str, Tensor]:
        def outputs(values: Tensor, side: Tensor) -> dict[str, Tensor]:
            raw = self._raw(values, training=False)
            return {o.name: self.net.finish(o, raw[o.name], side) for o in self.job.problem.outputs}

        found: dict[str, Tensor] = self._graph("predict", outputs, values, tf.constant(side))
        return found

    def _fitted(self, compute: Callable[[Tensor], dict[Key, Tensor]], values: Tensor) -> dict[Key, Array]:
        """What `compute` gives for a batch. Where memory ends, it gets half at a time."""
        self.norms.single = False
        try:
            return {key: found.numpy() for key, found in compute(values).items()}
        except tf.errors.ResourceExhaustedError as error:
            if len(values) == 1:
                raise TrialFailed(NO_ROOM) from error
        middle = len(values) // 2
        halves = [self._fitted(compute, half) for half in (values[:middle], values[middle:])]
        return {key: np.concatenate([half[key] for half in halves]) for key in halves[0]}

    # ---- going on from what a frozen prefix gave ------------------------------------------------------

    def cuts(self) -> Sequence[Cut]:
        """None where heads need more than what stands at a cut."""
        return () if self.net.placed else self.prefix.cuts()

    def levels(self) -> Cut | None:
        return None if self.net.placed else self.prefix.levels()

    def extract(self, feed: Feed, cuts: Sequence[Cut], view: View) -> Iterator[list[Array]]:
        """See `Cuttable`. Each sample of an augmented view has its own draws, so batches do not matter."""
        points = [self.prefix.point(cut) for cut in cuts]
        changed = self._fixed(view, len(feed))
        if self.inputs.point:
            raise ValueError("extract takes images, but a cut is entered: enter(None) first.")

        def pick(images: Tensor) -> dict[str, Tensor]:
            return self.prefix.pick(self.inputs.normalise(images), points)

        def rows(images: Tensor) -> dict[str, Tensor]:
            found: dict[str, Tensor] = self._graph("extract", pick, images, of=points)
            return found

        groups = self._groups(feed)
        loaded = self.inputs.batches(feed, [batch for group in groups for batch in group], targets=False)
        for group in groups:
            made = [self._fitted(rows, changed(next(loaded)[0], index)) for index in group]
            yield [in_order([found[point.place] for found in made], group) for point in points]

    def _fixed(self, view: View, count: int) -> Callable[[Tensor, Array], Tensor]:
        """What makes the samples of a view of a batch, from their places in the feed."""
        rng, inputs = np.random.default_rng((view.seed, view.number)), self.inputs
        if isinstance(inputs, Rows):
            seeds = rng.integers(1 << 31, size=(count, 2), dtype=np.int32)
            return lambda values, index: inputs.fixed(values, seeds[index]) if view.number else values
        draws = rng.random((count, DRAWS), np.float32)
        policy = view.augment if view.number else "none"
        augment = POLICIES[self.job.problem.inputs[0]].fixed(policy, self.job.image_size)
        return lambda images, index: tf.cast(augment(images, tf.constant(draws[index])), tf.float32)

    def enter(self, cut: Cut | None) -> None:
        point = None if cut is None else self.prefix.point(cut)
        if point and point.depth > self.net.frozen:
            raise ValueError(
                f"what stands before a cut must be frozen, but {point.depth} blocks stand before this one "
                f"and {self.net.frozen} are frozen."
            )
        self.prefix.enter(point)
        self.inputs.point = point

    def set_head(self, values: Mapping[str, tuple[Array, Array]]) -> None:
        self.net.set_heads(values, self.job.recipe)

    # ---- keeping --------------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        _state.save_model(self.net, self.job.card, folder)
        if isinstance(self.inputs, Rows):
            self.inputs.reader.keep(folder)

    def inherit(self, folder: Path) -> None:
        """See `Inheriting`. Arrays alone are taken over: dropout, precision and what is frozen are this recipe's."""
        _state.load_model(self.net, folder)

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
