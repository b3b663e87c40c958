"""COCO's metrics against pycocotools, on the same files."""

from __future__ import annotations

import contextlib
import io
import json
import math
from pathlib import Path

import numpy as np
import pytest

from autoft_detection import _dense, _metrics

CLASSES = 3
SIDE = 200
MOST = 200


def example(seed: int, images: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Boxes near the truth: some missed, doubled, elsewhere, of another class; crowds among the truth."""
    rng = np.random.default_rng(seed)
    truth = np.full((images, 6, 5), -1.0)
    found = np.full((images, MOST, 6), -1.0)
    for image in range(images):
        number = int(rng.integers(0, 6))
        low = rng.uniform(0, 0.6, (number, 2))
        high = low + rng.uniform(0.05, 0.4, (number, 2))
        kind = rng.integers(0, CLASSES, number)
        code = np.where(rng.random(number) < 0.15, _dense.ignored(kind), kind)
        truth[image, :number] = np.concatenate([low, high, code[:, None]], 1)
        rows = []
        for a, b, k in zip(low, high, kind, strict=True):
            for _ in range(int(rng.integers(0, 3))):
                shake = rng.normal(0, 0.02, 4)
                said = k if rng.random() < 0.8 else rng.integers(CLASSES)
                rows.append([*(np.concatenate([a, b]) + shake), rng.random(), said])
        for _ in range(int(rng.integers(0, 3))):
            corner = rng.uniform(0, 0.5, 2)
            rows.append([*corner, *(corner + rng.uniform(0.05, 0.4, 2)), rng.random(), rng.integers(CLASSES)])
        rows.sort(key=lambda row: -row[4])
        if rows:
            found[image, : len(rows)] = rows
    return found, truth


def files(folder: Path, found: np.ndarray, truth: np.ndarray) -> tuple[Path, Path]:
    """As COCO's files, in pixels of square pictures."""

    def corner(row: np.ndarray) -> list[float]:
        x1, y1, x2, y2 = (row[:4] * SIDE).tolist()
        return [x1, y1, x2 - x1, y2 - y1]

    real, said = [], []
    for image in range(len(truth)):
        for row in truth[image][truth[image][:, 4] != -1]:
            kind = row[4] if row[4] >= 0 else _dense.ignored(row[4])
            box = corner(row)
            entry = {"id": len(real) + 1, "image_id": image, "bbox": box, "area": box[2] * box[3]}
            real.append({**entry, "category_id": int(kind), "iscrowd": int(row[4] < 0)})
        for row in found[image][found[image][:, 5] >= 0]:
            box = corner(row)
            said.append({"image_id": image, "bbox": box, "score": float(row[4]), "category_id": int(row[5])})
    pictures = [{"id": image, "width": SIDE, "height": SIDE} for image in range(len(truth))]
    kinds = [{"id": kind, "name": str(kind)} for kind in range(CLASSES)]
    one, other = folder / "truth.json", folder / "found.json"
    one.write_text(json.dumps({"info": {}, "images": pictures, "annotations": real, "categories": kinds}))
    other.write_text(json.dumps(said))
    return one, other


@pytest.mark.parametrize("seed", range(4))
def test_as_pycocotools(tmp_path: Path, seed: int) -> None:
    pytest.importorskip("pycocotools")
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    found, truth = example(seed)
    one, other = files(tmp_path, found, truth)
    with contextlib.redirect_stdout(io.StringIO()):
        real = COCO(str(one))
        judge = COCOeval(real, real.loadRes(str(other)), "bbox")
        judge.evaluate(), judge.accumulate(), judge.summarize()
    ours = _metrics.compute(["map", "ap50", "ap75"], found, truth, CLASSES)
    assert np.allclose([ours["map"], ours["ap50"], ours["ap75"]], judge.stats[:3], atol=1e-6), (ours, judge.stats[:3])
    theirs = judge.eval["precision"][:, :, :, 0, -1].mean(axis=(0, 1))
    assert np.allclose(_metrics.by_class(found, truth, CLASSES), theirs, atol=1e-6)
    assert 0.05 < ours["map"] < 0.95, "an example that says something"


def test_nothing_predicted_is_zero_and_nothing_true_is_no_number() -> None:
    found, truth = example(0)
    nothing = np.full_like(found, -1)
    assert _metrics.compute(["map"], nothing, truth, CLASSES) == {"map": 0.0}
    assert math.isnan(_metrics.compute(["map"], found, np.full_like(truth, -1), CLASSES)["map"])
    assert math.isnan(_metrics.compute(["map"], found[:0], truth[:0], CLASSES)["map"])


def test_a_class_that_is_absent_counts_nowhere() -> None:
    truth = np.array([[[0, 0, 0.5, 0.5, 0]]])
    found = np.full((1, MOST, 6), -1.0)
    found[0, 0] = [0, 0, 0.5, 0.5, 0.9, 0]
    found[0, 1] = [0.5, 0.5, 1, 1, 0.9, 2]
    assert _metrics.compute(["map"], found, truth, CLASSES) == {"map": pytest.approx(1.0)}
    assert np.isnan(_metrics.by_class(found, truth, CLASSES)[1:]).all()


def test_resamples_score_as_if_nothing_were_remembered() -> None:
    found, truth = example(1)
    rows = np.random.default_rng(0).integers(0, len(truth), 30)
    _metrics.compute(["map"], found, truth, CLASSES)
    kept = _metrics.compute(["map", "ap50"], found[rows], truth[rows], CLASSES)
    _metrics._kept.clear()
    assert _metrics.compute(["map", "ap50"], found[rows], truth[rows], CLASSES) == kept
    assert _metrics.compute(["map"], found, truth, CLASSES) != {"map": kept["map"]}


def test_two_models_are_remembered_however_many_images_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """A paired bootstrap scores both again and again; one that pushed the other out would be judged anew each time."""
    monkeypatch.setattr(_metrics, "KEPT", 10)
    _metrics._kept.clear()
    one, truth = example(1, 40)
    other = np.concatenate([one[..., :4], one[..., 4:5] * 0.9, one[..., 5:]], axis=-1)
    rows = np.random.default_rng(0).integers(0, len(truth), len(truth))
    for found in (one, other):
        _metrics.compute(["map"], found, truth, CLASSES)
    known = set(_metrics._kept)
    for found in (one, other, one):
        _metrics.compute(["map"], found[rows], truth[rows], CLASSES)
    assert set(_metrics._kept) == known and len(known) == len({*map(bytes, one), *map(bytes, other)})
    _metrics.compute(["map"], one[:3], truth[:3], CLASSES)
    assert len(_metrics._kept) <= 10, "those of a set that is no longer asked for go"
