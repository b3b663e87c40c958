"""A searcher's proposals under one of Ray's schedulers: every configuration is a trial that the scheduler may stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autoft.contracts import Searcher
from autoft.records import EpochReport, TrialResult, TrialSpec, from_json, to_json
from autoft.search.desk import Config
from autoft.search.ledger import Ledger
from autoft.search.outcome import Failure, leads, spec_of_config, tell
from autoft.search.settings import Observer, Settings, mutable


class RayDesk:
    """Our ask-and-tell searchers as a `Desk`, where a scheduler of Ray decides who goes on."""

    def __init__(
        self,
        settings: Settings,
        searcher: Searcher,
        spec_of: Callable[[int, dict[str, Any]], TrialSpec | None],
        observer: Observer,
    ) -> None:
        self.settings = settings
        self.searcher = searcher
        self.spec_of = spec_of
        self.ledger = Ledger(_Told(observer, searcher))
        self.asked = 0
        self.ended = False
        population = settings.scheduler == "pbt"
        self.mutable = tuple(dict.fromkeys(p.key for p in mutable(settings.space))) if population else ()

    def next(self) -> Config | None:
        params = self.searcher.ask(self.asked)
        spec = None if params is None else self.spec_of(self.asked, params)
        if params is None or spec is None:
            self.ended = True
            return None
        self.ledger.specs[self.asked] = spec
        self.asked += 1
        values = spec.recipe.flat()
        return {
            "trial": {"number": spec.number, "spec": to_json(spec), "target": self.settings.target},
            "params": {key: values[key] for key in self.mutable},
        }

    def over(self) -> bool:
        return self.ended

    def started(self, number: int) -> None:
        self.ledger.begin(number)

    def told(self, number: int, result: Mapping[str, Any]) -> None:
        if "report" not in result:
            return
        report = from_json(result["report"], EpochReport)
        if self.settings.scheduler == "pbt" and leads(report, self.ledger.reports[number], self.settings.metric):
            # Not the trial's configuration: that may be the next one by now.
            self.ledger.specs[number] = spec_of_config(result["config"], number)
        self.ledger.report(number, report)

    def completed(self, number: int, last: Mapping[str, Any]) -> None:
        if last.get("failure"):
            self.failed(number, from_json(last["failure"], Failure))
            return
        reports = self.ledger.reports.get(number, [])
        done = reports[-1].done if reports else ""
        self.ledger.end(number, "finished" if done else "stopped", done or f"stopped by {self.settings.scheduler}")

    def recovering(self, number: int, *, kept: bool) -> None:
        if not kept:
            self.ledger.begin_again(number)

    def failed(self, number: int, failure: Failure) -> None:
        self.ledger.begin(number)  # an actor that cannot be made has not started
        self.ledger.fail(number, failure)

    def end(self, reason: str) -> None:
        self.ledger.end_the_rest(reason)


class _Told:
    """Tells the searcher how a trial ended, and passes everything on to the observer."""

    def __init__(self, observer: Observer, searcher: Searcher) -> None:
        self.searcher = searcher
        self.started = observer.started
        self.reported = observer.reported
        self._ended = observer.ended

    def ended(self, result: TrialResult) -> None:
        tell(self.searcher, result)
        self._ended(result)
