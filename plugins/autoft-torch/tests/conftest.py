"""Toy jobs, and a stand-in for the Hugging Face hub on the loopback."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from autoft.api import Job, ModelCard, Output, Problem, Recipe
from autoft.testing.toys import ArrayFeed, feed

sys.path.insert(0, str(Path(__file__).parent))

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PROBLEM = Problem(
    name="toy",
    inputs=("image",),
    outputs=(Output(name="class", head="pooled", size=4, loss="cross_entropy", post="softmax", target="label"),),
)


@pytest.fixture
def toys() -> ArrayFeed:
    """32 images of 32 px in 4 classes."""
    return feed(PROBLEM)


def scratch(library: str, architecture: str, **extra: Any) -> ModelCard:
    """The card of a network without weights."""
    if library == "transformers":
        pytest.importorskip("transformers", reason="autoft-torch is here without its extra hf")
    facts = {"library": library, "architecture": architecture, **extra}
    return ModelCard(name=f"{library}/{architecture}", backend="torch", modality="image", pretrained=False, extra=facts)


@pytest.fixture
def card() -> Callable[..., ModelCard]:
    return scratch


@pytest.fixture
def job() -> Callable[..., Job]:
    """A job for the toys; further names go into the recipe."""

    def make(card: ModelCard, size: int = 32, seed: int = 0, **recipe: Any) -> Job:
        plain = {"augment": "none", "batch_size": 8, "epochs": 4}
        return Job(card=card, problem=PROBLEM, recipe=Recipe.of({**plain, **recipe}), image_size=size, seed=seed)

    return make


class StandIn:
    """What the hub is to its clients: files by repository and name, with entity tags and a commit."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.files: dict[str, dict[str, bytes]] = {}
        self.asked: list[str] = []

    def find(self, path: str) -> tuple[int, dict[str, str], bytes]:
        repo, found, name = path.strip("/").partition("/resolve/main/")
        if not found:
            return 200, {}, b"a stand-in hub"
        if repo not in self.files:
            return 404, {"X-Error-Code": "RepoNotFound"}, b""
        if name not in self.files[repo]:
            return 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}, b""
        body = self.files[repo][name]
        return 200, {"ETag": f'"{hashlib.sha256(body).hexdigest()}"', "X-Repo-Commit": COMMIT}, body


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Empty caches of the hub and of torch, and no ban on connections to this machine."""
    for name in ("AUTOFT_OFFLINE", "HF_HUB_OFFLINE", "HF_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    return tmp_path


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, places: Path) -> Iterator[StandIn]:
    """A hub that answers until the test ends, and that `HF_ENDPOINT` names."""
    holder: list[StandIn] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self, *, body: bool) -> None:
            holder[0].asked.append(f"{self.command} {self.path}")
            status, headers, content = holder[0].find(self.path)
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
    holder.append(StandIn(f"http://127.0.0.1:{server.server_address[1]}"))
    monkeypatch.setenv("HF_ENDPOINT", holder[0].address)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield holder[0]
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a kind, made once."""
    made: dict[str, Path] = {}

    def find(kind: str) -> Path:
        if kind not in made:
            import checkpoints as ck  # needs transformers
            import torch

            torch.manual_seed(0)
            made[kind] = ck.save(kind, tmp_path_factory.mktemp(kind) / "net")
        return made[kind]

    return find
