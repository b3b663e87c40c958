"""A process that runs trials, one after another, for one backend: the only place where a framework is loaded.

Its parent (`host.py`) sends requests as JSON through a socket and gets one answer for each. The process ends when its
parent does, however that ended: a thread waits for the socket to close.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import queue
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from autoft.errors import TrialFailed
from autoft.records import EpochReport, Record, TrialSpec
from autoft.search.outcome import Failure, failure_of
from autoft.search.process import imported, left_to_the_driver, memory_mb


class Begin(Record, tag=True):
    """Make the trial of `spec`. `target` names its class, as in `Settings.target`."""

    target: str
    spec: TrialSpec


class Step(Record, tag=True):
    """Train and validate one epoch."""


class Save(Record, tag=True):
    """Keep the state of the trial in a folder."""

    folder: str


class Load(Record, tag=True):
    """Take up what `Save` kept."""

    folder: str


class Together(Record, tag=True):
    """Make the trials of `specs`, to be trained side by side."""

    target: str
    specs: tuple[TrialSpec, ...]


class StepAll(Record, tag=True):
    """Train and validate one epoch of all that were made together."""


class Look(Record, tag=True):
    """Answer, and tell the memory."""


class Call(Record, tag=True):
    """Call `package.module:name` with one text; what it finds it writes to files."""

    function: str
    payload: str


Request = Begin | Step | Save | Load | Together | StepAll | Look | Call


class News(Record):
    """What came of one of several trials."""

    number: int
    report: EpochReport | None = None
    failure: Failure | None = None


class Reply(Record):
    """The answer to any request."""

    report: EpochReport | None = None
    """Of a step that went well."""
    news: tuple[News, ...] = ()
    """What there is to tell of trials that are trained side by side."""
    refused: str = ""
    """Why trials cannot be trained side by side."""
    failure: Failure | None = None
    """Why the request could not be done."""
    broken: bool = False
    """The failure may have left the process in disorder; a `TrialFailed` does not."""
    memory: float = 0.0
    """Resident memory of the process, in MB."""


class Runner:
    """Does what the requests ask."""

    def __init__(self) -> None:
        self.trial: Any = None
        self.fresh: TrialSpec | None = None
        """Of a trial that was made, but has not been asked for yet."""

    def answer(self, request: Request) -> Reply:
        """Never raises: a failure of one configuration ends that trial only."""
        try:
            reply = self._do(request)
        except Exception as error:
            return Reply(failure=failure_of(error), broken=not isinstance(error, TrialFailed), memory=memory_mb())
        return msgspec.structs.replace(reply, memory=memory_mb())

    def _do(self, request: Request) -> Reply:
        match request:
            case Begin():
                if request.spec != self.fresh:
                    self._make(request.target, request.spec)
                self.fresh = None
            case Step():
                return Reply(report=self.trial.step())
            case Save():
                self.trial.save_state(Path(request.folder))
            case Load():
                self.trial.load_state(Path(request.folder))
            case Call():
                imported(request.function)(request.payload)
            case Together():
                return self._together(request)
            case StepAll():
                return Reply(news=tuple(_news(number, what) for number, what in self.trial.step()))
            case Look():
                pass
        return Reply()

    def _make(self, target: str, spec: TrialSpec) -> None:
        again = getattr(self.trial, "again", None)
        alike = again(spec) if again else None
        self.trial = self.fresh = None  # two networks at once may be one too many
        if alike is None:  # layers of Keras point at each other: dropped alone, each network would stay for long
            gc.collect()
        self.trial = alike or imported(target)(spec)

    def _together(self, request: Together) -> Reply:
        if not hasattr(imported(request.target), "together"):
            return Reply(refused=f"{request.target} runs every trial alone")
        self._make(request.target, request.specs[0])
        found = self.trial.together(request.specs)
        if isinstance(found, str):
            self.fresh = request.specs[0]
            return Reply(refused=found)
        self.trial = found
        return Reply()


def _news(number: int, what: EpochReport | TrialFailed) -> News:
    if isinstance(what, TrialFailed):
        return News(number=number, failure=failure_of(what))
    return News(number=number, report=what)


def main(descriptor: int) -> None:
    """Answer requests that come through this socket until it closes."""
    faulthandler.enable()  # a crash in native code then says where it was
    left_to_the_driver()
    os.set_inheritable(descriptor, False)
    connection = Connection(descriptor)
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, requests), daemon=True).start()
    runner = Runner()
    while True:
        request: Request = msgspec.json.decode(requests.get(), type=Request)
        connection.send_bytes(msgspec.json.encode(runner.answer(request)))


def _receive(connection: Connection, requests: queue.SimpleQueue[bytes]) -> None:
    while True:
        try:
            requests.put(connection.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)  # the parent is gone; the main thread may be in the middle of an epoch
