"""What a score counts as: near blank another metric decides which epoch, which trial and which model is best."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from autoft import artifact, counted
from autoft.cli.board import Board
from autoft.errors import UsageError
from autoft.pipeline import finish
from autoft.recipe import Recipe
from autoft.records import EpochReport, Metric, TrialResult, from_json, to_json
from autoft.report import charts, final
from autoft.report.compared import compared
from autoft.report.words import DASH
from autoft.search.halving import Ranks
from autoft.testing import TaskContract
from autoft.testing.toy_task import ToyTask
from autoft.trial import Trial
from tests.core import told

CER = Metric(name="cer", mode="min", percent=True, best=0.0, blank=1.0)
WER = Metric(name="wer", mode="min", percent=True, best=0.0, blank=1.0, stand_in=CER)


def values(wer, cer):
    return {"wer": wer, "cer": cer}


def count(wer, cer):
    return counted.counted(WER, values(wer, cer))


def test_near_blank_the_other_metric_decides_and_what_is_outside_is_better() -> None:
    silent, wrong_letter_in_each_word, lucky, good = count(1.0, 1.0), count(1.031, 0.395), count(0.98, 0.9), 0.94
    assert good < wrong_letter_in_each_word < lucky < silent == 1.0
    assert wrong_letter_in_each_word == pytest.approx(0.95 + 0.05 * 0.395)
    assert count(good, 0.9) == good, "what tells something counts as it is"
    assert count(1.0, float("nan")) == 1.0 and counted.counted(CER, {"cer": 1.2}) == 1.2
    up = Metric(name="up", best=1.0, blank=0.0, stand_in=CER)
    assert counted.counted(up, {"up": 0.01, "cer": 0.5}) == pytest.approx(0.025)


def test_a_metric_that_another_one_stands_in_for_knows_its_ends() -> None:
    with pytest.raises(UsageError, match="wer or cer lacks one"):
        Metric(name="wer", mode="min", best=0.0, blank=1.0, stand_in=replace(CER, blank=None))
    assert from_json(to_json(WER), Metric) == WER


def test_a_task_has_the_metric_that_stands_in(tmp_path) -> None:
    class Foreign(ToyTask):
        metrics = (WER, *ToyTask.metrics)

    class Kit(TaskContract):
        task = Foreign

    with pytest.raises(AssertionError, match="another metric of the task"):
        Kit().test_words_are_in_the_vocabulary()


def test_the_best_epoch_is_the_one_that_counts_most(make_spec) -> None:
    other = Metric(name="log_loss", mode="max", best=10.0, blank=0.0)  # upside down, to tell it from accuracy
    metric = Metric(name="accuracy", best=1.0, blank=0.74, stand_in=other)
    spec = make_spec(told.CARD, recipe={"epochs": 3, "scores": "0.25,0.75,0.5", "patience": 0}, metric=metric)
    trial = Trial(spec)
    reports = [trial.step() for _ in range(3)]
    assert [report.metrics["accuracy"] for report in reports] == [0.25, 0.75, 0.5]
    assert reports[0].score > reports[2].score > reports[1].score
    kept = artifact.read(Path(spec.folder))
    assert (kept.epoch, kept.score) == (1, reports[0].score)


def epoch(number, wer, cer, loss=1.0):
    return EpochReport(epoch=number, score=count(wer, cer), metrics=values(wer, cer), train_loss=loss, seconds=1.0)


def test_halving_tells_trials_apart_by_it() -> None:
    ranks = Ranks("min", 1.0, 0.0, counted.chance(WER))
    for number, report in enumerate([epoch(1, 1.0, 1.0, 2.0), epoch(1, 1.1, 0.6, 3.0), epoch(1, 0.99, 0.96, 1.0)]):
        ranks.saw(number, report)
    assert sorted(range(3), key=ranks.key) == [1, 2, 0], "both silent ones by their losses"
    assert ranks.silent
    ranks.saw(0, epoch(2, 1.02, 0.7))
    assert ranks.silent, "who babbles says little of what will be learned"
    ranks.saw(0, epoch(3, 0.9, 0.6))
    assert not ranks.silent


def result(number, wer, cer):
    score = {"score": count(wer, cer), "metrics": values(wer, cer), "history": (epoch(1, wer, cer),)}
    return TrialResult(number=number, status="finished", model="m", backend="b", recipe=Recipe(), **score)


def test_what_is_shown_is_the_metric_itself_and_what_stood_in() -> None:
    board = Board()
    board.metric = WER
    row = board.row(result(3, 1.031, 0.395))
    assert compared(WER, row.score, row.metrics) == "103.1% (cer 39.5%)"
    assert compared(WER, 0.5, values(0.5, 0.2)) == "50.0%"
    assert compared(CER, 0.5, {}) == "50.0%" and compared(WER, None, {}) == DASH
    assert "103.1%" in charts.progress([result(3, 1.031, 0.395)], WER, 0.0)
    assert finish._about(result(3, 1.031, 0.395), WER)["score"] == 1.031


def test_two_models_near_blank_are_compared_by_what_stands_in() -> None:
    gained, why = finish._telling(WER, values(1.03, 0.4), values(1.0, 1.0))
    assert gained == CER and why == "compared by cer, as wer near 1 says nothing: "
    assert finish._telling(WER, values(0.5, 0.4), values(1.0, 1.0)) == (WER, "")
    assert finish._telling(WER, {"wer": None}, values(1.0, 1.0)) == (WER, "")
    assert final.gained_in({"gain_metric": "cer"}, WER) == CER
    assert final.gained_in({}, WER) == final.gained_in({"gain_metric": "wer"}, WER) == WER
