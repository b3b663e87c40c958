"""Between a strategy and the workers: makes trials of its orders, and tells it and the ledger what comes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from autoft import remote
from autoft.records import EpochReport, TrialResult, TrialSpec, to_json
from autoft.search.desk import Config
from autoft.search.ledger import Ledger
from autoft.search.outcome import Failure
from autoft.search.settings import Observer, Settings
from autoft.search.shift import EVENTS, Event, Leg, state_of
from autoft.search.strategy import Strategy


class Crew:
    """Knows which trials are in which piece of work, and which of them pause."""

    def __init__(
        self,
        settings: Settings,
        strategy: Strategy,
        spec_of: Callable[[int, dict[str, Any]], TrialSpec | None],
        observer: Observer,
        *,
        divides: bool = True,
    ) -> None:
        """`divides` says whether the samples have other divisions than that of the search; without, a configuration
        that runs again has another seed alone."""
        self.target = settings.target
        self.strategy = strategy
        self.spec_of = spec_of
        self.divides = divides
        self.ledger = Ledger(_Told(observer, strategy))
        self._paused: set[int] = set()
        self._kept: dict[int, int] = {}
        """Epoch at which a trial has paused last."""
        self._states: dict[int, str] = {}
        """What it is called that a trial goes on from."""
        self._stateful: set[int] = set()
        """Trials that were to pause and whose state has not been deleted: others have none, and a bucket takes long to
        say so."""
        self._works: dict[int, list[Leg]] = {}
        self._pieces = 0
        self.full = False
        """No further trial may begin: there is no time for one."""

    def next(self) -> Config | None:
        """The next piece of work."""
        work = None if self.full else self.strategy.next()
        if work is None:
            return None
        legs: list[Leg] = []
        for order in work.orders:
            if order.params is None:
                known = self.ledger.specs[order.number]
                # Its own state holds all that it began with, and the other model may be gone by now.
                state = self._states[order.number]
                legs.append(Leg(spec=msgspec.structs.replace(known, start=""), until=order.until, resume=state))
                continue
            spec = self.spec_of(order.number, order.params)
            if spec is None:
                self.full = True
                break
            start = self.ledger.specs[order.start].folder if order.start >= 0 else ""
            division = spec.division + order.again if self.divides else 0
            spec = msgspec.structs.replace(spec, seed=spec.seed + order.again, division=division, start=start)
            self.ledger.specs[order.number] = spec
            legs.append(Leg(spec=spec, until=order.until))
        if not legs:
            return None
        for leg in legs:
            self._paused.discard(leg.spec.number)
        self._stateful |= {leg.spec.number for leg in legs if leg.until}
        piece = self._pieces
        self._works[piece] = legs
        self._pieces += 1
        return {"trial": {"number": piece, "legs": to_json(legs), "target": self.target}}

    def over(self) -> bool:
        return self.full or bool(self.strategy.over()) or not self._works

    def started(self, number: int) -> None:
        """Its trials are told of when they are heard of."""

    def told(self, number: int, result: Mapping[str, Any]) -> None:
        for event in EVENTS.decode(result["events"]):
            self._happened(event)
        self._close()

    def completed(self, number: int, last: Mapping[str, Any]) -> None:
        self._works.pop(number, None)

    def recovering(self, number: int, *, kept: bool) -> None:
        for trial in self._open(number):
            self._again(trial)

    def failed(self, number: int, failure: Failure) -> None:
        for trial in self._open(number):
            self.ledger.begin(trial)
            self._fail(trial, failure)
        self._works.pop(number, None)
        self._close()

    def _happened(self, event: Event) -> None:
        number = event.number
        if number in self.ledger.ended or number in self._paused:
            return  # a lost actor's work is done once more as a whole; this part of it was known
        self.ledger.begin(number)
        if event.kind == "report" and event.report is not None:
            self.ledger.report(number, event.report)
            if event.report.done:
                self._end(number, "finished", event.report.done)
        elif event.kind == "paused":
            self._paused.add(number)
            self._kept[number] = self.ledger.reports[number][-1].epoch
            self._states[number] = event.state
            self.strategy.paused(number)
        elif event.kind == "again":
            self._again(number)
        elif event.failure is not None:
            self._fail(number, event.failure)

    def end(self, reason: str) -> None:
        self.ledger.end_the_rest(reason)
        left, self._stateful = self._stateful, set()
        with ThreadPoolExecutor(remote.THREADS) as pool:
            list(pool.map(remote.discard, [state_of(self.ledger.specs[number]) for number in sorted(left)]))

    def _open(self, piece: int) -> list[int]:
        """Trials of a piece of work that have neither paused nor ended."""
        numbers = [leg.spec.number for leg in self._works.get(piece, [])]
        return [number for number in numbers if number not in self.ledger.ended | self._paused]

    def _again(self, number: int) -> None:
        """What a lost attempt had reported beyond the last pause does not count."""
        self.ledger.begin_again(number, self._kept.get(number, 0))

    def _end(self, number: int, status: Any, reason: str, traceback: str = "") -> None:
        self.ledger.end(number, status, reason, traceback)
        self._forget(number)

    def _fail(self, number: int, failure: Failure) -> None:
        self.ledger.fail(number, failure)
        self._forget(number)

    def _forget(self, number: int) -> None:
        """Delete the state of a trial that will not go on."""
        if number in self._stateful:
            self._stateful.remove(number)
            remote.discard(state_of(self.ledger.specs[number]))

    def _close(self) -> None:
        for closed in self.strategy.closed():
            self._paused.discard(closed.number)
            self._end(closed.number, "stopped", closed.reason)


class _Told:
    """Passes everything on to the observer, then to the strategy."""

    def __init__(self, observer: Observer, strategy: Strategy) -> None:
        self.observer = observer
        self.strategy = strategy

    def started(self, spec: TrialSpec) -> None:
        self.observer.started(spec)

    def reported(self, number: int, report: EpochReport) -> None:
        self.observer.reported(number, report)
        self.strategy.reported(number, report)

    def ended(self, result: TrialResult) -> None:
        self.observer.ended(result)
        self.strategy.ended(result)
