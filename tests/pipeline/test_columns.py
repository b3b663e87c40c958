"""What a model remembers of the table that it was trained on."""

from __future__ import annotations

import csv
from pathlib import Path

from autoft import registry
from autoft.datarecords import DataRef
from autoft.pipeline import plan, prepare
from autoft.pipeline.plan import spec_maker
from autoft.pipeline.search import resolved
from autoft.search.space import baseline
from tests.pipeline.conftest import options


def test_a_trial_is_told_the_columns_that_were_named_and_those_that_were_guessed(images: Path, tmp_path: Path) -> None:
    with (images.parent / "all.csv").open("w", newline="") as file:
        rows = [(str(path.relative_to(images.parent)), path.parent.name) for path in sorted(images.glob("*/*.png"))]
        csv.writer(file).writerows([("photo", "kind"), *rows])
    known = registry.installed()
    wanted, task = resolved(known, options(images.parent / "all.csv", tmp_path, target="kind"))
    checked = prepare.check(known, wanted, task, 0, lambda event: None)
    made = plan.make(known, wanted, task, checked, lambda event: None)
    ref = DataRef(store="", fingerprint="", dataset="", splits="")
    make_spec = spec_maker(made, known, wanted, checked.schema, ref, str(tmp_path))
    spec = make_spec(1, baseline(made.space))
    assert spec.columns == {"label": "kind"}
    assert spec.guessed == {"image": "photo", "label": "kind"}
