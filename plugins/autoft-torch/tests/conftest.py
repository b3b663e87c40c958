"""Toy jobs, and a stand-in for the Hugging Face hub on the loopback."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autoft.api import Job, ModelCard, Output, Problem, Recipe
from autoft.testing.standin import StandIn, stand_in
from autoft.testing.toys import ArrayFeed, feed

sys.path.insert(0, str(Path(__file__).parent))

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
    with stand_in() as there:
        monkeypatch.setenv("HF_ENDPOINT", there.address)
        yield there


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
