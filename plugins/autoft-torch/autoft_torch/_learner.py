"""`TorchLearner`: one network in training, or trained."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from autoft.api import EpochStats, Feed, Job, Stop, TrialFailed
from autoft_torch import _losses, _optim, _state
from autoft_torch._augment import policy
from autoft_torch._inputs import Inputs
from autoft_torch._mix import mix
from autoft_torch._net import HEAD, Net
from autoft_torch._norms import Norms
from autoft_torch._precision import Precision, device

Array = np.ndarray[Any, np.dtype[Any]]
Targets = dict[str, torch.Tensor]

#: Pixels in one batch of predictions.
PREDICT_PIXELS = 64 * 224 * 224


class TorchLearner:
    """One network with its head, optimizer and schedule. Implements `Learner`, `Resumable` and `Reschedulable`."""

    def __init__(self, job: Job, net: Net, where: torch.device) -> None:
        self.job, self.device = job, where
        self.net = net.to(where, memory_format=torch.channels_last)
        self.inputs = Inputs(job, where)
        self.precision = Precision(job.recipe.precision, where)
        self.optimizer = _optim.Optimizer(net, job.recipe)
        self.norms = Norms(net, scratch=not job.card.pretrained)
        self.augment = policy(job.recipe.augment, job.image_size)
        self.epochs = job.recipe.epochs
        self.steps = 0
        self.most = job.recipe.batch_size
        """Samples that fit into memory at a time; larger batches are computed in parts."""

    @classmethod
    def start(cls, job: Job) -> TorchLearner:
        """With pretrained weights and a new head, ready for epoch 1."""
        where = device(job)
        torch.manual_seed(job.seed)
        return cls(job, Net.of(job, weights=True), where)

    @classmethod
    def restore(cls, job: Job, folder: Path) -> TorchLearner:
        """With the weights that `save` wrote."""
        where = device(job)
        net = Net.of(job, weights=False)
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

    # ---- training -----------------------------------------------------------------------------------

    def train_epoch(self, feed: Feed, epoch: int, stop: Stop) -> EpochStats:
        rng = np.random.default_rng((self.job.seed, epoch))
        seed = int(rng.integers(1 << 62))
        torch.manual_seed(seed)  # dropout and torchvision's policies draw from the global generator
        draws = torch.Generator().manual_seed(seed)
        batches = _split(rng.permutation(len(feed)), self.job.recipe.batch_size)
        total, seen, steps = torch.zeros((), device=self.device, dtype=torch.float64), 0, 0
        self.net.train()
        for images, targets in self.inputs.batches(feed, batches, targets=True):
            if stop():
                return EpochStats(self._mean(total, seen), steps, False)
            values = self.inputs.normalise(self.augment(images, draws))
            values, targets = mix(values, targets, self.job.problem, self.job.recipe, rng)
            at = (epoch - 1) * len(batches) + steps
            self.optimizer.set_rate(_optim.rate(self.job.recipe, at, self.epochs * len(batches)))
            total += self._step(values, targets) * len(values)
            seen, steps = seen + len(values), steps + 1
        return EpochStats(self._mean(total, seen), steps, True)

    def set_epochs(self, epochs: int) -> None:
        """Let the schedule end after `epochs` in all, from the next epoch on."""
        self.epochs = epochs

    def _mean(self, total: torch.Tensor, seen: int) -> float:
        loss = float(total) / max(1, seen)
        if not math.isfinite(loss):
            raise TrialFailed(f"the training loss must be finite, but it is {loss}.", "Lower lr, or clip gradients.")
        return loss

    def _step(self, images: torch.Tensor, targets: Targets) -> torch.Tensor:
        """One step of the optimizer, and its loss. Where memory ends, it computes half at a time."""
        self.norms.before(self.steps, len(images))
        loss = None
        while loss is None:
            try:
                loss = self._gradients(images, targets)
            except torch.OutOfMemoryError as error:
                self.optimizer.zero()
                self.most = min(self.most, len(images)) // 2
                if self.most < 1:
                    raise TrialFailed("one sample must fit into the GPU's memory, but it does not.") from error
                torch.cuda.empty_cache()
        if self.device.type == "cpu" and not bool(loss.isfinite()):  # asking a GPU at every step would hold it up
            self._mean(loss, 1)
        self._clip()
        self.optimizer.step(self.precision.scaler)
        if self.precision.scaler:
            self.precision.scaler.update()
        self.optimizer.zero()
        self.steps += 1
        return loss

    def _gradients(self, images: torch.Tensor, targets: Targets) -> torch.Tensor:
        """Add up the gradients of a batch, computed in parts of at most `most` samples."""
        total = torch.zeros((), device=self.device)
        for first in range(0, len(images), self.most):
            part = slice(first, first + self.most)
            with self.precision.cast():
                raw = self.net(images[part])
            loss = self._loss(raw, {key: values[part] for key, values in targets.items()})
            share = len(images[part]) / len(images)
            self._backward(loss * share)
            total += loss.detach() * share
        return total

    def _backward(self, loss: torch.Tensor) -> None:
        scaler = self.precision.scaler
        (scaler.scale(loss) if scaler else loss).backward()

    def _loss(self, raw: Mapping[str, torch.Tensor], targets: Targets) -> torch.Tensor:
        smoothing = self.job.recipe.label_smoothing
        outputs = self.job.problem.outputs
        return torch.stack(
            [o.weight * _losses.loss(o, raw[o.name], targets[o.target], smoothing) for o in outputs]
        ).sum()

    def _clip(self) -> None:
        if self.precision.scaler:
            self.precision.scaler.unscale_(self.optimizer.inner)
        if self.job.recipe.clip:
            torch.nn.utils.clip_grad_norm_(self.optimizer.parameters, self.job.recipe.clip)

    # ---- predicting -----------------------------------------------------------------------------------

    @torch.inference_mode()
    def predict(self, feed: Feed) -> dict[str, Array]:
        self.net.eval()
        outputs = self.job.problem.outputs
        found: dict[str, list[Array]] = {o.name: [np.zeros((0, o.size), np.float32)] for o in outputs}
        size = max(1, min(512, PREDICT_PIXELS // self.job.image_size**2))
        indices = [np.arange(first, min(first + size, len(feed))) for first in range(0, len(feed), size)]
        for images, _ in self.inputs.batches(feed, indices, targets=False):
            raw = self._infer(self.inputs.normalise(images))
            for output in outputs:
                found[output.name].append(_losses.finish(output, raw[output.name]).cpu().numpy())
        return {name: np.concatenate(parts) for name, parts in found.items()}

    def _infer(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        try:
            with self.precision.cast():
                raw: dict[str, torch.Tensor] = self.net(images)
            return raw
        except torch.OutOfMemoryError as error:
            if len(images) == 1:
                raise TrialFailed("one sample must fit into the GPU's memory, but it does not.") from error
        torch.cuda.empty_cache()
        halves = [self._infer(half) for half in images.tensor_split(2)]
        return {name: torch.cat([half[name] for half in halves]) for name in halves[0]}

    # ---- keeping --------------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        _state.save_model(self.net, self.job.card, folder)

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
        self.steps = int(facts["steps"])
        if facts["optimizer"] == self.job.recipe.optimizer:
            self.optimizer.load(moments)
        if self.precision.scaler and facts["scaler"]:
            self.precision.scaler.load_state_dict(facts["scaler"])


def _split(order: Array, size: int) -> list[Array]:
    """Batches of nearly equal size, at most `size`, so that no small remainder upsets batch statistics."""
    return list(np.array_split(order, math.ceil(len(order) / size))) if len(order) else []
