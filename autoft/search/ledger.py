"""What is known of the trials of a search: every one begins once, and ends once."""

from __future__ import annotations

from autoft.records import EpochReport, TrialSpec, TrialStatus
from autoft.search.outcome import result_of
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
        """What an attempt that was lost had reported after this epoch does not count."""
        self.reports[number] = [report for report in self.reports.get(number, []) if report.epoch <= epoch]

    def end(self, number: int, status: TrialStatus, reason: str, traceback: str = "") -> None:
        if number in self.ended:
            return
        self.ended.add(number)
        reports = self.reports.get(number, [])
        result = result_of(self.specs[number], reports, status, reason, traceback)
        self.observer.ended(result)

    def end_the_rest(self, reason: str) -> None:
        """Close trials that were still running when the search was stopped."""
        for number in sorted(set(self.reports) - self.ended):
            self.end(number, "stopped", reason)
