"""Searches of heads alone, on Ray: side by side where the strategy hands them out together, else one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from autoft import registry
from autoft.cli import configfile
from autoft.options import SearchOptions
from autoft.pipeline.resolve import resolved
from autoft.pipeline.search import run_search
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
    done = search(strategy="auto", scheduler="", trials=40, overrides=FROZEN)
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


def test_a_list_trains_its_heads_side_by_side_and_halves_the_others(images: Path, tmp_path: Path) -> None:
    plain = {"augment": "none", "head_width": 0, "mixup": 0, "cutmix": 0}
    rows = [
        {**plain, "freeze": freeze, "lr": lr, "dropout": dropout}
        for freeze, lr, dropout in (
            *((1, 0.01, 0.2), (1, 0.03, 0.2), (1, 0.03, 0), (1, 0.01, 0)),
            *((0, 0.001, 0), (0, 0.01, 0), (0, 0.1, 0), (0, 0.03, 0)),
        )
    ]
    listed = tmp_path / "configs.json"
    listed.write_text(json.dumps(rows))
    short = {"epochs": "4", "batch_size": "16", "image_size": "32", "patience": "0"}
    asked = SearchOptions(
        data=str(images),
        out=str(tmp_path / "runs"),
        task="toy",
        models=("numpy/mlp",),
        time=600.0,
        configs=str(listed),
        gpus_per_trial=0.0,
        overrides=short,
    )
    done = run_search(asked, lambda event: None)
    results = {r.number: r for r in Run(done.folder).results()}
    assert len(results) == len(rows)
    for number, row in enumerate(rows):
        own = results[number].recipe.flat()
        assert {key: own[key] for key in row} == row
    assert all("side by side with 1 other" in results[number].history[0].prefix for number in range(4))
    assert [results[number].epochs for number in range(4)] == [4] * 4, "heads run whole, also those with dropout"
    assert sorted(results[number].epochs for number in range(4, 8)) == [2, 2, 2, 4]
    assert f"--configs {listed}" in done.summary["command"] and "--scheduler halving" in done.summary["command"]
    again = configfile.read(f"{done.folder}/args.yaml")
    repeated = SearchOptions(
        **{key: again[key] for key in ("task", "data", "strategy", "scheduler", "configs", "searcher")}
    )
    assert resolved(registry.installed(), repeated)[0].configs == str(listed)
