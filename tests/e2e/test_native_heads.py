"""A checkpoint folder of Transformers with a head of its own, fine-tuned by the command that trains any network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autoft
from autoft.pipeline import predict
from autoft.testing import scenes

pytestmark = pytest.mark.slow
SIDE = 64
VALUES = {"image_size": str(SIDE), "epochs": "2", "batch_size": "8", "augment": "none"}


def trained(task: str, data: Path, checkpoint: Path, out: Path) -> tuple[dict[str, Any], str]:
    """The summary of one training, and the folder of its model."""
    run = autoft.train(
        str(data),
        task=task,
        model=str(checkpoint),
        backend="torch",
        time="10m",
        out=str(out),
        overrides=VALUES,
    )
    return json.loads((run.path / "metrics.json").read_text()), str(run.path / "best")


def coco(folder: Path, count: int) -> Path:
    """Toy pictures with their boxes as COCO has them."""
    data = scenes.dataset(folder / "images", count=count, width=SIDE, height=SIDE)
    names = sorted({box[4] for sample in data.samples for box in sample.fields["boxes"]})
    images, boxes = [], []
    for number, sample in enumerate(data.samples, 1):
        name = Path(sample.fields["image"]).relative_to(folder / "images")
        images.append({"id": number, "file_name": str(name), "width": SIDE, "height": SIDE})
        for x1, y1, x2, y2, kind, *_ in sample.fields["boxes"]:
            box = {"id": len(boxes) + 1, "image_id": number, "category_id": names.index(kind) + 1, "iscrowd": 0}
            boxes.append({**box, "bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)})
    categories = [{"id": n, "name": name} for n, name in enumerate(names, 1)]
    told = {"images": images, "annotations": boxes, "categories": categories}
    (folder / "annotations.json").write_text(json.dumps(told))
    return folder


def test_a_segformer_from_a_folder(tmp_path: Path) -> None:
    hf = pytest.importorskip("transformers")
    pytest.importorskip("autoft_torch"), pytest.importorskip("autoft_segmentation")
    config = hf.SegformerConfig(
        depths=[1, 1, 1, 1], hidden_sizes=[8, 16, 16, 32], num_attention_heads=[1, 1, 2, 2], decoder_hidden_size=16
    )
    hf.SegformerForSemanticSegmentation(config).save_pretrained(tmp_path / "checkpoint")
    scenes.write_masks(tmp_path / "data", count=40, width=SIDE, height=SIDE)
    summary, best = trained("image-seg", tmp_path / "data", tmp_path / "checkpoint", tmp_path / "runs")
    assert 0 <= summary["test"]["metrics"]["miou"] <= 1
    first, again = (predict.predict(best, str(tmp_path / "data" / "images")).decoded for _ in range(2))
    assert {len(rows) for rows in first.values()} == {40}
    assert all(np.array_equal(first[key], again[key]) for key in first)


def test_a_detector_from_a_folder(tmp_path: Path) -> None:
    hf = pytest.importorskip("transformers")
    pytest.importorskip("autoft_torch"), pytest.importorskip("autoft_detection")
    config = hf.YolosConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=[SIDE, SIDE],
        num_detection_tokens=10,
    )
    hf.YolosForObjectDetection(config).save_pretrained(tmp_path / "checkpoint")
    summary, best = trained("object-det", coco(tmp_path / "data", 40), tmp_path / "checkpoint", tmp_path / "runs")
    assert 0 <= summary["test"]["metrics"]["map"] <= 1
    assert {"nms", "confidence"} <= set(summary["best"]["calibrated"])
    found = predict.predict(best, str(tmp_path / "data" / "images"))
    assert len(found.ids) == 40 and found.decoded["boxes"].shape[2] == 6
