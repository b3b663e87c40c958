"""Honest numbers: intervals that hold, comparisons that are paired, and words that say no more than that."""

import math

import numpy as np
import pytest
from scipy.stats import beta

from autoft import evaluate
from autoft.records import Decoding, Schema
from autoft.testing import ToyTask
from autoft.trial import Trial
from tests.core.conftest import ACCURACY, LOG_LOSS

TASK = ToyTask()
SCHEMA = Schema(task="toy", classes=("a", "b"))
TRUTH = {"label": np.arange(200) % 2}


def answers(right, sure=0.9):
    """Predictions that are right where `right` says so, with the confidence `sure`."""
    index = np.where(right, TRUTH["label"][: len(right)], 1 - TRUTH["label"][: len(right)])
    probability = np.full((len(right), 2), 1 - sure)
    probability[np.arange(len(right)), index] = sure
    return {"probability": probability, "index": index}


def first(count, of=200):
    return np.arange(of) < count


def compare(best, baseline, metric=ACCURACY, truth=TRUTH):
    return evaluate.compare(TASK, best, baseline, truth, SCHEMA, metric, seed=0)


# ---- intervals ------------------------------------------------------------------------------------------


def test_an_interval_holds_the_score_and_is_as_wide_as_theory_says():
    band = evaluate.interval(TASK, answers(first(160)), TRUTH, SCHEMA, ACCURACY, seed=0)
    assert band.low < 0.8 < band.high
    wanted = 2 * 1.96 * math.sqrt(0.8 * 0.2 / 200)
    assert band.high - band.low == pytest.approx(wanted, rel=0.15)
    assert 200 <= band.resamples <= evaluate.RESAMPLES


def test_intervals_cover_the_truth_about_as_often_as_they_say(monkeypatch):
    monkeypatch.setattr(evaluate, "RESAMPLES", 200)
    rng = np.random.default_rng(0)
    bands = [
        evaluate.interval(TASK, answers(rng.random(200) < 0.7), TRUTH, SCHEMA, ACCURACY, seed=n) for n in range(60)
    ]
    assert 52 <= sum(band.low <= 0.7 <= band.high for band in bands) <= 60


def test_the_same_seed_gives_the_same_interval():
    bands = [evaluate.interval(TASK, answers(first(150)), TRUTH, SCHEMA, ACCURACY, seed) for seed in (1, 1, 2)]
    assert bands[0] == bands[1] != bands[2]


@pytest.mark.parametrize("count", [16, 200])
def test_a_perfect_score_is_as_sure_as_its_samples_are_many(count):
    """Every resample of 16 right answers is right; the share could still be .794 (Clopper and Pearson, 1934)."""
    truth = {"label": TRUTH["label"][:count]}
    band = evaluate.interval(TASK, answers(first(count, of=count)), truth, SCHEMA, ACCURACY, seed=0)
    wanted = beta.ppf(0.025, count, 1)
    assert (band.low, band.high) == (pytest.approx(wanted), 1.0)
    assert band.bounds == [band.low, 1.0] and band.note == f"exact, as all {count} samples say the same"
    wrong = evaluate.interval(TASK, answers(first(0, of=count)), truth, SCHEMA, ACCURACY, seed=0)
    assert (wrong.low, wrong.high) == (0.0, pytest.approx(1 - wanted))


