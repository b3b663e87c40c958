"""A process that has imported a framework and computed nothing: whoever needs a process for trials gets a fork of it.

Importing a framework costs seconds, and a search needs it in every worker and once more at its end; a fork costs
milliseconds. The server belongs to the driver and ends with it, not by a signal that its whole group gets. Workers on
other machines find none, and start their processes themselves.

A backend offers it (`contracts.Forkable`). A GPU's context cannot be forked once it was opened, so servers never
open one: they see no GPU, and forks see those that they are given.
"""

from __future__ import annotations

import array
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from autoft.gpus import VISIBLE
from autoft.search.process import computing

VARIABLE: Final = "AUTOFT_FORK_SERVERS"
"""Environment variable by which workers find the servers of this machine: JSON, backend -> socket."""
REAP: Final = 0.1
"""Seconds between two looks for processes that have ended."""
GRACE: Final = 1.0
"""Seconds for a server to end what it has forked."""
ANSWER: Final = 120.0
"""Seconds to wait for a fork: the server may still be importing."""
NUMBER: Final = struct.Struct("<i")
PROGRAM: Final = (
    "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); from autoft.search import forkserver; "
    "forkserver.main(int(sys.argv[1]), json.loads(sys.argv[3]))"
)


class ForkServers:
    """The driver's side: one server for each backend."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="autoft-"))
        self._servers: dict[str, subprocess.Popen[bytes]] = {}
        self._before = os.environ.get(VARIABLE)
        self.told = "{}"
        """What stands in the environment."""

    def start(self, backend: str, modules: Sequence[str], threads: int = 1) -> None:
        """Begin to import `modules`; requests that come meanwhile wait."""
        place = str(self._folder / backend)
        listener = socket.socket(socket.AF_UNIX)  # made here, so that it takes requests from now on
        try:
            listener.bind(place)
        except OSError:  # the path is too long for a socket (some 100 bytes): processes of their own do it, too
            listener.close()
            return
        listener.listen(64)
        self._servers[backend] = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(listener.fileno()), json.dumps(sys.path), json.dumps(list(modules))],
            stdin=subprocess.PIPE,  # its end tells the server that the driver is gone
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**computing(threads), VISIBLE: ""},
            pass_fds=[listener.fileno()],
        )
        listener.close()
        self.told = json.dumps({name: str(self._folder / name) for name in self._servers})
        os.environ[VARIABLE] = self.told

    def close(self) -> None:
        """End the servers. Processes that were forked end with those that asked for them."""
        if self._before is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = self._before
        for server in self._servers.values():
            assert server.stdin is not None
            server.stdin.close()
            try:
                server.wait(GRACE)
            except subprocess.TimeoutExpired:  # in the middle of an import; it has forked nothing yet
                server.kill()
                server.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


class Forked:
    """A process that a server has forked; offers what is used of `subprocess.Popen`."""

    def __init__(self, connection: socket.socket, pid: int, output: int) -> None:
        self.pid = pid
        self.stdout = os.fdopen(output, "rb")
        self.returncode: int | None = None
        self._connection = connection
        self._waiting = threading.Lock()
        """Who kills it may be another thread than who waits for its answer; only one of them hears how it ended."""

    def poll(self) -> int | None:
        """The exit code (minus the signal that ended it), or None while it lives."""
        return self._code(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, when it has ended.

        Raises:
            subprocess.TimeoutExpired: it still lives after `timeout` seconds.
        """
        code = self._code(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("fork", timeout or 0.0)
        return code

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _code(self, timeout: float | None) -> int | None:
        with self._waiting:
            if self.returncode is None and select.select([self._connection], [], [], timeout)[0]:
                told = self._connection.recv(NUMBER.size)
                # Without a word the server is gone, and what it had forked goes with it.
                self.returncode = NUMBER.unpack(told)[0] if len(told) == NUMBER.size else -signal.SIGKILL
                self._connection.close()
            return self.returncode


def fork(backend: str, descriptor: int, environment: Mapping[str, str]) -> Forked | None:
    """A worker process for a backend, which answers at the socket `descriptor`; None where there is no server.

    It has this environment, and this process's folder.
    """
    place = json.loads(os.environ.get(VARIABLE, "{}")).get(backend, "")
    if not place or not Path(place).exists():
        return None
    connection = socket.socket(socket.AF_UNIX)
    reader, writer = os.pipe()
    try:
        connection.settimeout(ANSWER)
        connection.connect(place)
        about = json.dumps({"environment": dict(environment), "folder": str(Path.cwd()), "path": sys.path}).encode()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor, writer]))]
        connection.sendmsg([NUMBER.pack(len(about))], rights)
        connection.sendall(about)
        (pid,) = NUMBER.unpack(_exactly(connection, NUMBER.size))
    except (OSError, EOFError):  # it ended just now: the process is then started as without it
        os.close(reader)
        connection.close()
        return None
    finally:
        os.close(writer)
    connection.settimeout(None)
    return Forked(connection, pid, reader)


def main(descriptor: int, modules: Sequence[str]) -> None:
    """Serve at a listening socket until standard input ends."""
    listener = socket.socket(fileno=descriptor)
    for module in modules:
        with suppress(ImportError):  # told by the trial that needs it, in its own words
            importlib.import_module(module)
    from autoft import registry
    from autoft.search import worker

    registry.installed()
    # Forks look for cycles between trials, and there are none to find among the half a million objects of what was
    # imported: a look at them takes a quarter of a second, and copies memory that all forks share.
    gc.collect()
    gc.freeze()
    children: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [], REAP)
        if sys.stdin in ready:
            _end(children)
        if listener in ready:
            connection, _ = listener.accept()
            request = _request(connection)
            if request is None:
                connection.close()
                continue
            about, (descriptor, output) = request
            pid = os.fork()
            if pid == 0:
                for other in (listener, connection, *children.values()):
                    other.close()
                _become(about, output)
                worker.main(descriptor)
            os.close(descriptor)
            os.close(output)
            children[pid] = connection
            connection.sendall(NUMBER.pack(pid))
        _reap(children)


def _request(connection: socket.socket) -> tuple[Mapping[str, object], tuple[int, int]] | None:
    """What is asked for and two descriptors; None from a client that went away."""
    try:
        head, descriptors, _, _ = socket.recv_fds(connection, NUMBER.size, 2)
        if len(head) < NUMBER.size or len(descriptors) != 2:
            return None
        about = json.loads(_exactly(connection, NUMBER.unpack(head)[0]))
    except (OSError, EOFError, ValueError):
        return None
    return about, (descriptors[0], descriptors[1])


def _become(about: Mapping[str, object], output: int) -> None:
    """In the fork: take on the surroundings of the process that asked."""
    environment, folder, path = about["environment"], about["folder"], about["path"]
    assert isinstance(environment, dict) and isinstance(folder, str) and isinstance(path, list)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[:] = path
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(output)
    sys.stdout, sys.stderr = (os.fdopen(target, "w", buffering=1, closefd=False) for target in (1, 2))


def _reap(children: dict[int, socket.socket]) -> None:
    """Tell those who asked how their processes ended."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with children.pop(pid) as connection:
            try:
                connection.sendall(NUMBER.pack(os.waitstatus_to_exitcode(status)))
            except OSError:
                continue  # nobody waits for it any more


def _end(children: Mapping[int, socket.socket]) -> None:
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    os._exit(0)


def _exactly(connection: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        more = connection.recv(length - len(found))
        if not more:
            raise EOFError
        found += more
    return found
