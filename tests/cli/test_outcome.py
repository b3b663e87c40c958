"""The last words of a search: which trial was chosen, and what became of what is wrong with the data."""

from __future__ import annotations

import time

import msgspec
import pytest

from autoft import events
from autoft.cli import outcome, told
from autoft.cli.board import Board
from autoft.report import issues
from tests.cli import records


def test_where_the_highest_score_is_not_chosen_it_is_said() -> None:
    board = Board()
    for event in (
        records.planned(time.time() + 600),
        events.TrialFinished(result=records.result(0, 0.9), best=True),
        events.TrialFinished(result=records.result(1, 0.95), best=False),
    ):
        board.take(event)
    result = records.result(1, 0.95)
    assert told.MORE in told.trial(result, board.row(result), board.best, board.metric)
    first = records.result(0, 0.9)
    assert told.MORE not in told.trial(first, board.row(first), board.best, board.metric)
    summary = records.summary()
    board.take(events.Finished(folder="", summary={**summary, "best": {**summary["best"], "trial": "t0000"}}))
    assert any(line.startswith("chosen: t0000, ") for line in outcome.sentences(board))
    board.take(events.Finished(folder="", summary={**summary, "best": {**summary["best"], "trial": "t0001"}}))
    assert not any(line.startswith("chosen: ") for line in outcome.sentences(board))


@pytest.mark.parametrize(("chosen", "said"), [("t0002", True), ("t0001", False), ("t0003", False)])
def test_a_model_that_does_not_stand_first_is_one_of_the_best(chosen: str, said: bool) -> None:
    board = Board()
    for number, score in ((1, 0.9), (2, 0.9), (3, 0.8)):
        ended = msgspec.structs.replace(records.result(number), score=score, metrics={"accuracy": score})
        board.take(events.TrialStarted(spec=records.spec(number)))
        board.take(events.TrialFinished(result=ended, best=False))
    board.take(events.Finished(folder="", summary={"best": {"trial": chosen, "score": 0.9}}))
    assert ("chosen: t0002, one of 2 trials with the best score" in list(outcome.sentences(board))) is said


@pytest.mark.parametrize(
    ("kind", "drops", "said"),
    [
        ("not_audio", False, "not audio (not used)"),
        ("not_audio", True, "not audio (left out)"),
        ("silent", False, "silent (kept)"),
    ],
)
def test_what_becomes_of_what_is_wrong(kind: str, drops: bool, said: str) -> None:
    assert issues.title(kind, drops) == said
