"""A table of pictures with several labels becomes a model, thresholds, a test score and predicted labels."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from autoft.testing import scenes
from tests.e2e.conftest import SHORT, Cli

pytest.importorskip("autoft_classification")


def tables(place: Path) -> list[set[str]]:
    """Pictures in `scenes`, with their labels as columns in `flags.csv` and as lists in `lists.tsv`."""
    data = scenes.dataset(place / "scenes", count=80, width=32, height=32)
    files = [str(Path(sample.fields["image"]).relative_to(place)) for sample in data.samples]
    several = [{box[4] for box in sample.fields["boxes"]} for sample in data.samples]
    names = sorted(set().union(*several))
    flags = [["image", *names]] + [
        [file, *("yes" if name in own else "no" for name in names)] for file, own in zip(files, several, strict=True)
    ]
    lists = [["image", "inside"]] + [[file, "; ".join(sorted(own))] for file, own in zip(files, several, strict=True)]
    with (place / "flags.csv").open("w", newline="") as file:
        csv.writer(file).writerows(flags)
    with (place / "lists.tsv").open("w", newline="") as file:
        csv.writer(file, delimiter="\t").writerows(lists)
    return several


@pytest.mark.slow
def test_a_table_of_labels_becomes_a_model(cli: Cli, place: Path) -> None:
    several = tables(place)
    words = ("--task", "image-multilabel", "--models", "numpy/mlp")
    done = cli(
        "search", *words, "--data", "flags.csv", "--trials", "4", "--time", "10m", "--name", "one", "--json", *SHORT
    )
    assert done.code == 0, done.err
    assert "labels in 3 columns of yes and no" in done.err and "samples have no label" in done.err
    summary = done.json
    assert summary["metric"] == "map" and summary["trials"]["failed"] == 0
    names = sorted(set().union(*several))
    assert set(summary["best"]["calibrated"]) == {f"threshold:{name}" for name in names}
    by_class = {f"{word}:{name}" for word in ("ap", "f1") for name in names}
    assert set(summary["test"]["metrics"]) == {"map", "micro_f1", "macro_f1"} | by_class

    judged = cli("val", "one", "--data", "lists.tsv", "--target", "inside", "--json")
    assert judged.code == 0, judged.err
    low, high = judged.json["interval"]
    assert judged.json["samples"] == 80 and low <= judged.json["metrics"]["map"] <= high

    done = cli("predict", "one", "--source", "scenes", "--out", "found.csv")
    assert done.code == 0, done.err
    with (place / "found.csv").open() as file:
        rows = list(csv.DictReader(file))
    limits = {name: summary["best"]["calibrated"][f"threshold:{name}"] for name in names}
    assert len(rows) == 80
    for row in rows:
        chosen = [name for name in names if float(row[f"p_{name}"]) >= limits[name]]
        assert row["prediction"] == "|".join(chosen)

    run = place / "runs" / "image-multilabel" / "one"
    assert "Each class, locked test" in (run / "report.html").read_text()

    lists = cli("train", *words, "--data", "lists.tsv", "--target", "inside", "--name", "two", "--json", "epochs=2")
    assert lists.code == 0, lists.err
    assert "separated by semicolons" in lists.err and lists.json["best"]["calibrated"]
    refused = cli("search", *words, "--data", "flags.csv", "--dry-run", "class_weights=balanced", *SHORT)
    assert refused.code == 2 and "class_weights is part of cross_entropy" in refused.err
