"""How many epochs a trial plans for by its first steps, and what it makes of a first epoch that does not fit."""

from pathlib import Path

import numpy as np
import pytest

from autoft import artifact
from autoft.batches import batches_shown_again, shown_again
from autoft.course import fitting
from autoft.pace import BEFORE, FORWARD, TELLING, Pace
from autoft.trial import Trial
from tests.core import told

STEPS = 16
"""In an epoch of the toys, one at a time; as many validate."""
VAL = FORWARD * STEPS
"""Seconds that validation is taken to last before the first one, where a step takes one."""


@pytest.fixture
def begin(make_spec, clock):
    """A trial whose steps take a second each; validation takes as long as it is foretold."""

    def make(card=told.CARD, recipe=None, **seconds):
        said = {"step_seconds": 1.0, "predict_seconds": VAL, "epochs": 20, "batch_size": 1, "patience": 0}
        if "deadline" in seconds:
            seconds["deadline"] += clock.now
        return Trial(make_spec(card, recipe={**said, **(recipe or {})}, **seconds))

    return make


def run(job):
    reports = [job.step()]
    while not reports[-1].done:
        reports.append(job.step())
    return reports


# ---- epochs, as numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allowance", "left", "done", "epochs"),
    [
        (56.0, 99.0, 0, 5),
        (99.0, 56.0, 0, 5),  # a deadline is nearer than what may be planned for
        (1.0, 99.0, 0, 2),
        (1.0, float("inf"), 0, 2),
        (9.0, 7.0, 0, 0.5),  # 5 s of training, 2 s of validation
        (9.0, 13.0, 0, 1.0),  # a second validation fits, a second training does not
        (9.0, 14.5, 0, 1.0),  # nearly nothing of a second epoch
        (9.0, 19.0, 0, 1.5),
        (99.0, 7.0, 1, 1.5),
        (36.0, 99.0, 1, 4),
        (99.0, -3.0, 0, 0.0),
    ],
)
def test_epochs_that_fit(allowance, left, done, epochs):
    assert fitting(allowance, 10.0, 2.0 if epochs != 5 else 1.0, left, done) == pytest.approx(epochs)


# ---- by the first steps ---------------------------------------------------------------------------------


def test_a_short_trial_is_told_after_its_first_steps(begin):
    job = begin(allowance=3.5 * (STEPS + VAL))
    reports = run(job)
    assert told.BUILT[0].plans == [(TELLING, 3)], "not at the end of an epoch that would have been a warm-up"
    assert len(reports) == 3 and {r.planned for r in reports} == {3}
    assert reports[-1].done == "all epochs done" and all(r.complete for r in reports)


@pytest.mark.parametrize("epochs", [11, 20, 40])
def test_a_trial_that_has_most_of_its_epochs_is_not(begin, epochs):
    job = begin(allowance=(epochs + 0.5) * (STEPS + VAL))
    job.step()
    assert [at for at, _ in told.BUILT[0].plans] == ([STEPS] if epochs < 20 else [])


def test_the_first_steps_of_all_are_not_believed(begin, monkeypatch, clock):
    job = begin(allowance=30 * (STEPS + VAL))
    train = told.BUILT[0].train_epoch

    def slow(feed, epoch, stop):
        def asked():
            clock.now += 50 if told.BUILT[0].steps < BEFORE else 0
            return stop()

        return train(feed, epoch, asked)

    monkeypatch.setattr(told.BUILT[0], "train_epoch", slow)
    job.step()
    assert all(at == STEPS for at, _ in told.BUILT[0].plans)


def test_a_slow_beginning_is_made_good_within_the_epoch(begin, clock, monkeypatch):
    job = begin(allowance=21 * (STEPS + VAL))
    train = told.BUILT[0].train_epoch

    def slow(feed, epoch, stop):
        def asked():
            clock.now += 9 if BEFORE <= told.BUILT[0].steps < TELLING else 0
            return stop()

        return train(feed, epoch, asked)

    monkeypatch.setattr(told.BUILT[0], "train_epoch", slow)
    job.step()
    (first, few), (second, more), *_ = told.BUILT[0].plans
    assert (first, second) == (TELLING, 2 * TELLING) and few < more <= 20


