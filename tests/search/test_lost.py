"""Trials whose process died for good: the model that they have kept counts, if validation has scored it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from autoft import artifact
from autoft.atomic import write_text
from autoft.records import Decoding, EpochReport, Job, Metric, TrialResult, TrialSpec, to_json
from autoft.search.ledger import Ledger
from autoft.search.outcome import Failure, TrialLost
from tests.search import scripted
from tests.search.scripted import Seen

LOST = TrialLost("the worker process died: it was killed (SIGKILL).").failure


def spec_in(folder: Path) -> TrialSpec:
    spec = scripted.spec_in(folder, 3, {"epochs": 9}, Metric(name="accuracy"))
    return msgspec.structs.replace(spec, folder=str(folder / "trials" / spec.name))


def keep(spec: TrialSpec, **changes: Any) -> None:
    """The model of the fifth epoch."""
    job = Job(card=spec.card, problem=spec.problem, recipe=spec.recipe)
    config = artifact.config_of(spec, job, Decoding(size=8), epoch=5, score=0.7)
    Path(spec.folder).mkdir(parents=True)
    write_text(Path(spec.folder) / artifact.CONFIG, to_json(msgspec.structs.replace(config, **changes)))


def failed(spec: TrialSpec, failure: Failure, *scores: float) -> TrialResult:
    seen = Seen()
    ledger = Ledger(seen)
    ledger.specs[spec.number] = spec
    ledger.begin(spec.number)
    for epoch, score in enumerate(scores, start=1):
        report = EpochReport(
            epoch=epoch, score=score, metrics={"accuracy": score}, train_loss=1.0, seconds=float(epoch)
        )
        ledger.report(spec.number, report)
    ledger.fail(spec.number, failure)
    ledger.fail(spec.number, failure)
    (result,) = seen.results
    return result


@pytest.mark.parametrize("scores", [(), (0.2, 0.4), (0.3, 0.4, 0.5, 0.6, 0.7), (0.1, 0.2, 0.3, 0.4, 0.7, 0.6)])
def test_the_kept_model_counts(tmp_path: Path, scores: tuple[float, ...]) -> None:
    """Whatever the attempt that was lost last had reported: a first one may have come further."""
    spec = spec_in(tmp_path)
    keep(spec)
    result = failed(spec, LOST, *scores)
    assert (result.status, result.score, result.best_epoch) == ("stopped", 0.7, 5)
    assert result.folder == spec.folder and result.reason == f"lost: {LOST.reason}"
    assert result.metrics == ({"accuracy": 0.7} if len(scores) > 4 else {})
    assert result.epochs >= 5


@pytest.mark.parametrize("changes", [{"score": None}, {"trial": "t0004"}])
def test_a_model_that_was_not_scored_does_not(tmp_path: Path, changes: dict[str, Any]) -> None:
    spec = spec_in(tmp_path)
    keep(spec, **changes)
    assert failed(spec, LOST).status == "failed"


def test_without_a_model_it_has_failed(tmp_path: Path) -> None:
    result = failed(spec_in(tmp_path), LOST, 0.4)
    assert (result.status, result.score, result.folder) == ("failed", None, "")


def test_what_fails_by_its_configuration_has_no_score(tmp_path: Path) -> None:
    spec = spec_in(tmp_path)
    keep(spec)
    assert failed(spec, Failure(reason="the loss is not finite", traceback="")).status == "failed"
