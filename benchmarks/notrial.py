"""What `overhead.py` runs in place of a trial, in a module of its own: a worker then imports nothing else for it."""

from __future__ import annotations

from pathlib import Path

from autoft.records import EpochReport, TrialSpec


class NoTrial:
    """A trial that reports and does nothing else."""

    def __init__(self, spec: TrialSpec) -> None:
        self.epochs = spec.recipe.epochs
        self.epoch = 0

    def step(self) -> EpochReport:
        self.epoch += 1
        done = "epochs done" if self.epoch == self.epochs else ""
        return EpochReport(
            epoch=self.epoch, score=0.5, metrics={"accuracy": 0.5}, train_loss=1.0, seconds=0.0, done=done
        )

    def save_state(self, folder: Path) -> None: ...

    def load_state(self, folder: Path) -> None: ...