# ---- less than two epochs -------------------------------------------------------------------------------


def test_a_first_epoch_that_does_not_fit_ends_early_and_its_schedule_with_it(begin, clock):
    job, began = begin(allowance=9.0, deadline=9.0 + VAL), clock.now
    (report,) = run(job)
    assert told.BUILT[0].steps == 9 and clock.now - began == pytest.approx(9.0 + VAL)
    at, share = told.BUILT[0].plans[0]
    assert (at, share * STEPS) == (TELLING, pytest.approx(9.0)), "the rate has come to its end with the last step"
    assert (report.complete, report.done, report.planned) == (False, "out of time", 1)
    assert report.said == "there is time for 56% of the training samples, each seen once"
    assert artifact.read(Path(job.spec.folder)).epoch == 1 and report.score == 0.5


def test_a_second_epoch_may_end_early_too(begin):
    job = begin(allowance=9.0, deadline=1.5 * STEPS + 2 * VAL)
    first, second = run(job)
    assert told.BUILT[0].steps == 1.5 * STEPS
    assert (first.complete, second.complete, second.planned, second.said) == (True, False, 2, "")
    assert told.BUILT[0].plans[0] == (TELLING, pytest.approx(1.5))


def test_one_epoch_that_fits_is_a_whole_one(begin):
    (report,) = run(begin(allowance=9.0, deadline=STEPS + 1.5 * VAL))
    assert (report.complete, report.done, report.planned) == (True, "out of time", 1)
    assert told.BUILT[0].plans == [(TELLING, 1.0)]


def test_where_steps_become_slower_the_schedule_ends_all_the_same(begin, clock, monkeypatch):
    job, end = begin(allowance=9.0, deadline=STEPS + 1.2 * VAL), clock.now + STEPS + 1.2 * VAL
    train = told.BUILT[0].train_epoch

    def slow(feed, epoch, stop):
        def asked():
            clock.now += 1.0 if told.BUILT[0].steps >= STEPS / 2 else 0
            return stop()

        return train(feed, epoch, asked)

    monkeypatch.setattr(told.BUILT[0], "train_epoch", slow)
    (report,) = run(job)
    steps, planned = told.BUILT[0].steps, told.BUILT[0].planned * STEPS
    assert not report.complete and STEPS / 2 < steps < STEPS and planned == pytest.approx(steps, abs=0.5)
    assert clock.now <= end + 2


def test_without_an_allowance_nothing_is_planned(begin):
    (report,) = run(begin(deadline=9.0 + VAL))
    assert told.BUILT[0].plans == [] and not report.complete and report.planned == 0


def test_of_a_learner_that_cannot_be_rescheduled_the_epoch_ends_early_too(begin):
    (report,) = run(begin(told.PLAIN, allowance=9.0, deadline=9.0 + VAL))
    assert told.BUILT[0].steps == 9 and not report.complete


# ---- validation, before the first one -------------------------------------------------------------------


def test_before_the_first_validation_its_time_is_told_from_that_of_training(begin, clock):
    job, began = begin(deadline=12.0), clock.now
    (report,) = run(job)
    assert not report.complete and told.BUILT[-1].steps == 12 - int(VAL)
    assert clock.now - began < 12 + 1


def test_what_was_done_before_the_first_step_is_no_step(begin, clock, monkeypatch):
    """Steps are foretold by the first ones: preparing must not count as one of them."""
    job = begin(allowance=12.5 * (STEPS + VAL), deadline=999.0)
    train = told.BUILT[0].train_epoch

    def prepared(feed, epoch, stop):
        for _ in range(2 * TELLING):
            stop.left()
            stop()
            clock.now += 3
        stop.left()
        return train(feed, epoch, stop)

    monkeypatch.setattr(told.BUILT[0], "train_epoch", prepared)
    job.step()
    assert {at for at, _ in told.BUILT[0].plans} <= {STEPS}


