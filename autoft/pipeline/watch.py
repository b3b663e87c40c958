"""Listens to trials in the driver: logs them, keeps `best/` up to date, tells the screen and the plugins."""

from __future__ import annotations

from typing import Final

import msgspec

from autoft.errors import UsageError
from autoft.events import Listener, Note, TrialFinished, TrialReported, TrialStarted
from autoft.observers import Observers
from autoft.pipeline.budget import Budget
from autoft.pipeline.storage import Storage
from autoft.records import EpochReport, TrialResult, TrialSpec
from autoft.registry import Registry
from autoft.run import RunWriter

NO_GPU: Final = (
    "trials were given a GPU, but the framework of {backend} sees none and computes on the CPU. Install a build of it "
    "for this GPU, or give --gpus-per-trial 0: then as many trials run at a time as there are cores."
)


class Watch:
    """The observer of one search."""

    def __init__(
        self, writer: RunWriter, budget: Budget, listener: Listener, registry: Registry, storage: Storage | None = None
    ) -> None:
        self.writer = writer
        self.storage = storage
        self.budget = budget
        self.listener = listener
        self.observers = Observers(registry, listener)
        self.specs: dict[int, TrialSpec] = {}
        """Of each trial that has started."""
        self._without_gpu: set[str] = set()
        """Backends of which it was said that they see no GPU."""
        self._said = False
        """Whether something that a learner had to say was told: others say much the same."""

    def started(self, spec: TrialSpec) -> None:
        self.specs[spec.number] = spec
        self.listener(TrialStarted(spec=spec))
        self.observers.tell("autoft_trial_started", spec=spec)

    def reported(self, number: int, report: EpochReport) -> None:
        spec = self.specs.get(number)
        backend = spec.backend if spec else ""
        self.budget.saw(report, backend)
        if spec:
            self.writer.saw(spec, report)
        if report.gpu_missed and backend not in self._without_gpu:
            self._without_gpu.add(backend)
            self.listener(Note(text=NO_GPU.format(backend=backend), level="warning"))
        if report.said and not self._said:
            self._said = True
            self.listener(Note(text=f"{spec.name if spec else backend}: {report.said}"))
        self.listener(TrialReported(number=number, report=report))
        self.observers.tell("autoft_trial_reported", number=number, report=report)

    def ended(self, result: TrialResult) -> None:
        result = self._brought(result)
        leads = self.writer.add(result)
        if leads:
            self.budget.leads(result)
        self._prune()
        self.listener(TrialFinished(result=result, best=leads))
        self.observers.tell("autoft_trial_finished", result=result)

    def choose(self, number: int) -> None:
        """The strategy has decided which trial's model is the result."""
        self.writer.choose(number)

    def _brought(self, result: TrialResult) -> TrialResult:
        """The result with its model on this machine. One that cannot be copied costs its trial the lead, no more."""
        if self.storage is None:
            return result
        try:
            brought = self.storage.bring(self.writer, result)
        except UsageError as error:
            self.listener(Note(text=f"the model of {result.name} is left out: {error}", level="warning"))
            return msgspec.structs.replace(result, folder="")
        self.budget.transfer = self.storage.seconds
        return brought

    def _prune(self) -> None:
        try:
            if self.storage is not None:
                self.storage.prune(self.writer)
        except UsageError as error:
            self.listener(Note(text=f"a model that is no longer needed stays: {error}", level="warning"))
