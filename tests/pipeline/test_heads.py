"""Searches of heads alone, on Ray: side by side where the strategy hands them out together, else one by one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from autoft import registry
from autoft.run import Run
from autoft.search.bankwork import COUNT
from tests.pipeline.conftest import Search

pytestmark = pytest.mark.slow
FROZEN = {"freeze": "1", "augment": "none", "head_width": "0", "dropout": "0", "mixup": "0", "cutmix": "0"}


@pytest.fixture(scope="module", autouse=True)
def fakes() -> Iterator[None]:
    """Without the plugin that adds parameters: what those do to a head is not known to core."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(registry.ENVIRONMENT, "autoft.testing.plugin")
        registry.installed.cache_clear()
        yield
    registry.installed.cache_clear()


def test_auto_trains_heads_side_by_side(search: Search) -> None:
    done = search(strategy="auto", scheduler="", trials=30, overrides=FROZEN)
    results = Run(done.folder).results()
    beside = [r for r in results if r.history and "side by side" in r.history[0].prefix]
    assert len(beside) >= COUNT, "those of a bracket that stand together as well"
    assert {(r.status, r.recipe.freeze) for r in beside} == {("finished", 1.0)}
    assert all(len(r.history) == r.epochs and r.best_epoch <= r.epochs for r in beside)
    assert {r.recipe.optimizer for r in results} > {"solve", "adamw"}
    assert not [r for r in results if r.status == "failed"]


def test_flat_trains_heads_one_by_one(search: Search) -> None:
    results = Run(search(strategy="flat", overrides=FROZEN).folder).results()
    assert [(r.status, r.epochs) for r in results] == [("finished", 3)] * 3
    assert all("3 of 3 blocks" in r.history[0].prefix and "side by side" not in r.history[0].prefix for r in results)