def test_groups_that_are_all_right_count_as_groups():
    groups = [f"speaker {row // 20}" for row in range(200)]
    band = evaluate.interval(TASK, answers(first(200)), TRUTH, SCHEMA, ACCURACY, seed=0, groups=groups)
    assert band.low == pytest.approx(beta.ppf(0.025, 10, 1)) and "all 10 groups" in band.note
    half = evaluate.interval(TASK, answers(np.arange(200) // 2 % 2), TRUTH, SCHEMA, ACCURACY, seed=0, groups=groups)
    assert half.bounds is None and half.note == "no interval: too few of these 10 groups differ"


def test_other_metrics_say_that_too_few_samples_differ():
    band = evaluate.interval(TASK, answers(first(200)), TRUTH, SCHEMA, LOG_LOSS, seed=0)
    assert band.bounds is None and band.note == "no interval: too few of these 200 samples differ"


def test_groups_are_drawn_as_wholes():
    """Ten speakers, of whom two are never understood: as uncertain as ten recordings, not as two hundred."""
    groups = [f"speaker {row // 20}" for row in range(200)]
    bands = {
        name: evaluate.interval(TASK, answers(first(160)), TRUTH, SCHEMA, ACCURACY, seed=0, groups=given)
        for name, given in {
            "none": (),
            "empty": [""] * 200,
            "single": [str(n) for n in range(200)],
            "ten": groups,
        }.items()
    }
    assert bands["none"] == bands["empty"] == bands["single"]
    width = {name: band.high - band.low for name, band in bands.items()}
    assert (
        width["ten"] == pytest.approx(2 * 1.96 * math.sqrt(0.8 * 0.2 / 10), rel=0.2)
        and width["ten"] > 3 * width["none"]
    )
    clear = evaluate.compare(TASK, answers(first(160)), answers(first(140)), TRUTH, SCHEMA, ACCURACY, seed=0)
    same = evaluate.compare(
        TASK, answers(first(160)), answers(first(140)), TRUTH, SCHEMA, ACCURACY, seed=0, groups=groups
    )
    assert clear.significant and not same.significant, "all of the gain is one speaker"


def test_too_few_groups_give_no_certainty_about_others():
    """One speaker in the test part: every draw of speakers would be the same, and any gain significant."""
    for groups in (["one"] * 200, [f"{row % 4}" for row in range(200)]):
        band = evaluate.interval(TASK, answers(first(160)), TRUTH, SCHEMA, ACCURACY, seed=0, groups=groups)
        assert band == evaluate.interval(TASK, answers(first(160)), TRUTH, SCHEMA, ACCURACY, seed=0)
        assert evaluate.few_groups(groups) == len({*groups})
    assert evaluate.few_groups([]) == evaluate.few_groups([""] * 9) == 0
    assert evaluate.few_groups([f"{row % 5}" for row in range(200)]) == 0
    assert evaluate.few_groups(["one", "", "", "", "", ""]) == 0, "each that names no group is one"


def test_a_slow_metric_gets_fewer_resamples(monkeypatch):
    monkeypatch.setattr(evaluate, "SECONDS", 0.0)
    assert evaluate.interval(TASK, answers(first(150)), TRUTH, SCHEMA, ACCURACY, seed=0).resamples == evaluate.ENOUGH


def test_where_time_is_over_an_interval_rests_on_the_fewest_resamples():
    """A score of detection takes a third of a second on 5,000 images: 200 resamples would overrun the user's time."""
    given = (TASK, answers(first(150)), TRUTH, SCHEMA, ACCURACY, 0)
    assert evaluate.interval(*given, seconds=-1.0).resamples == evaluate.FEWEST
    paired = evaluate.compare(TASK, answers(first(160)), *given[1:], seconds=0.0)
    assert paired.interval.resamples == evaluate.FEWEST and paired.significant


def test_without_samples_there_is_no_interval():
    nothing = {"label": TRUTH["label"][:0]}
    band = evaluate.interval(TASK, answers(first(0, of=0)), nothing, SCHEMA, ACCURACY, seed=0)
    assert math.isnan(band.low) and math.isnan(band.high) and band.resamples == 0


# ---- comparisons ----------------------------------------------------------------------------------------


def test_a_clear_gain_is_significant():
    found = compare(answers(first(180)), answers(first(140)))
    assert found.gain == pytest.approx(0.2) and found.significant and found.interval.low > 0
    assert found.verdict.startswith("better than the baseline by 20 points of accuracy (95% interval +1")
    assert found.verdict.endswith(": significant")


def test_a_small_gain_is_not():
    rng = np.random.default_rng(0)
    found = compare(answers(rng.permutation(first(152))), answers(rng.permutation(first(150))))
    assert found.gain == pytest.approx(0.01) and not found.significant
    assert found.interval.low < 0 < found.interval.high
    assert found.verdict.startswith("better than the baseline by 1 points") and "not significant" in found.verdict
    back = compare(answers(rng.permutation(first(150))), answers(rng.permutation(first(152))))
    assert back.verdict.startswith("worse") and "not significant" in back.verdict


def test_a_clear_loss_says_to_use_the_baseline():
    found = compare(answers(first(140)), answers(first(180)))
    assert found.gain == pytest.approx(-0.2) and found.significant
    assert found.verdict.startswith("worse than the baseline by 20 points")
    assert "use the baseline" in found.verdict


def test_equal_models():
    found = compare(answers(first(140)), answers(first(140)))
    assert found.gain == 0 and not found.significant
    assert found.interval.low == -found.interval.high == pytest.approx(beta.ppf(0.025, 200, 1) - 1)
    assert found.verdict.startswith("no gain over the baseline (95% interval -1.83 to +1.83; exact, as all 200 samples")


@pytest.mark.parametrize(("count", "significant"), [(16, True), (6, True), (5, False), (2, False), (1, False)])
def test_a_gain_on_every_sample_is_as_sure_as_they_are_many(count, significant):
    """As the sign test has it, of two sides: five of five come by chance in 1 of 16."""
    truth = {"label": TRUTH["label"][:count]}
    right, wrong = answers(first(count, of=count)), answers(first(0, of=count))
    found = compare(right, wrong, truth=truth)
    assert found.significant is significant and (found.gain, found.interval.high) == (1.0, 1.0)
    assert found.interval.low == pytest.approx(2 * beta.ppf(0.025, count, 1) - 1)
    back = compare(wrong, right, truth=truth)
    assert back.interval.bounds == [-1.0, -found.interval.low] and back.significant is significant


def test_equal_models_by_another_metric():
    found = compare(answers(first(140)), answers(first(140)), LOG_LOSS)
    assert found.gain == 0 and found.interval.bounds is None and not found.significant
    assert found.verdict == "no gain over the baseline (no interval: too few of these 200 samples differ)"


def test_the_comparison_is_paired():
    """One model is right wherever the other is, and on six samples more: unpaired, that would drown in noise."""
    found = compare(answers(first(106)), answers(first(100)))
    alone = [evaluate.interval(TASK, answers(first(n)), TRUTH, SCHEMA, ACCURACY, 0) for n in (106, 100)]
    assert alone[0].low < alone[1].high, "the intervals of the two overlap"
    assert found.significant and found.interval.low > 0


def test_a_metric_to_be_made_small_gains_when_it_falls():
    found = compare(answers(first(180)), answers(first(140)), LOG_LOSS)
    assert found.gain > 0 and found.significant
    assert found.verdict.startswith("better") and "of log loss" in found.verdict and "points" not in found.verdict
    back = compare(answers(first(140)), answers(first(180)), LOG_LOSS)
    assert back.gain == pytest.approx(-found.gain) and back.verdict.startswith("worse")


def test_models_that_cannot_be_compared():
    nothing = {"label": TRUTH["label"][:0]}
    none = answers(first(0, of=0))
    found = compare(none, none, truth=nothing)
    assert not found.significant and "cannot be compared" in found.verdict and "nan" not in found.verdict


def test_resamples_to_which_a_metric_does_not_apply_are_left_out():
    class Rare(ToyTask):
        """Applies where the first sample was drawn."""

        def score(self, decoded, targets, schema, names):
            found = super().score(decoded, targets, schema, names)
            return found if (targets["id"] == 0).any() else dict.fromkeys(names, math.nan)

    truth = {**TRUTH, "id": np.arange(200)}
    band = evaluate.interval(Rare(), answers(first(160)), truth, SCHEMA, ACCURACY, seed=0)
    assert band.low < 0.8 < band.high


# ---- all metrics ----------------------------------------------------------------------------------------


def test_all_metrics_of_the_task():
    found = evaluate.all_metrics(TASK, answers(first(150)), TRUTH, SCHEMA)
    assert found["accuracy"] == 0.75 and found.keys() == {"accuracy", "log_loss"}


def test_a_metric_that_does_not_apply_is_none():
    found = evaluate.all_metrics(TASK, answers(first(0, of=0)), {"label": TRUTH["label"][:0]}, SCHEMA)
    assert found == {"accuracy": None, "log_loss": None}


def test_a_kept_model_scores_the_test_part(make_spec, ids):
    spec = make_spec(recipe={"epochs": 6, "lr": 0.01})
    job = Trial(spec)
    while not job.step().done:
        pass
    decoded, targets = evaluate.predict_test(spec.folder, spec.data, ids["test"])
    names = [spec.schema.classes[k] for k in targets["label"]]
    assert names == [name.split("/")[0] for name in ids["test"]], "targets in the order of the ids"
    assert decoded["probability"].shape == (len(ids["test"]), 4)
    assert evaluate.all_metrics(TASK, decoded, targets, spec.schema)["accuracy"] > 0.5


# ---- long recordings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "windows", "parts"), [(0.0, 1, False), (10.0, 5, True), (7.0, 0, False), (30.0, 0, True)]
)
def test_files_are_asked_for_where_the_store_may_lack_the_end(seconds, windows, parts):
    assert evaluate.heard_in_parts(Decoding(seconds=seconds, windows=windows)) is parts
