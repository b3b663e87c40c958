"""Works through what a desk hands out on this machine alone: a thread for each trial that may run at a time, above the
processes of `host.py`. On one machine there is nothing that a scheduler of clusters could decide, and starting one
costs more than a small search (docs/adr/0025-one-machine.md). GPUs are dealt once, to the threads
(docs/adr/0038-gpus-of-one-machine.md).
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from autoft import gpus
from autoft.machine import cores
from autoft.records import to_json
from autoft.search.desk import Config, Desk
from autoft.search.host import Host
from autoft.search.outcome import Failure, TrialLost, failure_of
from autoft.search.process import interruptible
from autoft.search.settings import Cluster, Machine, Settings
from autoft.search.shift import LEGS, Event, Shift

LOOK: float = 0.1
"""Seconds between two looks at the clock and for Ctrl-C."""
PATIENCE: float = 5.0
"""Seconds to wait for processes to end before the search is brought to its end."""


class _Said(NamedTuple):
    """What a hand has to tell: events, the end of its piece of work, or why it could not be done."""

    hand: _Hand
    piece: int
    what: list[Event] | Failure | None


class _Hand(threading.Thread):
    """Does one piece of work after another, in processes below it."""

    def __init__(self, said: queue.SimpleQueue[_Said], threads: int, cards: Sequence[str]) -> None:
        super().__init__(daemon=True)
        self.host = Host(threads, cards, echo=False)  # a terminal shows the search
        self._said = said
        self._pieces: queue.SimpleQueue[Config | None] = queue.SimpleQueue()
        self.start()

    def take(self, piece: Config) -> None:
        self._pieces.put(piece)

    def end(self) -> None:
        """At once, in the middle of an epoch."""
        self._pieces.put(None)
        self.host.dismiss()

    def run(self) -> None:
        try:
            self._work()
        finally:
            self.host.close()

    def _work(self) -> None:
        while (config := self._pieces.get()) is not None:
            piece = config["trial"]
            try:
                shift = Shift(self.host, piece["target"], LEGS.decode(piece["legs"]))
                while not shift.over:
                    self._said.put(_Said(self, piece["number"], shift.work(0.0)))
                self._said.put(_Said(self, piece["number"], None))
            except TrialLost as lost:
                self._said.put(_Said(self, piece["number"], lost.failure))
            except Exception as error:  # told as the failure of these trials; the search goes on
                self._said.put(_Said(self, piece["number"], failure_of(error)))


def machine() -> Cluster:
    """What this machine has to offer."""
    return Cluster(machines=(Machine(cpus=cores(), gpus=len(gpus.names())),), ray=False)


def run(settings: Settings, desk: Desk) -> bool:
    """Do what the desk hands out until it is over, the deadline has come, or Ctrl-C was pressed.

    Returns whether the user interrupted.
    """
    said: queue.SimpleQueue[_Said] = queue.SimpleQueue()
    hands = [_Hand(said, settings.threads, cards) for cards in _cards(settings)]
    free = list(hands)
    with interruptible() as interrupted:
        try:
            while not interrupted() and not (settings.deadline and time.time() > settings.deadline):
                while free and (piece := desk.next()) is not None:
                    hand = free.pop()
                    desk.started(piece["trial"]["number"])
                    hand.take(piece)
                if len(free) == len(hands) and desk.over():
                    break
                try:
                    news = said.get(timeout=LOOK)
                except queue.Empty:
                    continue
                if _told(desk, news):
                    free.append(news.hand)
        finally:
            for hand in hands:
                hand.end()
            for hand in hands:
                hand.join(PATIENCE)
        desk.end("interrupted" if interrupted() else "out of time")
        return interrupted()


def _cards(settings: Settings) -> list[tuple[str, ...]]:
    """The GPUs of each hand."""
    hands = max(1, settings.concurrency)
    return gpus.dealt(gpus.names(), settings.gpus, hands) if settings.gpus else [()] * hands


def _told(desk: Desk, news: _Said) -> bool:
    """Tell the desk; gives whether the hand is free again."""
    if news.what is None:
        desk.completed(news.piece, {})
    elif isinstance(news.what, Failure):
        desk.failed(news.piece, news.what)
    else:
        desk.told(news.piece, {"events": to_json(news.what)})
        return False
    return True
