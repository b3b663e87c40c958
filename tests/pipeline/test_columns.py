"""What a model remembers of the table that it was trained on."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from autoft import artifact, registry
from autoft.datarecords import DataRef, Mask
from autoft.options import DataOptions
from autoft.pipeline import plan, prepare, validate
from autoft.pipeline.plan import spec_maker
from autoft.pipeline.resolve import resolved
from autoft.search.space import baseline
from tests.pipeline.conftest import options


def test_a_trial_is_told_the_columns_that_were_named_and_those_that_were_guessed(images: Path, tmp_path: Path) -> None:
    with (images.parent / "all.csv").open("w", newline="") as file:
        rows = [(str(path.relative_to(images.parent)), path.parent.name) for path in sorted(images.glob("*/*.png"))]
        csv.writer(file).writerows([("photo", "kind"), *rows])
    known = registry.installed()
    wanted, task = resolved(known, options(images.parent / "all.csv", tmp_path, target="kind"))
    checked = prepare.check(known, wanted, task, 0, lambda event: None)
    meaning, names = Mask(values={"0": "sky"}), {"0": "rose"}
    changed = msgspec.structs.replace(checked.dataset, meaning=meaning, names=names)
    checked = checked._replace(dataset=changed)
    made = plan.make(known, wanted, task, checked, lambda event: None)
    ref = DataRef(store="", fingerprint="", dataset="", splits="")
    make_spec = spec_maker(made, known, wanted, checked.schema, ref, str(tmp_path))
    spec = make_spec(1, baseline(made.space))
    assert spec.columns == {"label": "kind"}
    assert spec.guessed == {"image": "photo", "label": "kind"}
    assert spec.meaning == meaning, "of masks, by which further ones are read"
    job = artifact.Job(card=spec.card, problem=spec.problem, recipe=spec.recipe)
    kept = artifact.config_of(spec, job, artifact.Decoding(size=32), 1)
    assert (kept.meaning, kept.names) == (meaning, names)


def test_data_to_validate_on_are_read_as_the_model_remembers(monkeypatch: pytest.MonkeyPatch) -> None:
    mask, schema = Mask(values={"0": "sky"}), SimpleNamespace(classes=("none", "some"))
    named = {"columns": {"label": "kind"}, "guessed": {"image": "photo"}, "names": {"0": "none"}}
    config = SimpleNamespace(**named, meaning=mask, schema=schema)
    asked: dict[str, Any] = {}

    def opened(*arguments: Any, **known: Any) -> None:
        asked.update(known)
        raise InterruptedError

    monkeypatch.setattr(validate, "model_folder", lambda *_: "")
    monkeypatch.setattr(validate, "Predictor", lambda _: SimpleNamespace(config=config, task=None))
    monkeypatch.setattr(validate, "open_dataset", opened)
    with pytest.raises(InterruptedError):
        validate.validate("m", DataOptions())
    told = {"remembered": config.columns, "guessed": config.guessed, "names": config.names}
    assert asked == {**told, "meaning": mask, "classes": ("none", "some")}
