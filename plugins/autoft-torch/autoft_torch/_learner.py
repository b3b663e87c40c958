"""`TorchLearner`: one network in training, or trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from msgspec.structs import replace

from autoft.api import Cut, EpochStats, Feed, Job, Stop, TrialFailed, View, encoder, in_order, late, shuffled, windows
from autoft_torch import _augment, _batches, _foldable, _losses, _optim, _probe, _sounds, _state
from autoft_torch._features import Features
from autoft_torch._folding import Folding
from autoft_torch._inputs import Inputs
from autoft_torch._mix import mix
from autoft_torch._net import HEAD, Net
from autoft_torch._nets import network
from autoft_torch._norms import Norms
from autoft_torch._places import hide, move
from autoft_torch._precision import Precision, device, layout, usable
from autoft_torch._prefix import Prefix
from autoft_torch._rows import Rows

Array = np.ndarray[Any, np.dtype[Any]]
Targets = dict[str, torch.Tensor]

#: Field of the sample -> how pictures of it are changed. Words have their own way (`_rows`).
POLICIES = {"image": _augment, "audio": _sounds, "text": _augment}
SPELLS = "the checkpoint spells these letters already: its first epoch takes no steps, so that it is scored as it came"


class TorchLearner:
    """One network with its head, optimizer and schedule.

    Implements `Learner`, `Resumable`, `Reschedulable`, `Cuttable`, `Inheriting`, `Enlarging`, `Batched`, `Settling`,
    `Choosing` and `Placed`.
    """

    found = ""
    """The precision that a short trial of both has chosen, where the recipe leaves it open."""

    def __init__(self, job: Job, net: Net, where: torch.device) -> None:
        self.job, self.device = job, where
        self.net = net.to(where, memory_format=layout(where))
        self.inputs = Inputs(job, where) if job.card.modality == "image" else Rows(job, where, net.trunk)
        self.precision = Precision(job.recipe.precision, where, maps=job.image_size > 0)
        images = isinstance(self.inputs, Inputs)
        self.prefix = Prefix(net, job, self.precision) if images else Features(net, job.card, self.precision)
        self.optimizer = _optim.Optimizer(net, job.recipe, 1.0 if net.spells else job.card.pace)
        self.norms = Norms.of(job, net)
        self.augment = POLICIES[job.problem.inputs[0]].policy(job.recipe.augment, job.image_size)
        self.epochs: float = job.recipe.epochs
        self.steps = 0
        self._foldable = images and self.precision.quicker and not net.native
        self._lengths: Array | None = None
        """Of the samples that are trained on, where like ones come together."""
        self.most = job.recipe.batch_size
        """Samples that fit into memory at a time; larger batches are computed in parts."""

    @classmethod
    def start(cls, job: Job) -> TorchLearner:
        """With pretrained weights and a new head, ready for epoch 1."""
        where = device(job)
        torch.manual_seed(job.seed)
        net = network(job, weights=True)
        found = _probe.chosen(job, net, where)
        recipe = replace(job.recipe, precision=found or job.recipe.precision)
        learner = cls(replace(job, recipe=recipe), net, where)
        learner.found = found
        return learner

    @classmethod
    def restore(cls, job: Job, folder: Path) -> TorchLearner:
        """With the weights that `save` wrote."""
        where = device(job)
        job = usable(job, where)
        net = network(job, weights=False)
        _state.load_model(net, folder)
        return cls(job, net, where)

    # ---- what is in it ----------------------------------------------------------------------------

    def blocks(self) -> Sequence[str]:
        return self.net.block_names()

    def arrays(self) -> Mapping[str, Mapping[str, Array]]:
        names, numbers = (*self.net.block_names(), HEAD), self.net.block_of()
        found: dict[str, dict[str, Array]] = {name: {} for name in names}
        for name, value in _state.arrays(self.net).items():
            found[names[numbers[name]]][name] = value.numpy()
        return found

    def trainable(self) -> int:
        return sum(parameter.numel() for parameter in self.optimizer.parameters)

    def precision_chosen(self) -> str:
        return self.found

    def on_gpu(self) -> bool:
        return self.device.type != "cpu"

    @property
    def folding(self) -> Folding:
        """What is folded into convolutions. It is looked for when images first go through the trunk."""
        if self.precision.folding is None:
            pairs = _foldable.pairs(self.net, self.job, look=not self.inputs.point) if self._foldable else ()
            if pairs is None:
                return Folding(self.net, ())
            self.precision.folding = Folding(self.net, pairs)
        return self.precision.folding

    def at_a_time(self) -> int:
        """See `Batched`."""
        return _batches.size(self.job.image_size, self.device.type)

    def settles(self) -> bool:
        """See `Settling`."""
        return self.norms.needed

    # ---- training -----------------------------------------------------------------------------------

    def train_epoch(self, feed: Feed, epoch: int, stop: Stop) -> EpochStats:
        begun = self._begin(feed, stop) if epoch == 1 else ""
        if isinstance(begun, EpochStats):
            return begun
        rng = np.random.default_rng((self.job.seed, epoch))
        seed = int(rng.integers(1 << 62))
        torch.manual_seed(seed)  # dropout and torchvision's policies draw from the global generator
        draws = torch.Generator().manual_seed(seed)
        if epoch == 1 or self._lengths is None or len(self._lengths) != len(feed):
            # A head alone has the same batches as on features that are kept, which have no lengths.
            whole = self.net.frozen == len(self.net.blocks)
            self._lengths = None if whole else self.inputs.lengths(feed, training=True)
        self.folding.forget(trained=True)
        order, size = rng.permutation(len(feed)), self.job.recipe.batch_size
        batches = shuffled(order, size, equal=self._equal, lengths=self._lengths, rng=rng)
        total, seen, steps = torch.zeros((), device=self.device, dtype=torch.float64), 0, 0
        self.net.train()
        if not self.net.native and isinstance(self.inputs, Inputs):
            self.prefix.rest()
        for values, targets in self.inputs.batches(feed, batches, targets=True):
            if stop():
                self._settle(feed, self.norms.some(batches[:steps], whole=False), stop)
                return EpochStats(self._mean(total, seen), steps, False, begun)
            if self.inputs.point is None:
                values, targets = self._changed(values, targets, draws, rng)
            at = (epoch - 1) * len(batches) + steps
            self.optimizer.set_step(at, self.epochs * len(batches))
            total += self._step(values, targets) * len(values)
            seen, steps = seen + len(values), steps + 1
        self._settle(feed, self.norms.some(batches, whole=True), stop)
        return EpochStats(self._mean(total, seen), steps, True, begun)

    def _settle(self, feed: Feed, some: Sequence[Array], stop: Stop) -> None:
        """Take statistics of these batches as they are. Where memory ends, they are shown anew in parts."""
        done = not some
        while not done:
            parts = [part for batch in some for part in shuffled(batch, self.most)]
            shown = self.inputs.batches(feed, takewhile(lambda _: not late(stop), parts), targets=False)
            try:
                self.norms.settle((self.inputs.normalise(images) for images, _ in shown), len(parts), self._infer)
                done = True
            except torch.OutOfMemoryError as error:
                self._halve(max(map(len, some)), error)

    def _begin(self, feed: Feed, stop: Stop) -> EpochStats | str:
        """What a trunk can learn from all texts without steps is an epoch of its own: steps are not always better. So
        is a network that already spells, as it came. Else what is to be said of the epoch, as a rule nothing."""
        if self.net.spells and not self.steps:
            return self._as_it_came(feed, stop)
        if self.steps or self.net.frozen or not hasattr(self.net.trunk, "begin"):
            return ""
        found = self.net.trunk.begin(feed, self.job.problem, stop, solve=not self.job.recipe.head_width)
        if found is None or found.head is None:
            return found.said if found else ""
        self.set_head({self.job.problem.outputs[0].name: found.head})
        return EpochStats(found.loss, 1, True, found.said)

    @torch.no_grad()
    def _as_it_came(self, feed: Feed, stop: Stop) -> EpochStats:
        """An epoch without steps, so that what the checkpoint can do is scored."""
        total, seen, count = torch.zeros((), device=self.device, dtype=torch.float64), 0, 0
        batches = shuffled(np.arange(len(feed)), self.job.recipe.batch_size, equal=self._equal)
        self.net.eval()
        for values, targets in self.inputs.batches(feed, batches, targets=True):
            if stop():
                return EpochStats(self._mean(total, seen), count, False, SPELLS)
            total += self.net.loss(values, targets, 0.0, self.precision.cast) * len(values)
            seen, count = seen + len(values), count + 1
        return EpochStats(self._mean(total, seen), count, True, SPELLS)

    def _changed(
        self, images: torch.Tensor, targets: Targets, draws: torch.Generator, rng: np.random.Generator
    ) -> tuple[torch.Tensor, Targets]:
        """A batch augmented, normalised, encoded and mixed."""
        problem, recipe = self.job.problem, self.job.recipe
        if isinstance(self.inputs, Rows):
            values = self.inputs.trunk.changed(images, draws)
            mixes = self.inputs.spoken and self.net.pooled
            return mix(values, targets, problem, recipe, rng) if mixes else (values, targets)
        if self.net.pooled:
            images = self.inputs.normalise(self.augment(images, draws))
            return mix(images, targets, problem, recipe, rng)
        images, targets = move(recipe.augment, images, targets, draws)
        if not problem.encoder:
            return self.inputs.normalise(hide(images, targets)), targets
        arrays = {key: value.cpu().numpy() for key, value in targets.items()}
        made = encoder(problem.encoder)(arrays, self.net.side, self.net.side, problem)
        return self.inputs.normalise(images), {k: torch.from_numpy(v).to(self.device) for k, v in made.items()}

    def set_epochs(self, epochs: float) -> None:
        """Let the schedule end after `epochs` in all, from the next step on."""
        self.epochs = epochs

    def _mean(self, total: torch.Tensor, seen: int) -> float:
        loss = float(total) / max(1, seen)
        if not math.isfinite(loss):
            raise TrialFailed(f"the training loss must be finite, but it is {loss}.", "Lower lr, or clip gradients.")
        return loss

    def _step(self, values: torch.Tensor, targets: Targets) -> torch.Tensor:
        """One step of the optimizer, and its loss. Where memory ends, it computes half at a time."""
        self.norms.before(self.steps, len(values))
        loss = None
        while loss is None:
            try:
                loss = self._gradients(values, targets)
            except torch.OutOfMemoryError as error:
                self.optimizer.zero()
                self._halve(len(values), error)
        if self.device.type == "cpu" and not bool(loss.isfinite()):  # asking a GPU at every step would hold it up
            self._mean(loss, 1)
        self._clip()
        self.optimizer.step(self.precision.scaler)
        if self.precision.scaler:
            self.precision.scaler.update()
        self.optimizer.zero()
        self.steps += 1
        return loss

    def _halve(self, count: int, error: Exception) -> None:
        """So many samples did not fit into memory."""
        self.most = min(self.most, count) // 2
        if self.most < 1:
            raise TrialFailed("one sample must fit into the GPU's memory, but it does not.") from error
        torch.cuda.empty_cache()

    def _gradients(self, values: torch.Tensor, targets: Targets) -> torch.Tensor:
        """Add up the gradients of a batch, computed in parts of at most `most` samples."""
        total = torch.zeros((), device=self.device)
        for first in range(0, len(values), self.most):
            part = slice(first, first + self.most)
            wanted = {key: value[part] for key, value in targets.items()}
            loss = self.net.loss(values[part], wanted, self.job.recipe.label_smoothing, self.precision.cast)
            share = len(values[part]) / len(values)
            self._backward(loss * share)
            total += loss.detach() * share
        return total

    def _backward(self, loss: torch.Tensor) -> None:
        scaler = self.precision.scaler
        (scaler.scale(loss) if scaler else loss).backward()

    def _clip(self) -> None:
        if self.precision.scaler:
            self.precision.scaler.unscale_(self.optimizer.inner)
        if self.job.recipe.clip:
            torch.nn.utils.clip_grad_norm_(self.optimizer.parameters, self.job.recipe.clip)

    # ---- predicting -----------------------------------------------------------------------------------

    def predict(self, feed: Feed) -> dict[str, Array]:
        return self.predict_at(feed, self.inputs.side(feed))

    @torch.inference_mode()
    def predict_at(self, feed: Feed, side: int) -> dict[str, Array]:
        """See `Enlarging`."""
        self.net.eval()
        outputs = self.job.problem.outputs
        found: dict[str, list[Array]] = {o.name: [] for o in outputs}
        indices = [batch for group in self._groups(feed) for batch in group]
        full = self.at_a_time() if self._equal else 0
        with self.folding.whole():
            for values, _ in self.inputs.batches(feed, indices, targets=False):
                shown = values if self.inputs.point else self.inputs.normalise(values)
                raw = _batches.computed(self._infer, shown, full)
                for output in outputs:
                    done = _losses.finish(output, raw[output.name], side)
                    found[output.name].append(done.cpu().numpy())
        if not indices:
            return {o.name: self.net.none(o, side) for o in outputs}
        return {name: in_order(parts, indices) for name, parts in found.items()}

    def _groups(self, feed: Feed) -> list[list[Array]]:
        return windows(len(feed), self.at_a_time(), self.inputs.lengths(feed))

    def _infer(self, values: torch.Tensor) -> dict[str, torch.Tensor]:
        with self.precision.cast():
            raw: dict[str, torch.Tensor] = self.net(values)
        return raw

    @property
    def _equal(self) -> bool:
        """Whether batches should be of one size: convolutions on a GPU (see `_batches`)."""
        maps = self.inputs.point is None or len(self.inputs.point.shape) == 3
        return self.device.type != "cpu" and self.job.image_size > 0 and maps

    # ---- going on from what a frozen prefix gave ------------------------------------------------------

    def cuts(self) -> Sequence[Cut]:
        """None where heads need more than what stands at a cut."""
        return self.prefix.cuts() if self.net.pooled else ()

    def levels(self) -> Cut | None:
        return self.prefix.levels() if self.net.pooled else None

    def extract(self, feed: Feed, cuts: Sequence[Cut], view: View) -> Iterator[list[Array]]:
        """See `Cuttable`. Each sample of an augmented view is drawn from its own seed, so batches do not matter."""
        points = [self.prefix.point(cut) for cut in cuts]
        seeds = np.random.default_rng((view.seed, view.number)).integers(1 << 62, size=len(feed))
        augment = self._fixed(view)
        if self.inputs.point:
            raise ValueError("extract takes images, but a cut is entered: enter(None) first.")
        groups, full = self._groups(feed), self.at_a_time() if self._equal else 0
        batches = self.inputs.batches(feed, [batch for group in groups for batch in group], targets=False)
        for group in groups:
            rows: list[dict[tuple[int, tuple[int, ...]], torch.Tensor]] = []
            for index, (images, _) in zip(group, batches, strict=False):
                self.net.eval()  # whoever takes the batches may train between two of them
                with torch.inference_mode(), self.folding.whole():
                    values = self.inputs.normalise(augment(images, seeds[index].tolist()))
                    rows.append(_batches.computed(lambda part: self.prefix.pick(part, points), values, full))
            yield [in_order([row[point.place].numpy() for row in rows], group) for point in points]

    def _fixed(self, view: View) -> Callable[[torch.Tensor, Sequence[int]], torch.Tensor]:
        """What makes the samples of a view of a batch, each from its seed."""
        if isinstance(self.inputs, Rows):
            return self.inputs.fixed if view.number else lambda values, seeds: values
        policies = POLICIES[self.job.problem.inputs[0]]
        return policies.fixed(view.augment if view.number else "none", self.job.image_size)

    def enter(self, cut: Cut | None) -> None:
        point = None if cut is None else self.prefix.point(cut)
        if point and point.depth > self.net.frozen:
            raise ValueError(
                f"what stands before a cut must be frozen, but {point.depth} blocks stand before this one "
                f"and {self.net.frozen} are frozen."
            )
        self.prefix.enter(point)
        self.inputs.point = point

    @torch.no_grad()
    def set_head(self, values: Mapping[str, tuple[Array, Array]]) -> None:
        for name, (weights, bias) in values.items():
            if name not in self.net.heads:
                raise ValueError(f"an output must be one of {', '.join(self.net.heads)}, but got '{name}'.")
            *before, last = self.net.heads[name]
            if any(isinstance(part, torch.nn.Linear) for part in before):
                raise ValueError(f"the head of '{name}' must be linear, but it has a hidden layer.")
            if weights.shape != tuple(last.weight.shape) or bias.shape != tuple(last.bias.shape):
                raise ValueError(
                    f"the head of '{name}' has weights {tuple(last.weight.shape)} and bias {tuple(last.bias.shape)}, "
                    f"but got {weights.shape} and {bias.shape}."
                )
            last.weight.copy_(torch.from_numpy(np.require(weights, np.float32, ("C", "W"))))
            last.bias.copy_(torch.from_numpy(np.require(bias, np.float32, ("C", "W"))))

    # ---- keeping --------------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        _state.save_model(self.net, self.job.card, folder)

    def inherit(self, folder: Path) -> None:
        _state.load_model(self.net, folder)
        self.folding.forget()

    def save_state(self, folder: Path) -> None:
        """Weights, moments, and how far training has come. Draws and rates follow from seed and epoch."""
        scaler = self.precision.scaler.state_dict() if self.precision.scaler else {}
        facts = {"steps": self.steps, "optimizer": self.job.recipe.optimizer, "scaler": scaler}
        _state.save_state(folder, self.net, self.optimizer.state(), facts)

    def load_state(self, folder: Path) -> None:
        """Take up a state, also of a trial with another recipe: its rates apply from now on (as PBT needs).

        Moments of another optimizer, or of arrays that are frozen here, are left out.
        """
        moments, facts = _state.load_state(folder, self.net)
        self.folding.forget()
        self.steps = int(facts["steps"])
        if facts["optimizer"] == self.job.recipe.optimizer:
            self.optimizer.load(moments)
        if self.precision.scaler and facts["scaler"]:
            self.precision.scaler.load_state_dict(facts["scaler"])