def test_whoever_asks_for_the_time_left_forgets_no_steps_of_other_folds(make_spec, clock):
    spec = make_spec(recipe={"epochs": 20, "batch_size": 1}, allowance=130.0, deadline=clock.now + 130)
    pace = Pace(spec, [20, 20, 20], 0, lambda epochs: None)
    for fold in range(3):
        pace.begin(1, fold)
        pace.left()
        for _ in range(20):
            assert not pace.stop()
            clock.now += 1
    assert pace.epochs == pytest.approx(2, abs=0.1), "60 s of 130 for an epoch"


# ---- what is shown once more behind an epoch ------------------------------------------------------------

SHOWN = FORWARD * 8
"""Seconds, for the 8 batches of the toys' epoch in batches of 2."""


@pytest.fixture
def settling(begin, monkeypatch):
    """The same, of learners that show all samples of an epoch once more, and few of one that ends early."""
    behind = []
    train = told.Plain.train_epoch

    def shows(self, feed, epoch, stop):
        stats = train(self, feed, epoch, stop)
        behind.append(batches_shown_again(stats.steps, 2, whole=stats.complete))
        told.CLOCK.now += FORWARD * behind[-1]
        return stats

    monkeypatch.setattr(told.Plain, "settles", lambda self: True, raising=False)
    monkeypatch.setattr(told.Plain, "train_epoch", shows)
    return lambda **seconds: begin(recipe={"batch_size": 2, "predict_seconds": VAL / 2}, **seconds)


def test_epochs_are_planned_with_what_is_shown_once_more(settling):
    job = settling(allowance=3.5 * (STEPS / 2 + SHOWN + VAL / 2))
    reports = run(job)
    assert [epochs for _, epochs in told.BUILT[0].plans] == [3] and len(reports) == 3


@pytest.mark.parametrize("spare", [0.0, 0.5, 1.0, SHOWN - 0.1, SHOWN, SHOWN + 1, 10.0])
@pytest.mark.parametrize("allowance", [0.0, 9.0])
def test_nothing_runs_past_the_deadline_for_it(settling, clock, spare, allowance):
    end = clock.now + STEPS / 2 + VAL / 2 + spare
    reports = run(settling(allowance=allowance, deadline=end - clock.now))
    assert clock.now <= end + 1, "a step that was begun is ended"
    assert reports[0].complete == (spare >= SHOWN - 1)


def test_samples_that_are_shown_once_more_are_counted_as_they_are_shown():
    for steps in (0, 1, 7, 31, 32, 64, 999):
        for whole in (True, False):
            shown = shown_again([np.arange(4)] * steps, whole=whole)
            assert batches_shown_again(steps, 4, whole=whole) == len(shown)
    assert batches_shown_again(9, 1, whole=True) == 0, "one sample has no statistics"


def test_where_no_step_is_taken_time_is_over_when_validation_must_begin(make_spec, clock):
    pace = Pace(make_spec(recipe={"batch_size": 2}, deadline=clock.now + 10), [8], 16, lambda epochs: None)
    pace.val_seconds = 4.0
    assert not pace.late()
    clock.now += 6
    assert pace.late() and pace.late()


@pytest.mark.parametrize("validation", [1.5, 3.0])
def test_epochs_of_few_steps_are_planned_by_what_they_took(make_spec, clock, validation):
    """Nothing tells what is shown once more there but the whole epoch."""
    spec = make_spec(recipe={"epochs": 40, "batch_size": 16}, allowance=120.0, deadline=clock.now + 500)
    planned = []
    pace = Pace(spec, [3], 13, planned.append, lambda: True)
    pace.begin(1, 0)
    whole = 3 * 0.7 + 3 * FORWARD * 0.7 + validation
    for _ in range(3):
        assert not pace.stop()
        clock.now += 0.7
    pace.val_seconds = validation
    clock.now += whole - 3 * 0.7
    pace.ended(whole, 0.0)
    assert planned == [int(120 / whole)]
