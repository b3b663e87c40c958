"""Runs trials in processes of their own, one for each backend, so that no two frameworks ever share one.

A process is kept for further trials of its backend: importing a framework costs seconds. It makes room for a fresh
one when a trial broke something in it, or when its memory has grown.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path

import msgspec

from autoft.errors import TrialFailed
from autoft.records import EpochReport, TrialSpec
from autoft.search.forkserver import Forked, fork
from autoft.search.outcome import FEWER, Failure, TrialLost
from autoft.search.process import computing
from autoft.search.worker import Begin, Call, Load, Look, News, Reply, Request, Save, Step, StepAll, Together

RECYCLE_MB = 3000
"""A process whose memory has grown by this much since its first trial makes room for a fresh one."""
TAIL = 8000
"""Bytes that are kept of what a process prints last."""
LOOK = 1.0
"""Seconds between two looks whether a silent process is still alive."""
# Made here, once: hosts may live in several threads, and msgspec must not look at a type for the first time in two.
REPLY = msgspec.json.Decoder(Reply)
# The parent's `sys.path` holds more than a fresh interpreter's: the driver's own folders.
PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); from autoft.search import worker; "
    "worker.main(int(sys.argv[1]))"
)


class Worker:
    """One process, as its parent sees it: a fork of the server of its backend, where there is one.

    Args:
        backend: whose server; empty starts a process of its own.
        threads: for its numerical libraries; 0 leaves them what the environment says.
        cards: the GPUs that it sees; empty leaves them what the environment says.
        echo: also write to standard error what it prints.
    """

    def __init__(self, backend: str = "", threads: int = 0, cards: Sequence[str] = (), *, echo: bool = True) -> None:
        self.broken = False
        self.idle_mb = 0.0
        """Memory after its first trial."""
        self._printed, self._echo = b"", echo
        self._connection, theirs = Pipe()
        with theirs:
            descriptor = theirs.fileno()
            environment = computing(threads, cards)
            self._process: subprocess.Popen[bytes] | Forked = fork(
                backend, descriptor, environment
            ) or subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(descriptor), json.dumps(sys.path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[descriptor],
                env=environment,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: Request) -> Reply:
        """The answer, however long it takes.

        Raises:
            TrialLost: the process died.
        """
        try:
            self._connection.send_bytes(msgspec.json.encode(request))
            while not self._connection.poll(LOOK):
                if not self.alive:  # what it started may still hold the other end of the socket
                    raise EOFError
            reply = REPLY.decode(self._connection.recv_bytes())
        except (EOFError, OSError):
            raise self._lost() from None
        except BaseException:  # interrupted: the answer that is still to come would be taken for the next one's
            self.end()
            raise
        self.broken = self.broken or reply.broken
        return reply

    def worn(self) -> bool:
        """Whether the next trial should have a fresh process."""
        if self.broken or not self.alive:
            return True
        try:
            memory = self.ask(Look()).memory  # one that is dying may still be listed as alive
        except TrialLost:
            return True
        self.idle_mb = self.idle_mb or memory
        return memory - self.idle_mb > RECYCLE_MB

    def kill(self) -> None:
        """From another thread; who waits for an answer is told that the process died."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(self.pid, signal.SIGKILL)

    def end(self) -> None:
        """At once: what a trial keeps is written in one step, so that nothing is left half done."""
        self._connection.close()
        self._process.kill()
        self._process.wait()
        self._reader.join(LOOK)

    def _lost(self) -> TrialLost:
        try:
            self._process.wait(LOOK)
        except subprocess.TimeoutExpired:  # it closed the socket, but lives: it is of no use
            self._process.kill()
        code = self._process.wait()
        self._connection.close()
        self._reader.join(LOOK)
        printed = self._printed.decode(errors="replace").strip()
        reason = _cause(code)
        return TrialLost(reason, f"{reason}\n\nThe last that it printed:\n{printed}" if printed else reason)

    def _read(self) -> None:
        """Keep the end of what the process prints, and pass it on if wished."""
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            while chunk := os.read(stream.fileno(), 1 << 16):
                self._printed = (self._printed + chunk)[-TAIL:]
                if self._echo:
                    sys.stderr.write(chunk.decode(errors="replace"))


