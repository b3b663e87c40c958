"""What a task learns of targets: those that a trial trains on, in each fold, kept with the model alone."""

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from autoft import artifact, refit
from autoft.bank import Bank
from autoft.data import cache
from autoft.datarecords import EVERYTHING
from autoft.records import Caching, Fold, TrialResult
from autoft.testing import ToyTask
from autoft.trial import Trial


class Seen:
    """What a task was asked with."""

    def __init__(self) -> None:
        self.learned: list[np.ndarray] = []
        self.decoded: list[int] = []


@pytest.fixture
def seen(monkeypatch):
    """A toy task that counts what it is taught, decodes by it, and sets something on validation."""
    known = Seen()

    def learn(task, targets, schema):
        known.learned.append(np.sort(targets["label"]))
        return replace(schema, extra={**schema.extra, "taught": len(targets["label"]), "number": len(known.learned)})

    def decode(task, outputs, schema, problem):
        assert "calibrated" not in schema.extra or "settled" in schema.extra, "nothing of the epoch before"
        known.decoded.append(schema.extra["number"])
        return {"probability": outputs["label"], "index": outputs["label"].argmax(-1)}

    def calibrate(task, decoded, targets, schema):
        return replace(schema, extra={**schema.extra, "calibrated": {"rows": len(targets["label"])}})

    monkeypatch.setattr(ToyTask, "learn", learn, raising=False)
    monkeypatch.setattr(ToyTask, "decode", decode)
    monkeypatch.setattr(ToyTask, "calibrate", calibrate, raising=False)
    monkeypatch.setattr(ToyTask, "settled", lambda task, decoded, schema: decoded, raising=False)
    return known


def kept(folder):
    return artifact.read(Path(folder)).schema.extra


def test_each_fold_learns_of_what_it_trains_on_and_the_model_keeps_the_first(make_spec, data_ref, ids, seen):
    folds = [Fold(train=ids["train"], val=ids["val"]), Fold(train=ids["val"], val=ids["train"][:4])]
    spec = make_spec(data=data_ref(folds))
    job = Trial(spec)
    job.step(), job.step()
    assert [len(labels) for labels in seen.learned] == [len(ids["train"]), len(ids["val"])], "once for each fold"
    assert seen.decoded == [1, 2] * 2, "validation is decoded by what its own fold has learned"
    wanted = {"taught": len(ids["train"]), "number": 1, "calibrated": {"rows": len(ids["val"])}}
    assert kept(spec.folder) == wanted and spec.schema.extra == {}


def test_the_final_model_learns_of_all_and_what_was_set_stays(make_spec, tmp_path, ids, seen):
    spec = make_spec(recipe={"epochs": 1})
    report = Trial(spec).step()
    result = TrialResult(
        number=1, status="finished", model=spec.card.name, backend=spec.backend, recipe=spec.recipe, best_epoch=1
    )
    schema = artifact.read(Path(spec.folder)).schema
    schema = replace(schema, extra={**schema.extra, "settled": True})
    wanted = refit.job(spec, result, schema, str(tmp_path / "refit"), 0.0)
    assert wanted.spec.division == EVERYTHING and report.epoch == 1
    job = Trial(wanted.spec)
    job.step()
    job.keep(None)
    found = kept(wanted.spec.folder)
    assert found["taught"] == len(ids["train"]) + len(ids["val"]) and found["calibrated"] == {"rows": len(ids["val"])}


def test_heads_trained_side_by_side_decode_by_it(make_spec, tmp_path, monkeypatch, seen):
    monkeypatch.setenv(cache.PLACE, str(tmp_path / "cache"))
    caching = Caching(freezes=(1.0,), max_bytes=10**9)
    specs = [make_spec(recipe={"freeze": 1.0, "lr": lr}, caching=caching) for lr in (0.01, 0.02)]
    specs = [replace(s, number=n, folder=f"{s.folder}-{n}", data=specs[0].data) for n, s in enumerate(specs)]
    together = Trial(specs[0]).together(specs)
    assert isinstance(together, Bank), together
    together.step()
    assert seen.decoded == [1, 1]
