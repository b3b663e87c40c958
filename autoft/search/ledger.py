"""What is known of the trials of a search: every one begins once, and ends once."""

from __future__ import annotations

import math

import msgspec

from autoft import artifact, shelf
from autoft.errors import UsageError
from autoft.records import EpochReport, TrialSpec, TrialStatus
from autoft.search.outcome import Failure, result_of
from autoft.search.settings import Observer


class Ledger:
    """Keeps the reports of all trials, and tells the observer."""

    def __init__(self, observer: Observer) -> None:
        self.observer = observer
        self.specs: dict[int, TrialSpec] = {}
        self.reports: dict[int, list[EpochReport]] = {}
        self.ended: set[int] = set()

    def begin(self, number: int) -> None:
        """A trial runs. Those that are paused or tried again are told of once."""
        if number not in self.reports:
            self.reports[number] = []
            self.observer.started(self.specs[number])

    def report(self, number: int, report: EpochReport) -> None:
        self.reports[number].append(report)
        self.observer.reported(number, report)

    def begin_again(self, number: int, epoch: int = 0) -> None:
        """What an attempt that was lost had reported after this epoch does not count. One that was lost before it was
        heard of has not begun."""
        if number in self.reports:
            self.reports[number] = [report for report in self.reports[number] if report.epoch <= epoch]

    def end(self, number: int, status: TrialStatus, reason: str, traceback: str = "") -> None:
        if number in self.ended:
            return
        self.ended.add(number)
        reports = self.reports.get(number, [])
        result = result_of(self.specs[number], reports, status, reason, traceback)
        self.observer.ended(result)

    def fail(self, number: int, failure: Failure) -> None:
        """A trial has failed. Of one whose process died, the model that it has kept counts with its score, as it does
        where a whole search is cut off."""
        kept = _kept(self.specs[number]) if failure.lost and number not in self.ended else None
        if kept is None:
            self.end(number, "failed", failure.reason, failure.traceback)
            return
        self.ended.add(number)
        reports = [one for one in self.reports.get(number, []) if one.epoch <= kept.epoch]
        result = result_of(self.specs[number], reports, "stopped", f"lost: {failure.reason}", failure.traceback)
        last = reports[-1] if reports and reports[-1].score == kept.score else None
        self.observer.ended(
            msgspec.structs.replace(
                result,
                recipe=kept.recipe,
                score=kept.score,
                metrics=last.metrics if last else {},
                combined=last.combined if last else None,
                finer=last.finer if last else None,
                best_epoch=kept.epoch,
                epochs=max(kept.epoch, result.epochs),
                folder=self.specs[number].folder,
                reason=f"lost: {failure.reason}",
            )
        )

    def end_the_rest(self, reason: str) -> None:
        """Close trials that were still running when the search was stopped."""
        for number in sorted(set(self.reports) - self.ended):
            self.end(number, "stopped", reason)


def _kept(spec: TrialSpec) -> artifact.Config | None:
    """What says of the model that a trial has kept, if it has one that validation has scored."""
    try:
        found = shelf.kept(spec.folder) if spec.folder else None
    except UsageError:  # the bucket, or what lies there, cannot be read: then it is no model
        return None
    scored = found is not None and found.trial == spec.name and found.score is not None and math.isfinite(found.score)
    return found if scored else None
