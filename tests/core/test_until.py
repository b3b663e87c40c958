"""What a learner is told of the time that is left, and what it says of an epoch."""

import math

import pytest

from autoft.contracts import EpochStats
from autoft.datarecords import EVERYTHING
from autoft.events import Note
from autoft.pipeline.watch import Watch
from autoft.records import EpochReport
from autoft.registry import load
from autoft.trial import Trial
from autoft.until import Until, seconds_left
from tests.core import told


@pytest.fixture
def asked(monkeypatch):
    """The seconds that learners were told, each time that they asked; half of an epoch later they ask again."""
    found = []

    def train_epoch(self, feed, epoch, stop):
        found.append(seconds_left(stop))
        told.CLOCK.now += 30
        found.append(seconds_left(stop))
        return EpochStats(1.0, 1, True, "so it is" if epoch == 1 else "")

    monkeypatch.setattr(told.Plain, "train_epoch", train_epoch)
    return found


def test_what_does_not_tell_the_time_that_is_left_is_no_limit():
    assert seconds_left(lambda: False) == math.inf and seconds_left(Until(bool, lambda: 3.0)) == 3.0
    assert not Until(bool, int)() and Until(lambda: True, int)()


def test_a_learner_may_plan_by_the_time_that_is_left_without_validation(make_spec, clock, asked):
    spec = make_spec(told.CARD, deadline=clock.now + 100, recipe={"predict_seconds": 5.0})
    reports = [job.step() for job in [Trial(spec)] for _ in range(2)]
    assert asked[:2] == [100, 70] and asked[2] == pytest.approx(100 - 30 - 5 - 5, abs=6)
    assert [report.said for report in reports] == ["so it is", ""]


def test_without_a_deadline_and_in_the_last_training_there_is_nothing_to_plan(make_spec, clock, asked):
    Trial(make_spec(told.CARD)).step()
    Trial(make_spec(told.CARD, deadline=clock.now + 100, division=EVERYTHING)).step()
    assert asked == [math.inf] * 4


class Deaf:
    """In place of what a search writes and plans by."""

    def __getattr__(self, name):
        return lambda *args, **kwargs: None


def test_of_what_learners_say_the_first_is_told_once():
    heard = []
    watch = Watch(Deaf(), Deaf(), heard.append, load())
    for number, said in enumerate(["", "so it is", "so it is", "much the same"]):
        report = EpochReport(epoch=1, score=0.5, metrics={}, train_loss=1.0, seconds=1.0, said=said)
        watch.reported(number, report)
    assert [note.text for note in heard if isinstance(note, Note)] == [": so it is"]
