"""A metric that counts all classes alike reaches the loss: of trial 0, of solved heads and of heads by steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from autoft.pipeline.search import plan_search
from autoft.records import ModelCard, Param
from autoft.search import space as spaces
from autoft.search.bankwork import configurations
from autoft.search.defaults import default_space
from autoft.search.families import additions
from autoft.search.headgrid import Solving, heads
from autoft.tasks.metrics import metrics
from autoft.testing import ToyTask
from tests.pipeline.conftest import Heard, options

CARD = ModelCard(name="m", backend="b", modality="image", prior=75.0)


def planned(images: Path, place: Path, **changes: Any) -> tuple[Param, ...]:
    return plan_search(options(images, place / "runs", **changes), Heard()).space


def weights(space: tuple[Param, ...]) -> Param:
    return next(param for param in space if param.key == "class_weights")


def test_those_that_do_are_named() -> None:
    assert {metric.name for metric in metrics("images") if metric.alike} == {"balanced_accuracy", "macro_f1"}


def test_the_space_follows_the_metric_and_the_user_has_the_last_word(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert weights(planned(images, tmp_path)).default == "none"
    alike = (replace(ToyTask.metrics[0], alike=True), *ToyTask.metrics[1:])
    monkeypatch.setattr(ToyTask, "metrics", alike)
    found = weights(planned(images, tmp_path))
    assert found.default == "balanced" and {*found.choices} == {"balanced", "none"}
    said = weights(planned(images, tmp_path, overrides={"class_weights": "none"}))
    assert (said.choices, said.default) == (("none",), "none")
    other = planned(images, tmp_path, metric=ToyTask.metrics[1].name)
    assert weights(other).default == "none"


def test_a_narrow_preset_has_the_weights_alone() -> None:
    assert weights(default_space([CARD], {}, "fast", 500, alike=True)).choices == ("balanced",)


def test_trial_0_and_all_heads_have_them() -> None:
    space = (*default_space([CARD], {CARD.name: (96,)}, "balanced", 500, alike=True), *additions())
    solved = heads(space, CARD.name)
    by_steps = configurations(space, Solving(CARD.name, {"image_size": 96}, "ridge", 1.0), 0)
    assert {params["class_weights"] for params in (spaces.baseline(space), *solved, *by_steps)} == {"balanced"}
