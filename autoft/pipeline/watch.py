"""Listens to trials in the driver: logs them, keeps `best/` up to date, tells the screen and the plugins."""

from __future__ import annotations

from typing import Final

import msgspec

from autoft.errors import UsageError
from autoft.events import Listener, Note, TrialFinished, TrialReported, TrialStarted
from autoft.full import tells_no_room, why
from autoft.observers import Observers
from autoft.pipeline.budget import Budget
from autoft.pipeline.storage import Storage
from autoft.records import EpochReport, TrialResult, TrialSpec, trial_name
from autoft.registry import Registry
from autoft.run import RunWriter

NO_GPU: Final = (
    "trials were given a GPU, but the framework of {backend} sees none and computes on the CPU. Install a build of it "
    "for this GPU, or give --gpus-per-trial 0: then as many trials run at a time as there are cores."
)
LOWER: Final = "{network} is trained in {precision}, which is quicker on this CPU; precision=fp32 keeps it from that"
UNKEPT: Final = (
    "{chosen} was chosen, but its model is not there; that of {best}, which has the best single score, is taken"
)
UNLOGGED: Final = "there was no room to log it"
PATIENCE: Final = 2
"""Trials that may fail in a row for want of room: what the first one had written is freed when it has failed."""


class Watch:
    """The observer of one search."""

    def __init__(
        self,
        writer: RunWriter,
        budget: Budget,
        listener: Listener,
        registry: Registry,
        storage: Storage | None = None,
        *,
        alone: bool = True,
    ) -> None:
        """`alone` says whether all trials run on this machine: then the room that they lack is lacking here."""
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
        self._lower: set[str] = set()
        """Networks of which it was said that they are not computed in fp32."""
        self.full = ""
        """That the run folder cannot be written any more, in words; no further trial is worth beginning then."""
        self.unkept = ""
        """That the model of the trial that was chosen is not there, in words."""
        self.waited = ""
        """Why no trial has started, where none has for long."""
        self._alone, self._told_short = alone, False
        self._without_room = 0
        """Trials in a row that failed for want of room."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the summary should say of how the trials went."""
        return tuple(said for said in (self.full, self.unkept) if said)

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
        if spec and report.precision not in ("", "fp32") and spec.card.name not in self._lower:
            self._lower.add(spec.card.name)
            self.listener(Note(text=LOWER.format(network=spec.card.name, precision=report.precision)))
        self.listener(TrialReported(number=number, report=report))
        self.observers.tell("autoft_trial_reported", number=number, report=report)

    def ended(self, result: TrialResult) -> None:
        result = self._brought(result)
        result, leads = self._kept(result)
        if leads:
            self.budget.leads(result)
        self._prune()
        self.listener(TrialFinished(result=result, best=leads))
        self.observers.tell("autoft_trial_finished", result=result)

    def waiting(self, words: str) -> None:
        """Why no trial starts; an empty word when one has."""
        self.waited = words
        if words:
            self.listener(Note(text=f"no trial could start so far: {words}", level="warning"))

    def choose(self, number: int) -> None:
        """The strategy has decided which trial's model is the result."""
        try:
            if self.writer.choose(number):
                self._prune()
            elif self.writer.best is not None:
                self.unkept = UNKEPT.format(chosen=trial_name(number), best=self.writer.best.name)
                self.listener(Note(text=self.unkept, level="warning"))
        except OSError as error:
            self._stop(why(error))

    def _kept(self, result: TrialResult) -> tuple[TrialResult, bool]:
        """Log it; what it counts as, and whether it leads. A full disk ends the proposing of trials, not the search."""
        short = result.status == "failed" and tells_no_room(result.reason)
        self._without_room = self._without_room + 1 if short else 0
        if self._without_room == PATIENCE:
            self._short(result)
        try:
            return result, self.writer.add(result)
        except OSError as error:
            self._stop(why(error))
        if result in self.writer.results:
            return result, self.writer.best is result
        return msgspec.structs.replace(result, status="failed", score=None, folder="", reason=UNLOGGED), False

    def _short(self, result: TrialResult) -> None:
        """Trials find no room. On a cluster that may be the disk of one node, which is no reason to end a search."""
        if self._alone:
            self._stop(result.reason, "trials find no room to write")
        elif not self._told_short:
            self._told_short = True
            text = f"trials find no room on the node that they ran on, which others may have ({result.reason})"
            self.listener(Note(text=text, level="warning"))

    def _stop(self, reason: str, words: str = "") -> None:
        if self.full:
            return
        self.full = f"no further trial was begun: {words or f'{self.writer.path} cannot be written'} ({reason})"
        self.listener(Note(text=f"{self.full}. The search goes on to its end; free some space", level="warning"))

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
