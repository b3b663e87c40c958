"""`NumpyLearner`: one perceptron in training, its checkpoint and its resumable state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autoft.contracts import EpochStats, Feed, Stop
from autoft.errors import TrialFailed
from autoft.headbank import order
from autoft.recipe import LEVELS
from autoft.records import Cut, Job, Output, View
from autoft.schedule import scheduled_rate
from autoft.testing import numpy_net
from autoft.testing.numpy_losses import apply_post, value_and_gradient
from autoft.testing.numpy_optim import Optimizer, augment, mix
from autoft.vocab import ACTIVATION

Array = np.ndarray[Any, np.dtype[Any]]
FILE = "model.npz"


class NumpyLearner:
    """One perceptron in training."""

    def __init__(self, job: Job, blocks: numpy_net.Blocks) -> None:
        self.job, self._blocks = job, blocks
        names = [*numpy_net.WIDTHS, "head"]
        self._trained = names[round(job.recipe.freeze * len(numpy_net.WIDTHS)) :]
        self._optimizer = Optimizer(job.recipe, blocks, self._trained, job.card.pace)
        self._epochs: float = job.recipe.epochs
        self._cut: Cut | None = None
        self._wide = job.recipe.pooling == LEVELS

    def blocks(self) -> Sequence[str]:
        return tuple(numpy_net.WIDTHS)

    def arrays(self) -> Mapping[str, Mapping[str, Array]]:
        return {block: {key: array.copy() for key, array in arrays.items()} for block, arrays in self._blocks.items()}

    def trainable(self) -> int:
        kept = ("mean", "variance")
        return sum(a.size for name in self._trained for key, a in self._blocks[name].items() if key not in kept)

    def on_gpu(self) -> bool:
        return False

    def train_epoch(self, feed: Feed, epoch: int, stop: Stop) -> EpochStats:
        batches = order(self.job.seed, epoch, len(feed), self.job.recipe.batch_size)
        rng = np.random.default_rng((self.job.seed, epoch, 1))
        total, seen = 0.0, 0
        for step, rows in enumerate(batches):
            if stop():
                return EpochStats(total / max(1, seen), step, False)
            total += self._step(feed.batch(rows), rng) * len(rows)
            seen += len(rows)
        return EpochStats(total / max(1, seen), len(batches), True)

    def set_epochs(self, epochs: float) -> None:
        self._epochs = epochs

    def _step(self, batch: dict[str, Array], rng: np.random.Generator) -> float:
        recipe = self.job.recipe
        if self._cut:
            features, partners, share = batch[ACTIVATION], np.arange(0), 1.0
        else:
            images, partners, share = mix(augment(batch["image"], recipe.augment, rng), recipe, rng)
            features = self._taken(images)
        if "stem" in self._trained:
            numpy_net.observe(self._blocks, features)
        with np.errstate(over="ignore", invalid="ignore"):  # a loss that overflows is reported below, in words
            way = numpy_net.Pass(self._blocks, features, recipe.head_activation, recipe.dropout, rng, self._depth)
            loss, gradients = 0.0, {}
            for output in self.job.problem.outputs:
                targets = _mixed(output, batch[output.target], partners, share)
                value, pull = value_and_gradient(output, way.raw(output.name), targets, recipe.label_smoothing)
                loss += output.weight * value
                gradients[output.name] = output.weight * pull
            if not np.isfinite(loss):
                raise TrialFailed(f"the training loss must be finite, but it is {loss}.", "Try a lower lr.")
            steps = self.job.steps_per_epoch or 1
            lr = scheduled_rate(recipe, self._optimizer.step, steps * self._epochs)
            self._optimizer.update(way.back(gradients), lr)
        return loss

    def predict(self, feed: Feed) -> dict[str, Array]:
        found: dict[str, list[Array]] = {output.name: [] for output in self.job.problem.outputs}
        for first in range(0, max(1, len(feed)), 256):
            rows = np.arange(first, min(len(feed), first + 256))
            batch = feed.batch(rows)
            features = batch[ACTIVATION] if self._cut else self._taken(batch["image"])
            way = numpy_net.Pass(self._blocks, features, self.job.recipe.head_activation, depth=self._depth)
            for output in self.job.problem.outputs:
                found[output.name].append(apply_post(output.post, way.raw(output.name)).astype(np.float32))
        return {name: np.concatenate(parts) for name, parts in found.items()}

    def _features(self, images: Array) -> Array:
        return numpy_net.pool(images, self.job.card.mean, self.job.card.std)

    def _taken(self, images: Array) -> Array:
        """What a `Pass` begins with."""
        features = self._features(images)
        return numpy_net.levels(self._blocks, features) if self._wide else features

    # ---- the frozen prefix ----------------------------------------------------------------------------------

    @property
    def _depth(self) -> int:
        return self._cut.depth if self._cut else len(numpy_net.WIDTHS) if self._wide else 0

    def cuts(self) -> Sequence[Cut]:
        return [Cut(depth=place + 1, shape=(width,)) for place, width in enumerate(numpy_net.WIDTHS.values())]

    def levels(self) -> Cut:
        return Cut(depth=len(numpy_net.WIDTHS), shape=(sum(numpy_net.WIDTHS.values()),))

    def extract(self, feed: Feed, cuts: Sequence[Cut], view: View) -> Iterator[list[Array]]:
        for first in range(0, len(feed), 64):
            rows = np.arange(first, min(len(feed), first + 64))
            images = feed.batch(rows)["image"]
            for place, row in enumerate(rows.tolist()):
                rng = np.random.default_rng((view.seed, view.number, row))
                images[place : place + 1] = augment(images[place : place + 1], view.augment, rng)
            features = self._features(images)
            found = numpy_net.prefix(self._blocks, features, [cut.depth for cut in cuts])
            wide = numpy_net.levels(self._blocks, features)
            yield [wide if cut == self.levels() else rows for cut, rows in zip(cuts, found, strict=True)]

    def enter(self, cut: Cut | None) -> None:
        frozen = len(numpy_net.WIDTHS) + 1 - len(self._trained)
        if cut and cut.depth > frozen:
            raise ValueError(f"{frozen} blocks are frozen, but the cut stands behind {cut.depth}.")
        if cut and (cut == self.levels()) != self._wide:
            raise ValueError(f"a head pooled by {self.job.recipe.pooling} does not stand on a cut {cut.shape}.")
        self._cut = cut

    def set_head(self, values: Mapping[str, tuple[Array, Array]]) -> None:
        head = self._blocks["head"]
        for name, (weights, bias) in values.items():
            wanted = head[f"{name}.weight"].shape
            if "hidden.weight" in head or weights.T.shape != wanted:
                raise ValueError(f"the head must be linear, {wanted}, but got {weights.T.shape}.")
            head[f"{name}.weight"], head[f"{name}.bias"] = weights.T.astype(np.float32), bias.astype(np.float32)

    # ---- keeping --------------------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        write(folder / FILE, {f"{b}/{k}": array for b, arrays in self._blocks.items() for k, array in arrays.items()})

    def assign(self, flat: Mapping[str, Array]) -> None:
        """Take over arrays named block/key."""
        for block, arrays in self._blocks.items():
            for key in arrays:
                arrays[key] = flat[f"{block}/{key}"]

    def inherit(self, folder: Path) -> None:
        self.assign(read(folder / FILE))

    def save_state(self, folder: Path) -> None:
        self.save(folder)
        moments = {"first": self._optimizer.first, "second": self._optimizer.second}
        flat = {f"{kind}:{name}": array for kind, arrays in moments.items() for name, array in arrays.items()}
        write(folder / "state.npz", {"step": np.array(self._optimizer.step), **flat})

    def load_state(self, folder: Path) -> None:
        self.assign(read(folder / FILE))
        state = read(folder / "state.npz")
        self._optimizer.step = int(state.pop("step"))
        for kind, kept in (("first", self._optimizer.first), ("second", self._optimizer.second)):
            kept.update({key.partition(":")[2]: array for key, array in state.items() if key.startswith(kind + ":")})


def _mixed(output: Output, targets: Array, partners: Array, share: float) -> Array:
    if share == 1.0:
        return targets
    if targets.ndim == 1:
        targets = np.eye(output.size, dtype=np.float32)[targets]
    return share * targets + (1 - share) * targets[partners]


def write(path: Path, arrays: Mapping[str, Array]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.savez(file, **dict(arrays))  # type: ignore[arg-type]


def read(path: Path) -> dict[str, Array]:
    """Arrays of a .npz file; a pickle inside is refused."""
    with np.load(path, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}
