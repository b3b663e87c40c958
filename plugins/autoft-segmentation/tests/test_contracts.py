"""The task, the plugin and the readers keep the contracts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from autoft.api import Dataset, Problem, ReadOptions
from autoft.testing import PluginContract, ReaderContract, TaskContract, scenes
from autoft_segmentation._coco import CocoMaskReader
from autoft_segmentation._folder import MaskFolderReader
from autoft_segmentation._task import ImageSegmentation


class TestImageSegmentation(TaskContract):
    task = ImageSegmentation

    def dataset(self, folder: Path) -> Dataset:
        return scenes.masked(folder)

    def unlearnable(self, folder: Path) -> Dataset:
        return scenes.masked(folder, classes=0)

    def perfect_outputs(self, problem: Problem, targets: dict[str, Any]) -> dict[str, Any]:
        return {"mask": np.where(targets["mask"] == 255, 0, targets["mask"])}


class TestPlugin(PluginContract):
    plugin = "autoft_segmentation.plugin"
    distribution = "autoft-segmentation"


class TestMaskFolder(ReaderContract):
    reader = MaskFolderReader
    options = ReadOptions(needs=("image", "mask"))
    targets = ("mask",)

    def write(self, folder: Path) -> str:
        scenes.write_masks(folder, count=6)
        return str(folder)

    def write_damaged(self, folder: Path) -> str:
        scenes.write_masks(folder, count=6)
        (folder / "masks" / "0001.png").unlink()
        return str(folder)


class TestCocoMasks(ReaderContract):
    reader = CocoMaskReader
    options = ReadOptions(needs=("image", "mask"))
    targets = ("mask",)

    def write(self, folder: Path) -> str:
        write_coco(folder)
        return str(folder)

    def write_damaged(self, folder: Path) -> str:
        write_coco(folder)
        (folder / "images" / "0002.png").unlink()
        return str(folder)


def write_coco(folder: Path, count: int = 4) -> None:
    made = scenes.scenes(count)
    files = scenes.write_pictures(folder / "images", made)
    annotations: list[dict[str, Any]] = []
    for number, scene in enumerate(made):
        for x1, y1, x2, y2, name in scene.boxes:
            ring = [x1, y1, x2, y1, x2, y2, x1, y2]
            annotations.append(
                {"id": len(annotations), "image_id": number, "category_id": name, "segmentation": [ring]}
            )
    content = {
        "images": [{"id": number, "file_name": file.name} for number, file in enumerate(files)],
        "annotations": annotations,
        "categories": [{"id": name, "name": name} for name in sorted({a["category_id"] for a in annotations})],
    }
    (folder / "all.json").write_text(json.dumps(content))
