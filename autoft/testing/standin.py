"""`StandIn`: a server on the loopback in the place of those that have weights, for tests of sources of networks."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

COMMIT: Final = "0123456789abcdef0123456789abcdef01234567"


class StandIn:
    """What the Hugging Face hub is to its clients: files by repository and name, with entity tags and a commit."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.files: dict[str, dict[str, bytes]] = {}
        self.asked: list[str] = []

    def find(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and content of an answer."""
        repo, found, name = path.strip("/").partition("/resolve/main/")
        if not found:
            return 200, {}, b"a stand-in hub"
        if repo not in self.files:
            return 404, {"X-Error-Code": "RepoNotFound"}, b""
        if name not in self.files[repo]:
            return 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}, b""
        body = self.files[repo][name]
        return 200, {"ETag": f'"{hashlib.sha256(body).hexdigest()}"', "X-Repo-Commit": COMMIT}, body


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """Answers until the context ends."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self, *, body: bool) -> None:
            there.asked.append(f"{self.command} {self.path}")
            status, headers, content = there.find(self.path)
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(key, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Tests print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there = StandIn(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield there
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
