"""Who has learned from the validation samples must not do clearly worse on them; chance is allowed for, and said."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autoft import refit
from autoft.errors import TrialFailed
from autoft.recipe import Recipe
from autoft.records import (
    DataRef,
    EpochReport,
    Metric,
    ModelCard,
    Problem,
    Schema,
    TrialResult,
    TrialSpec,
    from_json,
    to_json,
)
from autoft.report import final

ROWS = 100


class Stub:
    """A trial whose only epoch has the score that the name of its network says."""

    kept: list[float]

    def __init__(self, spec: TrialSpec) -> None:
        self.spec, self.parts = spec, [SimpleNamespace(val=range(ROWS))]

    def step(self) -> EpochReport:
        score = float(self.spec.card.name)
        return EpochReport(epoch=1, score=score, metrics={}, train_loss=0.0, seconds=1.0)

    def keep(self, score: float) -> None:
        Stub.kept.append(score)


@pytest.fixture(autouse=True)
def stub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refit, "Trial", Stub)
    Stub.kept = []


def job(metric: Metric, before: float, score: float, out: str = "") -> str:
    spec = TrialSpec(
        api="",
        number=0,
        task="t",
        backend="b",
        card=ModelCard(name=str(score), backend="b", modality="image"),
        problem=Problem(name="p", inputs=("image",), outputs=()),
        schema=Schema(task="t"),
        recipe=Recipe(),
        data=DataRef(store="", fingerprint="", dataset="", splits=""),
        metric=metric,
        seed=0,
        folder="trials/t0000",
    )
    result = TrialResult(
        number=0, model="m", backend="b", recipe=Recipe(), status="finished", score=before, best_epoch=1, epochs=1
    )
    return to_json(refit.job(spec, result, spec.schema, "trials/refit", 0.0, out))


ACCURACY = Metric(name="accuracy", best=1.0, share=True)
MAE = Metric(name="mae", mode="min", best=0.0)


@pytest.mark.parametrize(
    ("metric", "before", "score"),
    [(ACCURACY, 0.8, 0.9), (ACCURACY, 0.8, 0.77), (ACCURACY, 1.0, 0.99), (MAE, 2.249, 2.28), (MAE, 2.249, 2.0)],
)
def test_what_chance_explains_is_no_reason_to_refuse(metric: Metric, before: float, score: float) -> None:
    found = refit.fit(job(metric, before, score))
    assert (found.score, found.before, found.rows) == (score, before, ROWS)
    assert Stub.kept == [before], "the score of a model is that of the trial, which had not learned from validation"


@pytest.mark.parametrize(
    ("metric", "before", "score"), [(ACCURACY, 0.8, 0.75), (ACCURACY, 1.0, 0.98), (MAE, 2.249, 2.4), (MAE, 2.1, 14.5)]
)
def test_what_is_clearly_worse_is_refused_in_words(metric: Metric, before: float, score: float) -> None:
    with pytest.raises(TrialFailed, match=r"does worse on them .* that chance explains with 100 samples") as caught:
        refit.fit(job(metric, before, score))
    assert f"{score:.4g}" in str(caught.value) and f"than the trial that had not ({before:.4g})" in str(caught.value)
    assert Stub.kept == []


def test_what_was_found_reaches_another_process(tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    refit.write_fit(job(ACCURACY, 0.8, 0.77, str(out)))
    assert from_json(out.read_bytes(), refit.Refitted) == refit.Refitted(
        score=0.77, before=0.8, allowed=pytest.approx(0.04), rows=ROWS
    )


def summary(mode: str, score: float, before: float) -> dict[str, Any]:
    checked = {"score": score, "before": before, "allowed": 0.04, "rows": 100}
    again = {"samples": 500, "epochs": 5, "seconds": 9.0, "checked": checked}
    return {"mode": mode, "metric": "accuracy", "best": {"trial": "t0003"}, "refit": again}


@pytest.mark.parametrize(
    ("mode", "score", "before", "worse"),
    [("max", 0.77, 0.8, True), ("max", 0.8, 0.8, False), ("min", 0.77, 0.8, False), ("min", 0.8, 0.77, True)],
)
def test_the_user_reads_what_was_allowed(mode: str, score: float, before: float, worse: bool) -> None:
    said = final.sentence(summary(mode, score, before))
    assert said.startswith("t0003 was trained once more, on the 500 samples")
    words = f"{score} after {before} of the trial, a difference that chance explains (up to 0.04 with 100 samples)"
    assert (words in said) == worse


def test_runs_of_older_versions_have_nothing_to_say_of_it() -> None:
    told = summary("max", 0.7, 0.8)
    del told["refit"]["checked"]
    assert "chance" not in final.sentence(told)
