"""A table of numbers becomes a model, a test score, predicted numbers and a report, from the shell."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from autoft.testing import toys
from tests.e2e.conftest import SHORT, Cli

pytest.importorskip("autoft_classification")


@pytest.mark.slow
def test_a_table_of_numbers_becomes_a_model(cli: Cli, place: Path) -> None:
    files = sorted((place / "imgs").glob("*/*.png"))
    lines = [f"{f.relative_to(place)};{2 * toys.CLASSES.index(f.parent.name)},5" for f in files]
    (place / "sizes.csv").write_text("\n".join(["image;size", *lines]))
    words = ("--task", "image-reg", "--data", "sizes.csv", "--target", "size", "--models", "numpy/mlp")
    done = cli("search", *words, "--time", "10m", "--trials", "3", "--name", "numbers", "--json", *SHORT)
    assert done.code == 0, done.err
    assert "decimal comma" in done.err
    assert done.json["metric"] == "r2" and done.json["trials"]["failed"] == 0
    assert set(done.json["test"]["metrics"]) == {"r2", "rmse", "mae", "spearman"}

    judged = cli("val", "numbers", "--data", "sizes.csv", "--target", "size", "--json")
    assert judged.code == 0, judged.err
    low, high = judged.json["interval"]
    assert judged.json["samples"] == 80 and low <= judged.json["metrics"]["r2"] <= high

    done = cli("predict", "numbers", "--source", "imgs/red_disc", "--out", "numbers.csv")
    assert done.code == 0, done.err
    with (place / "numbers.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 20 and all(-20 < float(row["prediction"]) < 30 for row in rows)

    run = place / "runs" / "image-reg" / "numbers"
    assert "r2" in (run / "report.html").read_text() and "0 classes" not in (run / "report.html").read_text()
    assert "## 0 classes" not in (run / "best" / "README.md").read_text()

    refused = cli("search", *words, "--dry-run", "class_weights=balanced", *SHORT)
    assert refused.code == 2 and "class_weights is part of cross_entropy" in refused.err
