"""Models that are kept though their scores are not the best: second runs may choose one of them."""

import time

import msgspec

from autoft import registry
from autoft.events import Note
from autoft.options import KEPT_MODELS
from autoft.pipeline.budget import Budget
from autoft.pipeline.watch import Watch
from tests.core import test_run
from tests.core.test_run import add, kept, published, result

writer = test_run.writer
SCORES = [0.80, 0.90, 0.93, 0.92, 0.90, 0.84, 0.85, 0.91]
"""Trial 0, three finalists, their second runs, and one of a later round: the mean of trials 1 and 4 is the best."""


def searched(made, needed=()):
    made.needed = lambda: needed
    for number, score in enumerate(SCORES):
        add(made, number, score)
    return made


def watched(made):
    heard = []
    watch = Watch(made, Budget(60.0, time.time()), heard.append, registry.installed())
    return watch, heard


def test_the_chosen_model_is_there_where_it_was_needed(writer):
    made = searched(writer(), needed=[1, 2, 3])
    assert kept(made) == ["t0000", "t0001", "t0002", "t0003", "t0007"]
    assert made.has(1) and not made.has(4) and not made.has(99)
    watch, heard = watched(made)
    watch.choose(1)
    assert published(made) == "t0001" and made.best.number == 1
    assert not [event for event in heard if isinstance(event, Note)] and not watch.notes
    assert kept(made) == ["t0000", "t0001", "t0002", "t0003", "t0007"], "the best few are kept as ever"
    add(made, 8, 0.95)
    add(made, 9, 0.95)
    assert kept(made) == ["t0000", "t0001", "t0002", "t0008", "t0009"], "and of the others the chosen one alone"


def test_a_choice_that_cannot_be_kept_is_said(writer):
    made = searched(writer())
    watch, heard = watched(made)
    watch.choose(1)
    assert published(made) == "t0002"
    (note,) = [event for event in heard if isinstance(event, Note)]
    assert note.level == "warning" and "t0001 was chosen, but its model is not there" in note.text
    assert "t0002" in note.text and watch.notes == (note.text,)


def test_a_model_that_another_machine_has_is_fetched_where_it_is_needed(writer):
    made = searched(writer(), needed=[9])
    low = result(made, 9, 0.1)
    assert made.kept([*made.results, low]) == {0, 2, 3, 7, 9}
    assert len(made.kept([*made.results, msgspec.structs.replace(low, number=8)])) == KEPT_MODELS + 2
