"""Listens to trials in the driver: logs them, keeps `best/` up to date, tells the screen and the plugins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from autoft.errors import UsageError
from autoft.events import Listener, Note, TrialFinished, TrialReported, TrialStarted
from autoft.pipeline.budget import Budget
from autoft.pipeline.storage import Storage
from autoft.records import EpochReport, TrialResult, TrialSpec
from autoft.registry import Registry
from autoft.run import RunWriter


class Watch:
    """The observer of one search."""

    def __init__(
        self, writer: RunWriter, budget: Budget, listener: Listener, registry: Registry, storage: Storage | None = None
    ) -> None:
        self.writer = writer
        self.storage = storage
        self.budget = budget
        self.listener = listener
        self._observers = {
            name: getattr(registry.manager.hook, name)
            for name in ("autoft_trial_started", "autoft_trial_reported", "autoft_trial_finished")
        }

    def started(self, spec: TrialSpec) -> None:
        self.listener(TrialStarted(spec=spec))
        self._tell("autoft_trial_started", spec=spec)

    def reported(self, number: int, report: EpochReport) -> None:
        self.budget.saw(report)
        self.listener(TrialReported(number=number, report=report))
        self._tell("autoft_trial_reported", number=number, report=report)

    def ended(self, result: TrialResult) -> None:
        result = self._brought(result)
        leads = self.writer.add(result)
        self._prune()
        self.listener(TrialFinished(result=result, best=leads))
        self._tell("autoft_trial_finished", result=result)

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

    def _tell(self, hook: str, **arguments: Any) -> None:
        """Plugins only watch: one that fails is named once and left out from then on."""
        observer: Callable[..., Any] | None = self._observers.get(hook)
        if observer is None:
            return
        try:
            observer(**arguments)
        except Exception as error:
            self._observers.pop(hook)
            self.listener(
                Note(
                    text=f"a plugin's {hook} failed and is not called again: {type(error).__name__}: {error}",
                    level="warning",
                )
            )
