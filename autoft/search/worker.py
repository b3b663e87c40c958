"""A process that runs trials, one after another, for one backend: the only place where a framework is loaded.

Its parent (`host.py`) sends requests as JSON through a socket and gets one answer for each. The process ends when its
parent does, however that ended: a thread waits for the socket to close.
"""

from __future__ import annotations

import faulthandler
import os
import queue
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from autoft.errors import TrialFailed
from autoft.records import EpochReport, Record, TrialSpec
from autoft.search.outcome import Failure, failure_of
from autoft.search.process import imported, memory_mb


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


class Look(Record, tag=True):
    """Answer, and tell the memory."""


class Call(Record, tag=True):
    """Call `package.module:name` with one text; what it finds it writes to files."""

    function: str
    payload: str


Request = Begin | Step | Save | Load | Look | Call


class Reply(Record):
    """The answer to any request."""

    report: EpochReport | None = None
    """Of a step that went well."""
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

    def answer(self, request: Request) -> Reply:
        """Never raises: a failure of one configuration ends that trial only."""
        try:
            report = self._do(request)
        except Exception as error:
            return Reply(failure=failure_of(error), broken=not isinstance(error, TrialFailed), memory=memory_mb())
        return Reply(report=report, memory=memory_mb())

    def _do(self, request: Request) -> EpochReport | None:
        match request:
            case Begin():
                again = getattr(self.trial, "again", None)
                alike = again(request.spec) if again else None
                self.trial = None  # two networks at once may be one too many
                self.trial = alike or imported(request.target)(request.spec)
            case Step():
                report: EpochReport = self.trial.step()
                return report
            case Save():
                self.trial.save_state(Path(request.folder))
            case Load():
                self.trial.load_state(Path(request.folder))
            case Call():
                imported(request.function)(request.payload)
            case Look():
                pass
        return None


def main(descriptor: int) -> None:
    """Answer requests that come through this socket until it closes."""
    faulthandler.enable()  # a crash in native code then says where it was
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to understand
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
