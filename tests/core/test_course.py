"""For how many epochs a configuration runs once more, and which of equal epochs is the best."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest

from autoft.course import FEWEST, leader, leading, repeated
from autoft.recipe import Recipe
from autoft.records import EpochReport, Metric, Mode, from_json, to_json
from autoft.schedule import scheduled_rate
from autoft.trial import Trial
from tests.core import told


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
@pytest.mark.parametrize(("best", "epochs"), [(2, FEWEST), (FEWEST, FEWEST), (9, 9), (12, 12)])
def test_the_rate_falls_to_its_end_in_what_is_run_once_more(schedule: str, best: int, epochs: int) -> None:
    recipe = Recipe(epochs=12, patience=3, schedule=schedule)
    again = repeated(recipe, best)
    assert (again.epochs, again.patience) == (epochs, 0)
    assert scheduled_rate(again, 10 * again.epochs - 1, 10 * again.epochs) < 0.05 * recipe.lr


def test_no_more_epochs_than_the_trial_planned() -> None:
    assert repeated(Recipe(epochs=3), 2).epochs == 3


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(epochs=12, schedule="constant"),
        Recipe(epochs=12, optimizer="solve", freeze=1.0, head_init="ridge"),
    ],
)
def test_where_no_rate_falls_the_best_epoch_is_the_last(recipe: Recipe) -> None:
    assert repeated(recipe, 2).epochs == 2


def test_where_the_first_epoch_was_the_best_there_is_one() -> None:
    assert repeated(Recipe(epochs=12), 1).epochs == 1, "a linear solution of texts is an epoch without steps"


@pytest.mark.parametrize("mode", ["max", "min"])
def test_of_equal_epochs_the_last_leads(mode: Mode) -> None:
    metric = Metric(name="m", mode=mode)
    worse = 0.4 if mode == "max" else 0.6
    assert leading(metric, 0.5, math.nan) and leading(metric, 0.5, 0.5) and leading(metric, 0.5, worse)
    assert not leading(metric, worse, 0.5)
    best = leader(metric, [told_of(1, worse), told_of(2, 0.5), told_of(3, 0.5), told_of(4, worse)])
    assert best is not None and best.epoch == 3
    assert leader(metric, []) is None


def told_of(epoch: int, score: float) -> EpochReport:
    return EpochReport(epoch=epoch, score=score, metrics={}, train_loss=1.0, seconds=1.0)


def test_the_sign_of_a_metric_is_no_part_of_its_record() -> None:
    assert (Metric(name="m").sign, Metric(name="m", mode="min").sign) == (1.0, -1.0)
    assert "sign" not in to_json(Metric(name="m"))
    assert from_json(to_json(Metric(name="m", mode="min")), Metric) == Metric(name="m", mode="min")
    with pytest.raises(msgspec.ValidationError, match="unknown field `sign`"):
        from_json('{"name": "m", "sign": 1.0}', Metric)


def test_patience_goes_on_from_the_first_of_equal_epochs(make_spec: Any, tmp_path: Path) -> None:
    spec = make_spec(told.CARD, recipe={"epochs": 9, "patience": 3, "scores": "0.25,0.5,0.5,0.5,0.5"})
    before = Trial(spec)
    for _ in range(3):
        before.step()
    before.save_state(tmp_path / "state")
    after = Trial(spec)
    after.load_state(tmp_path / "state")
    assert (after.best_epoch, after.since) == (3, 2)
    assert [after.step().done, after.step().done] == ["", "no better score for 3 epochs"]
