"""`NumpyBackend`: a real backend without a framework, on which tasks and the search are tested in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from autoft.errors import TrialFailed, UsageError
from autoft.records import Job, ModelCard, Output, Problem
from autoft.testing import numpy_net
from autoft.testing.numpy_learner import FILE, NumpyLearner, read
from autoft.testing.numpy_losses import LOSSES, value_and_gradient

Array = np.ndarray[Any, np.dtype[Any]]

CARD: Final = ModelCard(
    name="numpy/mlp",
    backend="numpy",
    modality="image",
    params=numpy_net.GRID**2 * 3 * 64 + 64 + 64 * 48 + 48 + 48 * 32 + 32,
    input_size=32,
    min_size=numpy_net.GRID,
    mean=(0.5, 0.5, 0.5),
    std=(0.25, 0.25, 0.25),
    offline=True,
    licence="Apache-2.0",
    source="autoft",
    summary="Perceptron over 8 x 8 pixels, for tests",
)


class NumpyModels:
    """The source of `numpy/mlp`."""

    prefix = "numpy"

    def catalogue(self) -> Sequence[ModelCard]:
        return (CARD,)

    def resolve(self, name: str) -> ModelCard | None:
        if name.startswith("numpy/") and name != CARD.name:
            raise UsageError(f"there is no model '{name}'. Did you mean '{CARD.name}'?")
        return CARD if name == CARD.name else None

    def reachable(self) -> str:
        return ""

    def fetch(self, card: ModelCard) -> ModelCard:
        return card


class NumpyBackend:
    """Trains `numpy/mlp` on images with pooled heads."""

    name = "numpy"
    distributions = ("numpy",)
    abilities = ("cut", "inherit", "levels")

    def supports(self, problem: Problem, card: ModelCard) -> str:
        if card.backend != self.name:
            return f"the model belongs to the backend '{card.backend}'"
        if problem.inputs != ("image",):
            return f"takes image, not {', '.join(problem.inputs)}"
        for output in problem.outputs:
            if output.head != "pooled":
                return f"has no {output.head} head"
            if output.loss not in LOSSES:
                return f"has no {output.loss} loss"
            if output.post not in ("softmax", "sigmoid", "identity"):
                return f"has no {output.post} post"
        return ""

    def build(self, job: Job) -> NumpyLearner:
        reason = self.supports(job.problem, job.card)
        if reason:
            raise TrialFailed(f"numpy cannot train {job.card.name} on '{job.problem.name}': {reason}.")
        return NumpyLearner(job, numpy_net.start(job))

    def load(self, job: Job, folder: Path) -> NumpyLearner:
        learner = self.build(job)
        learner.assign(read(folder / FILE))
        return learner

    def loss(self, output: Output, raw: Array, targets: Array, label_smoothing: float = 0.0) -> float:
        return value_and_gradient(output, raw.astype(np.float64), targets, label_smoothing)[0]
