"""How the checks of a backend set up their jobs, feeds and learners."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from autoft.contracts import Backend, Feed, Learner
from autoft.recipe import Recipe
from autoft.records import Job, ModelCard, Problem
from autoft.testing import toys
from autoft.testing.contract import Contract
from autoft.testing.toy_task import problem

Array = np.ndarray[Any, np.dtype[Any]]
COUNT = 32
"""Toy samples that the checks train on."""


class BackendBase(Contract):
    """Set `backend` and `card`: a small network that needs no download."""

    backend: ClassVar[type[Backend]]
    card: ModelCard
    size: ClassVar[int] = 32
    """Side of the toy images in pixels."""
    recipe: ClassVar[dict[str, Any]] = {}
    """What this network needs to learn the toys, over the kit's defaults (lr, epochs, ...)."""
    tolerance: ClassVar[float] = 1e-5
    """By how much equal predictions may differ; not 0, since parallel sums are not always in one order."""

    def problem(self) -> Problem:
        """The main problem of the checks; must be supported."""
        return problem()

    def job(self, wanted: Problem | None = None, seed: int = 0, count: int = COUNT, **recipe: Any) -> Job:
        """A job for the toys, with `recipe` over `self.recipe` over plain defaults."""
        plain = {"lr": 3e-3, "epochs": 30, "batch_size": 8, "augment": "none", "warmup": 0.0, "precision": "fp32"}
        chosen = Recipe.of({"model": self.card.name, "image_size": self.size, **plain, **self.recipe, **recipe})
        return Job(
            card=self.card,
            problem=wanted or self.problem(),
            recipe=chosen,
            image_size=self.size,
            seed=seed,
            steps_per_epoch=math.ceil(count / chosen.batch_size),
        )

    def build(self, wanted: Problem | None = None, seed: int = 0, count: int = COUNT, **recipe: Any) -> Learner:
        return self.backend().build(self.job(wanted, seed, count, **recipe))

    def feed(self, wanted: Problem | None = None, count: int = COUNT) -> toys.ArrayFeed:
        return toys.feed(wanted or self.problem(), count, self.size)

    def unsupported(self, wanted: Problem) -> str:
        return self.backend().supports(wanted, self.card)


def never() -> bool:
    """A `Stop` that does not stop."""
    return False


def train(learner: Learner, feed: Feed, epochs: int = 1, first: int = 1) -> list[float]:
    """The loss of each epoch."""
    return [learner.train_epoch(feed, epoch, never).loss for epoch in range(first, first + epochs)]


def same(a: Any, b: Any) -> bool:
    """Bit for bit, so that -0.0 and NaN are told apart."""
    return all(np.asarray(a[key]).tobytes() == np.asarray(b[key]).tobytes() for key in a)


def moved(before: Any, after: Any) -> list[str]:
    """Names of the blocks of which any array changed by a single bit."""
    return [block for block in before if not same(before[block], after[block])]


def close(a: Any, b: Any, tolerance: float) -> bool:
    return set(a) == set(b) and all(np.allclose(a[key], b[key], rtol=tolerance, atol=tolerance) for key in a)


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
