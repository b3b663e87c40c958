"""What a searcher's desk makes of the calls of Ray Tune, in their orders where actors are lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autoft.records import EpochReport, Metric, TrialSpec, to_json
from autoft.search.outcome import Failure
from autoft.search.raydesk import RayDesk
from autoft.search.settings import Settings
from tests.search import scripted
from tests.search.scripted import Listed, Seen

LOST = Failure(reason="the node is gone", traceback="", lost=True)


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def desk(tmp_path: Path, seen: Seen) -> RayDesk:
    settings = Settings(metric=Metric(name="accuracy"), folder=str(tmp_path / "ray"))

    def spec_of(number: int, params: dict[str, Any]) -> TrialSpec | None:
        return scripted.spec_in(tmp_path, number, {"epochs": 1, **params}, settings.metric)

    desk = RayDesk(settings, Listed([{"lr": 0.5}]), spec_of, seen)
    assert desk.next() is not None
    return desk


def test_an_actor_that_is_lost_as_it_is_made_starts_once(desk: RayDesk, seen: Seen) -> None:
    """Tune tells that it tries again before it has told of a start."""
    desk.recovering(0, kept=False)
    assert seen.started_ == []
    desk.started(0)
    report = EpochReport(epoch=1, score=0.7, metrics={"accuracy": 0.7}, train_loss=1.0, seconds=1.0, done="all done")
    desk.told(0, {"report": to_json(report)})
    desk.completed(0, {})
    assert seen.started_ == [0]
    assert [(result.status, result.score) for result in seen.results] == [("finished", 0.7)]


def test_one_that_can_never_be_made_has_started_and_failed(desk: RayDesk, seen: Seen) -> None:
    desk.recovering(0, kept=False)
    desk.failed(0, LOST)
    desk.end("out of time")
    assert seen.started_ == [0]
    assert [(result.status, result.reason) for result in seen.results] == [("failed", "the node is gone")]