class Host:
    """Runs one trial at a time, each in the process of its backend.

    Args:
        threads: for the numerical libraries of each process; 0 leaves them what the environment says.
        cards: the GPUs that they see; empty leaves them what the environment says.
        echo: also write to standard error what they print. The end of it is told in any case when one dies.
    """

    def __init__(self, threads: int = 0, cards: Sequence[str] = (), *, echo: bool = True) -> None:
        self._threads, self._cards, self._echo = threads, tuple(cards), echo
        self._dismissed = threading.Event()
        self._workers: dict[str, Worker] = {}
        self._backend = ""
        """That of the present trial."""

    def begin(self, target: str, spec: TrialSpec) -> Failure | None:
        """Make the trial of `spec`, which takes the place of the one before.

        Raises:
            TrialLost: its process died. So do the other methods.
        """
        return self._ready(spec).ask(Begin(target=target, spec=spec)).failure

    def together(self, target: str, specs: Sequence[TrialSpec]) -> Failure | str:
        """Make trials of one backend that are trained side by side. What comes back says why none of them has begun;
        empty means that all have."""
        reply = self._ready(specs[0]).ask(Together(target=target, specs=tuple(specs)))
        return reply.failure or reply.refused

    def step_all(self) -> tuple[News, ...] | Failure:
        """One epoch of trials that were made together: what there is to tell of any of them."""
        reply = self._worker.ask(StepAll())
        return reply.failure or reply.news

    def step(self) -> EpochReport | Failure:
        """One epoch."""
        reply = self._worker.ask(Step())
        answer = reply.failure or reply.report
        assert answer is not None  # a worker answers with one or the other
        return answer

    def save_state(self, folder: Path) -> Failure | None:
        return self._worker.ask(Save(folder=str(folder))).failure

    def load_state(self, folder: Path) -> Failure | None:
        return self._worker.ask(Load(folder=str(folder))).failure

    def close(self) -> None:
        """End all processes."""
        self._end_all()

    def dismiss(self) -> None:
        """From another thread: kill all processes and start no further ones. What waits for them raises TrialLost."""
        self._dismissed.set()
        for worker in list(self._workers.values()):
            worker.kill()

    def _ready(self, spec: TrialSpec) -> Worker:
        """The process in which the trial of `spec` will run."""
        if self._dismissed.is_set():
            raise TrialLost("the search was ended.")
        before = self._workers.get(self._backend)
        if before is not None and before.worn():
            self._workers.pop(self._backend).end()
        if spec.resources.gpus:  # a framework keeps the memory of a GPU until its process ends
            self._end_all(but=spec.backend)
        self._backend = spec.backend
        worker = self._workers.get(spec.backend)
        if worker is None or not worker.alive:
            worker = Worker(spec.backend, self._threads, self._cards, echo=self._echo)
            self._workers[spec.backend] = worker
            if self._dismissed.is_set():  # just now, when it was not yet known
                worker.kill()
        return worker

    @property
    def _worker(self) -> Worker:
        return self._workers[self._backend]

    def _end_all(self, but: str = "") -> None:
        for backend in [name for name in self._workers if name != but]:
            self._workers.pop(backend).end()


def call(function: str, payloads: Sequence[str], backends: Sequence[str], timeout: float) -> None:
    """Call `package.module:function` once per payload, each in a process of its own, at once.

    Args:
        backends: whose server each process is forked from, if there is one.

    Raises:
        TrialFailed: one of them failed, died, or took longer than `timeout` seconds.
    """
    workers = [Worker(backend) for backend in backends]
    with ThreadPoolExecutor(len(workers)) as pool:
        pending = [
            pool.submit(worker.ask, Call(function=function, payload=payload))
            for worker, payload in zip(workers, payloads, strict=True)
        ]
        try:
            for one in as_completed(pending, timeout):
                if failure := one.result().failure:
                    raise TrialFailed(failure.reason)
        except TrialLost as lost:
            raise TrialFailed(lost.failure.reason) from lost
        except TimeoutError as error:
            raise TrialFailed(f"{function} took longer than {timeout:.0f} s") from error
        finally:
            for worker in workers:
                worker.end()


def _cause(code: int) -> str:
    """In words why a process died, from its exit code, and what may help."""
    if code >= 0:
        return f"the worker process died: it ended itself with code {code}."
    if -code == signal.SIGKILL:
        return f"the worker process died: it was killed (SIGKILL). It may have run out of memory: {FEWER}"
    try:
        return f"the worker process died: {signal.Signals(-code).name}. The traceback has what it printed last."
    except ValueError:  # a real-time signal
        return f"the worker process died: signal {-code}."
