"""A folder of toy pictures and masks becomes a model, a test score and predicted masks: one command per backend."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import autoft
from autoft.options import DataOptions
from autoft.pipeline import predict, validate
from autoft.testing import scenes

VALUES = {"image_size": "64", "epochs": "25", "batch_size": "8", "lr": "3e-3", "augment": "none", "warmup": "0"}


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_a_folder_of_masks_becomes_a_model(tmp_path: Path, backend: str) -> None:
    pytest.importorskip(f"autoft_{backend}"), pytest.importorskip("autoft_segmentation")
    made = scenes.write_masks(tmp_path / "data", count=48, width=64, height=64)
    (tmp_path / "data" / "classes.txt").write_text("nothing\nblue_ring\ngreen_square\nred_disc\n")
    run = autoft.train(
        str(tmp_path / "data"),
        task="image-seg",
        model="autoft/resnet-s",
        backend=backend,
        time="10m",  # a bound that a slow machine does not reach: training ends with its epochs
        out=str(tmp_path / "runs"),
        overrides=VALUES,
    )
    summary = json.loads((run.path / "metrics.json").read_text())
    scores = summary["test"]["metrics"]
    background = float(np.mean([(scene.mask == 0).mean() for scene in made]))
    assert scores["pixel_accuracy"] > background, "better than calling everything nothing"
    assert scores["miou"] > 2 * background / 4, scores
    assert set(scores) >= {"iou:nothing", "iou:red_disc", "dice"}

    best = str(run.path / "best")
    found = validate.validate(best, DataOptions(data=str(tmp_path / "data")))
    assert found["samples"] == 48 and found["metrics"]["miou"] > 0.5
    predictions = predict.predict(best, str(tmp_path / "data" / "images"))
    predictions.export(tmp_path / "masks")
    with Image.open(tmp_path / "masks" / "0000_mask.png") as mask:
        right = np.asarray(mask) == made[0].mask
    assert right.mean() > 0.8
