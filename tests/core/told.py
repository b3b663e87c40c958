"""A backend that does as its recipe says: which accuracy each epoch gives, and how long a step takes on a clock."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from autoft.api import Entry, EpochStats, ModelCard, hookimpl

CARD = ModelCard(name="told/net", backend="told", modality="image", input_size=32, offline=True)
PLAIN = ModelCard(name="told/plain", backend="told", modality="image", input_size=32, offline=True)
"""Its learners can neither be paused nor rescheduled."""
BUILT: list[Plain] = []
"""Every learner of the running test, in the order in which they were built."""


class Clock:
    """Stands in for the module `time`."""

    now = 1000.0

    def time(self) -> float:
        return self.now


CLOCK = Clock()


class Backend:
    name = "told"
    distributions = ("numpy",)

    def supports(self, problem, card):
        return "" if problem.outputs[0].head == "pooled" else f"has no {problem.outputs[0].head} head"

    def build(self, job):
        BUILT.append((Plain if job.card.name == PLAIN.name else Learner)(job))
        return BUILT[-1]

    def load(self, job, folder):
        learner = Learner(job)
        learner.epoch = json.loads((folder / "model.json").read_text())["epoch"]
        return learner

    def loss(self, output, raw, targets, label_smoothing=0.0):
        raise NotImplementedError


class Plain:
    """`extra` of its recipe: scores="0.2,0.5" (accuracy by epoch), step_seconds, predict_seconds, loss."""

    def __init__(self, job):
        self.job, self.said = job, job.recipe.extra
        self.epoch, self.steps, self.planned = 0, 0, 0
        self.plans = []
        self.fails_to_save = False

    def blocks(self):
        return ()

    def arrays(self):
        return {}

    def trainable(self):
        return 0

    def train_epoch(self, feed, epoch, stop):
        self.epoch, whole = epoch, math.ceil(len(feed) / self.job.recipe.batch_size)
        for step in range(whole):
            if stop():
                return EpochStats(1.0, step, False)
            CLOCK.now += float(self.said.get("step_seconds", 0.0))
            self.steps += 1
        return EpochStats(float(self.said.get("loss", 1.0)), whole, True)

    def predict(self, feed):
        CLOCK.now += float(self.said.get("predict_seconds", 0.0))
        scores = [float(word) for word in str(self.said.get("scores", "0.5")).split(",")]
        score = scores[min(self.epoch, len(scores)) - 1]
        size = self.job.problem.outputs[0].size
        if math.isnan(score):
            return {"label": np.full((len(feed), size), np.nan, np.float32)}
        truth = feed.batch(np.arange(len(feed)))["label"]
        right = np.arange(len(feed)) < round(score * len(feed))
        return {"label": np.eye(size, dtype=np.float32)[np.where(right, truth, (truth + 1) % size)]}

    def save(self, folder: Path):
        (folder / "model.json").write_text(json.dumps({"epoch": self.epoch}))
        if self.fails_to_save:
            raise OSError("the disk is full")


class Learner(Plain):
    """The same, with every ability."""

    def save_state(self, folder: Path):
        (folder / "steps").write_text(str(self.steps))

    def load_state(self, folder: Path):
        self.steps = int((folder / "steps").read_text())

    def set_epochs(self, epochs):
        self.planned = epochs
        self.plans.append((self.steps, epochs))


@hookimpl
def autoft_backends():
    yield Entry(name="told", target=f"{__name__}:Backend")
