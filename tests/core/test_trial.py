"""One trial: when it ends, what it keeps, and what it never touches."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from autoft import artifact, trial, trialdata
from autoft.errors import DataError, TrialFailed
from autoft.records import EpochReport, Fold, from_json, to_json
from autoft.testing.numpy_backend import CARD
from autoft.testing.numpy_learner import FILE, read
from autoft.trial import Trial
from tests.core import told
from tests.core.conftest import LOG_LOSS

EPOCH = 4
"""Steps in an epoch: 16 samples train, 4 at a time."""


def run(spec, most=50):
    """Every report of a trial, until it is done."""
    job, reports = Trial(spec), []
    while not reports or not reports[-1].done:
        assert len(reports) < most, "the trial never ends"
        reports.append(job.step())
    return reports


def kept(spec):
    return artifact.read(Path(spec.folder))


def weights(spec):
    return read(Path(spec.folder) / FILE)


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


# ---- one epoch after the other --------------------------------------------------------------------------


def test_a_trial_trains_epoch_by_epoch_and_keeps_its_best_model(make_spec):
    spec = make_spec(recipe={"epochs": 6, "lr": 0.01, "patience": 0})
    reports = run(spec)
    assert [r.epoch for r in reports] == [1, 2, 3, 4, 5, 6]
    assert [r.done for r in reports] == [""] * 5 + ["all epochs done"]
    assert reports[-1].train_loss < reports[0].train_loss
    best = max(reports, key=lambda r: (r.score, r.epoch))
    assert (kept(spec).epoch, kept(spec).score) == (best.epoch, best.score)
    assert best.score > 0.5, "toys can be learned"
    assert all(r.complete and r.planned == 0 and r.metrics == {"accuracy": r.score} for r in reports)
    assert [r.seconds for r in reports] == sorted(r.seconds for r in reports)
    assert all(from_json(to_json(r), EpochReport) == r for r in reports)
    assert all(0 < r.resample_seconds < 1 for r in reports), "the time of the last step is planned by it"


def test_the_same_spec_gives_the_same_trial(make_spec):
    spec = make_spec()
    other = replace(spec, number=2, folder=spec.folder + "-2")
    assert [r.score for r in run(spec)] == [r.score for r in run(other)]
    assert same(weights(spec), weights(other))


def test_patience_counts_from_the_first_of_equal_epochs_and_the_last_is_kept(make_spec):
    spec = make_spec(told.CARD, recipe={"epochs": 9, "patience": 2, "scores": "0.25,0.5,0.5,0.25,0.75"})
    reports = run(spec)
    assert [r.score for r in reports] == [0.25, 0.5, 0.5, 0.25]
    assert reports[-1].done == "no better score for 2 epochs"
    assert kept(spec).epoch == 3, "its rate is lower"


def test_patience_0_never_stops(make_spec):
    assert len(run(make_spec(told.CARD, recipe={"epochs": 9, "patience": 0, "scores": "0.5"}))) == 9


def test_a_score_to_be_made_small(make_spec):
    spec = make_spec(told.CARD, recipe={"epochs": 3, "scores": "0.25,0.75,0.5"}, metric=LOG_LOSS)
    reports = run(spec)
    assert reports[1].score < reports[2].score < reports[0].score
    assert kept(spec).epoch == 2
    assert reports[0].metrics.keys() == {"log_loss"}


# ---- time -----------------------------------------------------------------------------------------------


def test_the_deadline_ends_an_epoch_half_way_and_the_model_is_kept(make_spec, clock):
    spec = make_spec(told.CARD, recipe={"step_seconds": 1.0}, deadline=clock.now + 2.5)
    (report,) = run(spec)
    assert told.BUILT[0].steps == 3
    assert not report.complete and report.done == "out of time"
    assert (report.score, kept(spec).epoch) == (0.5, 1)


def test_time_for_validation_is_kept_back(make_spec, clock):
    said = {"step_seconds": 1.0, "predict_seconds": 2.0, "epochs": 9}
    reports = run(make_spec(told.CARD, recipe=said, deadline=clock.now + 11))
    # 4 s of training and 2 s of validation, then 3 steps: the fourth would leave less than the 2 s.
    assert told.BUILT[0].steps == EPOCH + 3
    assert [r.val_seconds for r in reports] == [2.0, 2.0]
    assert clock.now == 1011


def test_no_epoch_begins_that_the_deadline_would_cut_at_once(make_spec, clock):
    said = {"step_seconds": 1.0, "predict_seconds": 2.0, "epochs": 9}
    (report,) = run(make_spec(told.CARD, recipe=said, deadline=clock.now + 8))
    assert report.complete and report.done == "out of time"


def test_an_allowance_makes_the_trial_plan_fewer_epochs(make_spec, clock):
    spec = make_spec(told.CARD, recipe={"step_seconds": 1.0, "epochs": 20, "patience": 0}, allowance=5.5 * EPOCH)
    reports = run(spec)
    assert len(reports) == 5 and reports[-1].done == "all epochs done"
    assert {r.planned for r in reports} == {5}
    assert told.BUILT[0].planned == 5, "the schedule must come to its end"


def test_a_small_allowance_still_plans_two_epochs(make_spec, clock):
    assert len(run(make_spec(told.CARD, recipe={"step_seconds": 1.0, "epochs": 20}, allowance=1.0))) == 2


def test_an_allowance_that_suffices_changes_nothing(make_spec, clock):
    spec = make_spec(told.CARD, recipe={"step_seconds": 1.0, "epochs": 3}, allowance=3.0 * EPOCH)
    reports = run(spec)
    assert len(reports) == 3 and {r.planned for r in reports} == {0} and told.BUILT[0].planned == 0


def test_a_learner_that_cannot_be_rescheduled_trains_fewer_epochs_all_the_same(make_spec, clock):
    spec = make_spec(told.PLAIN, recipe={"step_seconds": 1.0, "epochs": 20}, allowance=3.0 * EPOCH)
    assert len(run(spec)) == 3


def test_a_slow_first_epoch_does_not_decide_how_many_there_are(make_spec, clock, monkeypatch):
    spec = make_spec(told.CARD, recipe={"step_seconds": 1.0, "epochs": 20, "patience": 0}, allowance=20.0 * EPOCH)
    job = Trial(spec)
    clock.now, began = clock.now, clock.now
    train = told.BUILT[0].train_epoch

    def slow(feed, epoch, stop):
        clock.now += 5 * EPOCH if epoch == 1 else 0
        return train(feed, epoch, stop)

    monkeypatch.setattr(told.BUILT[0], "train_epoch", slow)
    reports = [job.step()]
    while not reports[-1].done:
        reports.append(job.step())
    assert [r.planned for r in reports[:2]] == [3, 15]
    assert len(reports) == 15 and clock.now - began == 20 * EPOCH


# ---- folds and weights ----------------------------------------------------------------------------------


def test_several_folds_average_and_the_first_ones_model_is_kept(make_spec, data_ref, ids):
    folds = [Fold(train=ids["train"], val=ids["val"]), Fold(train=ids["val"], val=ids["train"])]
    alone = [make_spec(number=n, data=data_ref([fold])) for n, fold in enumerate(folds, start=2)]
    apart = [[r.score for r in run(spec)] for spec in alone]
    both = make_spec(data=data_ref(folds), recipe={"patience": 0})
    reports = run(both)
    assert [r.score for r in reports] == pytest.approx(np.mean(apart, axis=0))
    assert apart[0] != apart[1], "else this test shows nothing"
    first = make_spec(number=4, data=data_ref(folds[:1]), recipe={"patience": 0})
    job = Trial(first)
    for _ in range(kept(both).epoch):
        job.step()
    job.parts[0].learner.save(Path(first.folder))
    assert same(weights(first), weights(both))


def test_balanced_weights_reach_the_loss_of_each_fold(make_spec, data_ref, ids):
    def some(colour, count):
        return [name for name in ids["train"] if name.startswith(colour)][:count]

    fold = Fold(train=(*some("blue", 4), *some("green", 4), *some("red", 1)), val=ids["val"])
    spec = make_spec(told.CARD, recipe={"class_weights": "balanced"}, data=data_ref([fold]))
    job = Trial(spec)
    assert job.parts[0].job.problem.outputs[0].class_weights == (0.75, 0.75, 3.0, 0.0)
    plain = Trial(replace(spec, recipe=replace(spec.recipe, class_weights="none")))
    assert plain.parts[0].job.problem.outputs[0].class_weights == ()


def test_balanced_weights_leave_the_mean_loss_in_its_scale():
    targets = np.array([0] * 6 + [2] * 2 + [3])
    found = trialdata.balanced_weights(np.bincount(targets, minlength=5))
    assert found == pytest.approx((0.5, 0.0, 1.5, 3.0, 0.0))
    assert np.mean(np.array(found)[targets]) == pytest.approx(1.0)


def test_steps_of_an_epoch_are_told_to_the_schedule(make_spec):
    assert Trial(make_spec(told.CARD)).parts[0].job.steps_per_epoch == EPOCH
    assert Trial(make_spec(told.CARD, recipe={"batch_size": 5})).parts[0].job.steps_per_epoch == 4
    assert Trial(make_spec(told.CARD, recipe={"batch_size": 500})).parts[0].job.steps_per_epoch == 1


@pytest.mark.parametrize(
    "card, asked, seen",
    [
        ({}, 0, 20),
        ({}, 24, 24),
        ({"fixed_size": True, "input_size": 48}, 0, 48),
        ({"modality": "audio"}, 24, 0),
    ],
)
def test_the_side_that_the_network_sees(make_spec, card, asked, seen):
    spec = make_spec(replace(CARD, **card), recipe={"image_size": asked})
    assert trial.image_size(spec, decode_size=20) == seen


# ---- paused and taken up --------------------------------------------------------------------------------


def test_a_paused_trial_goes_on_as_if_it_had_not_been(make_spec, tmp_path):
    spec = make_spec(recipe={"epochs": 5})
    straight = run(spec)
    paused = replace(spec, number=2, folder=spec.folder + "-2")
    before = Trial(paused)
    first = [before.step(), before.step()]
    before.save_state(tmp_path / "state")
    after = Trial(paused)
    after.load_state(tmp_path / "state")
    reports = [*first, after.step(), after.step(), after.step()]
    assert [(r.epoch, r.score, r.done) for r in reports] == [(r.epoch, r.score, r.done) for r in straight]
    assert [r.train_loss for r in reports] == pytest.approx([r.train_loss for r in straight])
    assert kept(paused).epoch == kept(spec).epoch


def test_its_clock_its_plan_and_its_patience_go_on_too(make_spec, clock, tmp_path):
    said = {"step_seconds": 1.0, "epochs": 20, "patience": 3, "scores": "0.5"}
    spec = make_spec(told.CARD, recipe=said, allowance=6.0 * EPOCH)
    before = Trial(spec)
    assert before.step().planned == 6 and before.step().seconds == 2 * EPOCH
    before.save_state(tmp_path / "state")
    clock.now += 500  # paused
    after = Trial(spec)
    after.load_state(tmp_path / "state")
    report = after.step()
    assert (report.epoch, report.seconds, report.planned) == (3, 3 * EPOCH, 6)
    assert told.BUILT[-1].planned == 6
    assert after.step().done == "no better score for 3 epochs"


def test_a_model_newer_than_the_state_is_not_replaced_by_a_worse_one(make_spec, tmp_path):
    """A worker that is lost after a checkpoint repeats epochs; the best model may be of one of them."""
    spec = make_spec(told.CARD, recipe={"scores": "0.25,0.75,0.5,0.5"})
    lost = Trial(spec)
    lost.step()
    lost.save_state(tmp_path / "state")
    lost.step()
    again = Trial(spec)
    again.load_state(tmp_path / "state")
    assert (again.epoch, again.best_epoch, again.best_score) == (1, 2, 0.75)


def test_the_state_of_another_trial_brings_its_weights_but_not_its_best_score(make_spec, tmp_path):
    donor = Trial(make_spec(told.CARD, number=1, recipe={"scores": "0.5,1.0"}))
    donor.step(), donor.step()
    donor.save_state(tmp_path / "state")

    spec = make_spec(told.CARD, number=2, recipe={"scores": "0.25,0.25,0.75,0.5", "patience": 2, "epochs": 9})
    Trial(spec).step()
    taker = Trial(spec)
    taker.load_state(tmp_path / "state")
    assert (taker.epoch, taker.best_epoch, taker.best_score) == (2, 1, 0.25)
    report = taker.step()
    assert (report.epoch, report.score, report.done) == (3, 0.75, "")
    assert kept(spec).epoch == 3, "better than its own best, though not than that of the other"


def test_patience_counts_from_where_another_trials_weights_were_taken_up(make_spec, tmp_path):
    said = {"scores": "0.5", "patience": 2, "epochs": 20}
    donor = Trial(make_spec(told.CARD, number=1, recipe={**said, "patience": 0}))
    for _ in range(6):
        donor.step()
    donor.save_state(tmp_path / "state")
    spec = make_spec(told.CARD, number=2, recipe=said)
    Trial(spec).step()
    taker = Trial(spec)
    taker.load_state(tmp_path / "state")
    assert [taker.step().done, taker.step().done] == ["", "no better score for 2 epochs"]


def test_the_first_score_after_another_trials_state_counts_where_there_is_no_model_yet(make_spec, tmp_path):
    donor = Trial(make_spec(told.CARD, number=1, recipe={"scores": "1.0"}))
    donor.step()
    donor.save_state(tmp_path / "state")
    spec = make_spec(told.CARD, number=2, recipe={"scores": "0.25"})
    taker = Trial(spec)
    taker.load_state(tmp_path / "state")
    taker.step()
    assert (kept(spec).epoch, kept(spec).score) == (2, 0.25)


def test_a_learner_that_cannot_be_paused_says_so(make_spec, tmp_path):
    job = Trial(make_spec(told.PLAIN))
    job.step()
    with pytest.raises(TrialFailed, match="the backend 'told' cannot pause trials"):
        job.save_state(tmp_path)


# ---- refused --------------------------------------------------------------------------------------------


def test_another_api_is_refused(make_spec):
    with pytest.raises(TrialFailed, match="made for autoft API 0"):
        Trial(make_spec(api="0"))


@pytest.mark.parametrize(
    "versions, words",
    [({"numpy": "0.1"}, r"the driver has numpy 0\.1, but this worker has \d"), ({"gone-lib": "1.0"}, "has none")],
)
def test_other_versions_than_the_drivers_are_refused(make_spec, versions, words):
    with pytest.raises(TrialFailed, match=words) as refused:
        Trial(make_spec(versions=versions))
    assert "same versions on all nodes" in refused.value.hint


def test_builds_of_one_version_for_other_devices_go_together(make_spec):
    Trial(make_spec(versions={"numpy": f"{np.__version__}+cu126"}))


def test_the_versions_of_this_process_are_accepted_and_kept_with_the_model(make_spec):
    found = trial.versions(told.Backend())
    assert found.keys() == {"autoft", "numpy"}
    spec = make_spec(told.CARD, versions=found)
    Trial(spec).step()
    assert kept(spec).versions == found


def test_a_library_that_is_not_installed_has_no_version():
    class Backend(told.Backend):
        distributions = ("numpy", "gone-lib")

    assert trial.versions(Backend()).keys() == {"autoft", "numpy"}


@pytest.mark.parametrize("said, words", [({"scores": "0.5,nan"}, "log_loss"), ({"loss": math.nan}, "training loss")])
def test_what_is_no_number_fails_the_trial(make_spec, said, words):
    spec = make_spec(told.CARD, recipe=said, metric=LOG_LOSS)
    with pytest.raises(TrialFailed, match=f"{words} must be a finite number"):
        run(spec)
    path = Path(spec.folder)
    assert not path.exists() or kept(spec).epoch == 1


# ---- the test part --------------------------------------------------------------------------------------


@pytest.fixture
def poisoned(toy_data, data_ref, tmp_path):
    """The same data, where the pixels of these samples are noise and their labels are none of the classes."""

    def poison(names):
        dataset, folder = toy_data
        other = tmp_path / "poisoned"
        shutil.copytree(folder, other)
        pixels = np.load(other / "image.npy", mmap_mode="r+")
        for row, sample in enumerate(dataset.samples):
            if sample.id in names:
                pixels[row] = np.random.default_rng(row).integers(0, 256, pixels[row].shape)
        pixels.flush()
        samples = [
            replace(s, fields={**s.fields, "label": "nonsense"}) if s.id in names else s for s in dataset.samples
        ]
        return data_ref(dataset=replace(dataset, samples=tuple(samples)), store_folder=other)

    return poison


def test_a_trial_never_looks_at_the_test_part(make_spec, poisoned, ids):
    clean = make_spec()
    other = make_spec(number=2, data=poisoned(ids["test"]))
    assert [(r.score, r.train_loss) for r in run(clean)] == [(r.score, r.train_loss) for r in run(other)]
    assert same(weights(clean), weights(other))


@pytest.mark.parametrize("part", ["train", "val"])
def test_such_poison_shows_in_the_other_parts(make_spec, poisoned, ids, part):
    with pytest.raises(DataError, match="nonsense"):
        Trial(make_spec(data=poisoned(ids[part][:1])))
