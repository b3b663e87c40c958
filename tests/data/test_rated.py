"""Numbers that several people told of one file are learned, and the file stays in one part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from autoft import registry
from autoft.data import splits, twins
from autoft.options import DataOptions
from autoft.pipeline import prepare
from autoft.records import Dataset, Sample


def ratings() -> Dataset:
    """Five people's of ten recordings."""
    own = [(f"{n // 5}.wav", 3.0 + n % 5 * 0.5) for n in range(50)]
    samples = (Sample(id=f"{n}", fields={"audio": f, "value": v}) for n, (f, v) in enumerate(own))
    return Dataset(samples=tuple(samples), reader="table", root="", recognised="")


def test_several_ratings_of_one_recording_are_learned_and_stay_in_one_part() -> None:
    twins.refuse_if_one_file_says_many_things(ratings().samples, "")
    found = twins.rated(ratings())
    assert len({(sample.group, sample.fields["audio"]) for sample in found.samples}) == 10
    assert len({sample.group for sample in found.samples}) == 10
    divided = splits.make(found, [""] * 50, [sample.id for sample in found.samples], 0)
    parts = [{int(name) // 5 for name in part} for part in (divided.folds[0].train, divided.folds[0].val, divided.test)]
    assert all(parts) and sum(map(len, parts)) == 10


def test_other_groups_single_ratings_pieces_and_classes_stay_as_they_are() -> None:
    single = [Sample(id="a", fields={"audio": "a", "value": 1.0})]
    known = [Sample(id=f"b{n}", fields={"audio": "b", "value": n}, group="who") for n in range(2)]
    cut = [Sample(id=f"c{n}", fields={"audio": "c", "piece": (n, n + 1), "value": n}) for n in range(2)]
    classes = [Sample(id=f"d{n}", fields={"audio": "d", "label": "x"}) for n in range(2)]
    words = [Sample(id=f"e{n}", fields={"text": "e", "value": n}) for n in range(2)]
    dataset = Dataset(samples=(*single, *known, *cut, *classes, *words), reader="", root="", recognised="")
    assert twins.rated(dataset) == dataset


def test_a_search_learns_from_all_ratings(tmp_path: Path) -> None:
    lines = ["file,score"]
    for n in range(10):
        noise = np.random.default_rng(n).integers(0, 255, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{n}.png")
        lines += [f"{n}.png,{3 + k * 0.5}" for k in range(5)]
    (tmp_path / "scores.csv").write_text("\n".join(lines))
    known = registry.load()
    found = prepare.check(known, DataOptions(data=str(tmp_path)), known.get("task", "image-reg"), 0, lambda event: None)
    assert len(found.dataset.samples) == 50 and len({sample.group for sample in found.dataset.samples}) == 10
    assert "no group is in two parts" in found.divided.sentence
