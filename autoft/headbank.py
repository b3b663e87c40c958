"""Many linear heads trained at once by steps, on the same minibatches of kept features: one product for all.

For heads whose learning rate, decay or optimizer is searched; those that need no steps are solved (`autoft.heads`).
Each head is trained as a backend would train it: decay is decoupled for adamw and sgd and in the gradient for adam, on
weights but not on biases; L1 is a proximal step; gradients are clipped by the head's own norm. Dropout leaves out the
same features for all heads of a step: what it does to each of them is the same as if it were drawn for that one alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from autoft.contracts import Stop
from autoft.heads import Head
from autoft.heads.encode import Targets, encode, log_softmax, sigmoid
from autoft.recipe import Recipe
from autoft.records import Output, Problem
from autoft.schedule import scheduled_rate
from autoft.vocab import POSTS

Array = np.ndarray[Any, np.dtype[Any]]

CACHE = 1 << 20
"""Bytes of one array of weights that is worked on at a time: with its moments it stays near the core."""
BETAS, EPSILON = (0.9, 0.999), 1e-8
LOSSES = ("cross_entropy", "binary_cross_entropy", "mse")


class BankEpoch(NamedTuple):
    """What one epoch gave."""

    losses: Array
    """(heads,): mean training loss over the samples seen."""
    steps: int
    complete: bool


def refusal(recipe: Recipe, problem: Problem) -> str:
    """Why a head of this recipe cannot be trained beside others, or empty if it can."""
    if len(problem.outputs) != 1:
        return f"heads train side by side for one output, but '{problem.name}' has {len(problem.outputs)}"
    (output,) = problem.outputs
    for word, value, known in (
        ("head", output.head, ("pooled",)),
        ("loss", output.loss, LOSSES),
        ("post", output.post, POSTS),
    ):
        if value not in known:
            return (
                f"the {word} of heads side by side must be one of {', '.join(known)}, but '{output.name}' has {value}"
            )
    if recipe.optimizer == "solve":
        return "optimizer=solve takes no steps"
    for key, wanted in (("freeze", 1.0), ("head_width", 0), ("mixup", 0.0), ("cutmix", 0.0)):
        if (value := getattr(recipe, key)) != wanted:
            return f"heads that train side by side need {key}={wanted:g}, but it is {value:g}"
    if recipe.extra:
        return f"what a plugin makes of {', '.join(recipe.extra)} is not known here"
    return ""


class HeadBank:
    """Linear heads of one output, each with its own recipe; batch size, dropout and seed are shared.

    Args:
        recipes: one per head; what concerns the backbone or a hidden layer counts for nothing.
        width: of the features.
        batch_size: samples per step.
        start: what each head starts from; small random weights where None.
    """

    def __init__(
        self,
        recipes: Sequence[Recipe],
        output: Output,
        width: int,
        batch_size: int,
        seed: int = 0,
        start: Sequence[Head] | None = None,
    ) -> None:
        self.recipes, self.output, self.batch_size, self.seed = list(recipes), output, batch_size, seed
        self.dropout = self.recipes[0].dropout
        self._goal: tuple[Array, Targets] | None = None
        first = np.random.default_rng(seed).normal(0, 0.01, (output.size, width))
        heads = start or [Head(first.astype(np.float32), np.zeros(output.size, np.float32))] * len(self.recipes)
        words = [recipe.optimizer for recipe in self.recipes]
        most = max(1, CACHE // (4 * (width + 1) * output.size))
        self._groups: list[_Group] = []
        for word in sorted(set(words)):
            numbers = [number for number, other in enumerate(words) if other == word]
            for begin in range(0, len(numbers), most):
                self._add(numbers[begin : begin + most], heads)

    def _add(self, numbers: list[int], heads: Sequence[Head]) -> None:
        chosen = [self.recipes[number] for number in numbers]
        self._groups.append(_Group(numbers, chosen, self.output.size, [heads[number] for number in numbers]))

    def __len__(self) -> int:
        return len(self.recipes)

    def train_epoch(self, features: Array, targets: Array, epoch: int, stop: Stop) -> BankEpoch:
        """One pass in the order that `Learner.train_epoch` describes; `epoch` counts from 1.

        A head whose numbers overflow has a loss that is not finite from there on; the others are not touched by it.

        Args:
            features: float32 (n, width).
            targets: as `Task.encode` gives them.
        """
        goal = self._encoded(targets)
        rows = features if goal.kept.all() else features[goal.kept]
        batches = order(self.seed, epoch, len(rows), self.batch_size)
        losses, seen = np.zeros(len(self.recipes)), 0
        draws = np.random.default_rng((self.seed, epoch, 1))  # not what the order of samples is drawn from
        for step, index in enumerate(batches):
            if stop():
                return BankEpoch(losses / max(1, seen), step, False)
            batch = _with_one(dropped(rows[index], self.dropout, draws))
            wanted = goal.values[index].astype(np.float32)
            at = (epoch - 1) * len(batches) + step
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                for group in self._groups:
                    group.set_rates(at, len(batches))
                    losses[group.numbers] += len(index) * group.step(batch, wanted, self.output, goal.loss)
            seen += len(index)
        return BankEpoch(losses / max(1, seen), len(batches), True)

    def keep(self, numbers: Sequence[int]) -> None:
        """Train these heads alone from now on. The others stay as they are no more: losses are 0, `head` fails."""
        wanted = set(numbers)
        self._groups = [group for group in self._groups if group.keep(wanted)]

    def plan(self, epochs: int) -> None:
        """From the next epoch on, rates fall as if `epochs` had been planned at most (as `Reschedulable` does)."""
        shorter = [msgspec.structs.replace(r, epochs=min(r.epochs, epochs)) for r in self.recipes]
        self.recipes = shorter
        for group in self._groups:
            group.recipes = [shorter[number] for number in group.numbers]

    def _encoded(self, targets: Array) -> Targets:
        if self._goal is None or self._goal[0] is not targets:
            self._goal = targets, encode(self.output, targets)
        return self._goal[1]

    def each(self, features: Array) -> Iterator[tuple[int, Array]]:
        """The raw outputs (n, size) of every head that is trained, with its number; not all at once in memory."""
        batch = _with_one(features)
        for group in self._groups:
            with np.errstate(over="ignore", invalid="ignore"):
                found = group.raw(batch)
            for place, number in enumerate(group.numbers):
                yield number, found[:, place]

    def raw(self, features: Array) -> Array:
        """Raw outputs (heads, n, size)."""
        found = np.empty((len(self.recipes), len(features), self.output.size), np.float32)
        batch = _with_one(features)
        for group in self._groups:
            found[group.numbers] = group.raw(batch).transpose(1, 0, 2)
        return found

    def head(self, number: int) -> Head:
        """One head as it is now."""
        group = next(group for group in self._groups if number in group.numbers)
        return group.head(group.numbers.index(number))

    def heads(self) -> list[Head]:
        """The heads as they are now."""
        return [self.head(number) for number in range(len(self.recipes))]


def dropped(features: Array, share: float, draws: np.random.Generator) -> Array:
    """Features without a drawn share of them; the others are larger, so that sums stay what they were in the mean."""
    if not share:
        return features
    kept = draws.random(features.shape, np.float32) >= share
    return features * (kept / np.float32(1 - share))


def _with_one(features: Array) -> Array:
    """A column of ones, so that biases are part of the weights."""
    return np.concatenate([features, np.ones((len(features), 1), np.float32)], axis=1)


class _Group:
    """Heads with the same optimizer, side by side: weights (width + 1, heads * size), the last row biases."""

    def __init__(self, numbers: list[int], recipes: list[Recipe], size: int, heads: list[Head]) -> None:
        self.numbers, self.size = numbers, size
        self.weights = np.concatenate([np.vstack([h.weights.T, h.bias]) for h in heads], axis=1).astype(np.float32)
        self.first = np.zeros_like(self.weights)
        self.second = np.zeros_like(self.weights) if recipes[0].optimizer != "sgd" else self.first
        self.scratch = np.empty_like(self.weights)
        self.steps = 0
        self._take(recipes)

    def _take(self, recipes: list[Recipe]) -> None:
        """What the steps need of the recipes, one value per head or, wide, per column of the weights."""
        self.recipes = recipes
        self.rates = np.zeros(len(recipes), np.float32)
        self.smoothing = self._each("label_smoothing")[None, :, None]
        self.most = self._each("clip")
        self.decay, self.sparse = self._wide(self._each("weight_decay")), self._wide(self._each("l1"))
        self.momentum, self.ahead = self._wide(self._each("momentum")), self._wide(self._each("nesterov") > 0)

    def _each(self, key: str) -> Array:
        return np.array([getattr(recipe, key) for recipe in self.recipes], np.float32)

    def _wide(self, values: Array) -> Array:
        """One value per head as one per column of the weights."""
        return np.repeat(values, self.size)

    def set_rates(self, at: int, steps: int) -> None:
        """The learning rate of each head at step `at`, both counted over all epochs."""
        self.rates = np.array(
            [scheduled_rate(recipe, at, recipe.epochs * steps) for recipe in self.recipes], np.float32
        )

    def raw(self, batch: Array) -> Array:
        """(n, heads, size)."""
        values: Array = (batch @ self.weights).reshape(len(batch), len(self.recipes), self.size)
        return values

    def head(self, place: int) -> Head:
        part = self.weights[:, place * self.size : (place + 1) * self.size]
        return Head(part[:-1].T.copy(), part[-1].copy())

    def keep(self, wanted: set[int]) -> bool:
        """Leave out all other heads; whether any is left."""
        kept = [place for place, number in enumerate(self.numbers) if number in wanted]
        if 0 < len(kept) < len(self.numbers):
            columns = np.concatenate([np.arange(place * self.size, (place + 1) * self.size) for place in kept])
            shared = self.second is self.first
            self.weights, self.first = self.weights[:, columns], self.first[:, columns]
            self.second = self.first if shared else self.second[:, columns]
            self.scratch = np.empty_like(self.weights)
            self.numbers = [self.numbers[place] for place in kept]
            self._take([self.recipes[place] for place in kept])
        return bool(kept)

    def step(self, batch: Array, wanted: Array, output: Output, loss: str) -> Array:
        """One step of all heads; gives the loss of each."""
        losses, pull = _loss(self.raw(batch), wanted[:, None], self.smoothing, output, loss)
        gradient = np.matmul(batch.T, pull.reshape(len(batch), -1), out=self.scratch)
        self.steps += 1
        decay, rates, word = self.decay, self._wide(self.rates), self.recipes[0].optimizer
        self._clip(gradient)
        if word == "adam" and decay.any():
            gradient[:-1] += decay * self.weights[:-1]
        elif decay.any():
            self.weights[:-1] *= 1 - rates * decay
        if word == "sgd":
            self._descend(gradient, rates)
        else:
            self._adapt(gradient, rates)
        self._shrink(rates * self.sparse)
        return losses

    def _clip(self, gradient: Array) -> None:
        if self.most.any():
            norms = np.sqrt(np.square(gradient).sum(0).reshape(-1, self.size).sum(1))
            factors = np.where(self.most > 0, np.minimum(1, self.most / (norms + 1e-6)), 1)
            if (factors < 1).any():
                gradient *= self._wide(factors.astype(np.float32))

    def _descend(self, gradient: Array, rates: Array) -> None:
        self.first *= self.momentum
        self.first += gradient
        way = self.first
        if self.ahead.any():
            way = np.where(self.ahead, gradient + self.momentum * self.first, self.first)
        self.weights -= rates * way

    def _adapt(self, gradient: Array, rates: Array) -> None:
        """Adam (Kingma and Ba, 2015). Overwrites the gradient."""
        one, two = BETAS
        self.first *= one
        self.first += (1 - one) * gradient
        self.second *= two
        np.square(gradient, out=gradient)
        gradient *= 1 - two
        self.second += gradient
        np.sqrt(self.second, out=gradient)
        gradient *= 1 / math.sqrt(1 - two**self.steps)
        gradient += EPSILON
        np.divide(self.first, gradient, out=gradient)
        gradient *= rates / (1 - one**self.steps)
        self.weights -= gradient

    def _shrink(self, by: Array) -> None:
        if by.any():
            inner = self.weights[:-1]
            inner[:] = np.sign(inner) * np.maximum(np.abs(inner) - by, 0)


def _loss(raw: Array, wanted: Array, smoothing: Array, output: Output, word: str) -> tuple[Array, Array]:
    """Loss of each head (heads,), and the gradient in its raw outputs (n, heads, size)."""
    weights = np.asarray(output.class_weights or np.ones(output.size), np.float32)
    if word == "cross_entropy":
        spread = weights * (wanted * (1 - smoothing) + smoothing / output.size)
        mass, logs = float((weights * wanted).sum()), log_softmax(raw)
        pull = np.exp(logs) * spread.sum(-1, keepdims=True) - spread
        return -np.einsum("nhc,nhc->h", spread, logs) / mass, pull / np.float32(mass)
    share = weights / weights.sum() / np.float32(len(raw))
    if word == "mse":
        far = raw - wanted
        return np.einsum("nhc,c->h", far**2, share), 2 * share * far
    smooth = wanted * (1 - smoothing) + smoothing / 2
    terms = np.logaddexp(0, raw) - raw * smooth
    return np.einsum("nhc,c->h", terms, share), share * (sigmoid(raw) - smooth)


def order(seed: int, epoch: int, count: int, size: int) -> list[Array]:
    """Rows of each minibatch of an epoch: see `Learner.train_epoch`."""
    rng = np.random.default_rng((seed, epoch))
    rng.integers(1 << 62)  # the seed of what else is drawn
    rows = rng.permutation(count)
    return list(np.array_split(rows, max(1, math.ceil(count / size))))
