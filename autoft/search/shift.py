"""Works through the orders of a strategy, in the process of an actor: trials that pause, go on, or come to an end."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from autoft import remote
from autoft.errors import UsageError
from autoft.records import EpochReport, Record, TrialSpec, trial_name
from autoft.search import banks
from autoft.search.host import Host
from autoft.search.outcome import Failure, TrialLost

SLICE = 0.5
"""Seconds for which what happens is gathered before it is told: telling Ray costs milliseconds each time."""


class Leg(Record):
    """Some epochs of one trial."""

    spec: TrialSpec
    until: int = 0
    """Epoch after which it pauses; 0 goes on to its end."""
    resume: str = ""
    """The state that it goes on from, by its name, where it has paused before."""


class Event(Record):
    """What happened to a trial."""

    number: int
    kind: Literal["report", "paused", "failed", "again"]
    report: EpochReport | None = None
    failure: Failure | None = None
    state: str = ""
    """Name of the state in which it has paused."""


# Made here, once: msgspec must not look at the same types for the first time in two threads (it crashes, msgspec 0.22).
LEGS = msgspec.json.Decoder(list[Leg])
EVENTS = msgspec.json.Decoder(list[Event])


class Shift:
    """One piece of work. A process that dies is replaced once for each trial, and the trial taken up again."""

    def __init__(self, host: Host, target: str, legs: list[Leg]) -> None:
        self._host = host
        self._target = target
        self._events = self._all(legs)
        self.over = False

    def work(self, seconds: float = SLICE) -> list[Event]:
        """What happens in about so many seconds: at least one event, more where they come quickly."""
        began, found = time.monotonic(), []
        for event in self._events:
            found.append(event)
            if time.monotonic() - began >= seconds:
                return found
        self.over = True
        return found

    def _all(self, legs: list[Leg]) -> Iterator[Event]:
        whole = [leg.spec if not (leg.until or leg.resume) else None for leg in legs]
        for places in banks.runs(whole):
            alone = [legs[place] for place in places]
            if len(alone) > 1:
                alone = yield from self._together(alone)
            for leg in alone:
                yield from self._tried(leg)

    def _together(self, legs: list[Leg]) -> Generator[Event, None, list[Leg]]:
        """Trials side by side; gives those that must be run alone, from their beginning."""
        left = {leg.spec.number: leg for leg in legs}
        told: set[int] = set()
        try:
            refused = self._host.together(self._target, [leg.spec for leg in legs])
            while left and not refused:
                news = self._host.step_all()
                if isinstance(news, Failure):  # not of one configuration: those are among the news
                    break
                for one in news:
                    kind: Literal["report", "failed"] = "failed" if one.failure else "report"
                    yield Event(number=one.number, kind=kind, report=one.report, failure=one.failure)
                    told.add(one.number)
                    if one.failure or (one.report and one.report.done):
                        left.pop(one.number)
        except TrialLost:
            pass  # each gets its two tries below
        for number in told & set(left):
            yield Event(number=number, kind="again")
        return list(left.values())

    def _tried(self, leg: Leg) -> Iterator[Event]:
        """One trial, in a second process where the first one died."""
        try:
            yield from self._one(leg)
        except TrialLost:
            yield Event(number=leg.spec.number, kind="again")
            try:
                yield from self._one(leg)
            except TrialLost as lost:
                yield Event(number=leg.spec.number, kind="failed", failure=lost.failure)

    def _one(self, leg: Leg) -> Iterator[Event]:
        number = leg.spec.number
        failure = self._host.begin(self._target, leg.spec) or (self._load(leg.spec, leg.resume) if leg.resume else None)
        while failure is None:
            answer = self._host.step()
            if isinstance(answer, Failure):
                failure = answer
                break
            yield Event(number=number, kind="report", report=answer)
            if answer.done:
                return
            if leg.until and answer.epoch >= leg.until:
                state = f"{answer.epoch:04d}-{secrets.token_hex(4)}"
                failure = self._save(leg.spec, state)
                if failure is None:
                    yield Event(number=number, kind="paused", state=state)
                    return
        yield Event(number=number, kind="failed", failure=failure)

    def _save(self, spec: TrialSpec, name: str) -> Failure | None:
        """Each state has a folder of its own: what is lost in the middle of this leaves the last one as it was, and
        only one that was told of is gone on from."""
        place = remote.join(state_of(spec), name)
        if not remote.is_address(place):
            Path(place).mkdir(parents=True)
            return self._host.save_state(Path(place))
        with tempfile.TemporaryDirectory(prefix="autoft-") as scratch:
            failure = self._host.save_state(Path(scratch))
            if failure is None:
                remote.push(Path(scratch), place)
        return failure

    def _load(self, spec: TrialSpec, name: str) -> Failure | None:
        place = remote.join(state_of(spec), name)
        if not remote.is_address(place):
            failure = self._host.load_state(Path(place))
        else:
            with tempfile.TemporaryDirectory(prefix="autoft-") as scratch:
                remote.pull(place, Path(scratch) / "state")
                failure = self._host.load_state(Path(scratch) / "state")
        if failure is None:
            _leave_only(state_of(spec), name)
        return failure


def _leave_only(place: str, name: str) -> None:
    """Delete the states of a trial that it will not go on from any more: those of earlier epochs. One of a later epoch
    may be what it was told to have paused at, where its node was lost before the whole piece of work was done."""
    for other in _states(place):
        if _epoch(other) < _epoch(name):
            remote.discard(remote.join(place, other))


def _states(place: str) -> set[str]:
    """Names of the states of a trial, as far as they can be seen."""
    if not remote.is_address(place):
        return {folder.name for folder in Path(place).iterdir()}
    with suppress(UsageError):
        return {file.split("/")[0] for file in remote.sizes(place)}
    return set()


def _epoch(name: str) -> int:
    """At which a state of this name was saved."""
    return int(name.partition("-")[0])


def state_of(spec: TrialSpec) -> str:
    """Where a paused trial waits, in a folder for each of its pauses: beside its model, so that all nodes reach it."""
    return remote.sibling(spec.folder, f"{trial_name(spec.number)}.state")
