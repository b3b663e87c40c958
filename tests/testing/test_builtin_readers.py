"""The readers that core ships keep the contract of readers."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from autoft.data.arrays import ArrayReader
from autoft.data.filelists import FileListReader
from autoft.data.filenames import FileNameReader
from autoft.data.folder import FolderReader
from autoft.data.hf import HuggingFaceReader
from autoft.data.table import TableReader
from autoft.testing import PluginContract, ReaderContract, toys


class TestFolderReader(ReaderContract):
    reader = FolderReader

    def write(self, folder: Path) -> str:
        return str(toys.write_image_folder(folder / "imgs", per_class=3, splits=("train", "val")))

    def write_damaged(self, folder: Path) -> str:
        source = toys.write_image_folder(folder / "imgs", per_class=3)
        (source / "red_disc" / "notes.txt").write_text("not an image")
        (source / "no_images").mkdir()
        return str(source)


class TestTableReader(ReaderContract):
    reader = TableReader

    def write(self, folder: Path) -> str:
        return self.table(folder, [])

    def write_damaged(self, folder: Path) -> str:
        return self.table(folder, [("imgs/gone.png", "red_disc"), ("imgs/red_disc/0002.png", "")])

    def table(self, folder: Path, more: list[tuple[str, str]]) -> str:
        source = toys.write_image_folder(folder / "imgs", per_class=3)
        rows = [(str(path.relative_to(folder)), path.parent.name) for path in sorted(source.glob("*/*.png"))]
        with (folder / "labels.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("image", "label"), *rows, *more])
        return str(folder / "labels.csv")


class TestArrayReader(ReaderContract):
    reader = ArrayReader

    def write(self, folder: Path) -> str:
        return self.archive(folder, "red")

    def write_damaged(self, folder: Path) -> str:
        return self.archive(folder, "")

    def archive(self, folder: Path, last: str) -> str:
        pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
        np.savez(folder / "toys.npz", images=pixels, labels=np.array(["red", "blue", "red", "blue", "blue", last]))
        return str(folder / "toys.npz")


class TestFileListReader(ReaderContract):
    reader = FileListReader

    def write(self, folder: Path) -> str:
        return self.lists(folder, [])

    def write_damaged(self, folder: Path) -> str:
        return self.lists(folder, ["red_disc/gone.png 0", "red_disc/0001.png"])

    def lists(self, folder: Path, more: list[str]) -> str:
        source = toys.write_image_folder(folder / "imgs", per_class=5)
        lines = [f"{path.parent.name}/{path.name} {path.parent.name}" for path in sorted(source.glob("*/*.png"))]
        (source / "train.txt").write_text("\n".join([*lines, *more]))
        return str(source)


class TestFileNameReader(ReaderContract):
    reader = FileNameReader

    def write(self, folder: Path) -> str:
        (folder / "flat").mkdir()
        for path in toys.write_image_folder(folder / "imgs", per_class=3).glob("*/*.png"):
            path.rename(folder / "flat" / f"{path.parent.name}_{path.name}")
        return str(folder / "flat")

    def write_damaged(self, folder: Path) -> str:
        source = self.write(folder)
        (Path(source) / "notes.txt").write_text("not an image")
        return source


class TestHuggingFaceReader(ReaderContract):
    reader = HuggingFaceReader

    @pytest.fixture(autouse=True)
    def offline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("datasets")
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def write(self, folder: Path) -> str:
        return self.save(folder, [])

    def write_damaged(self, folder: Path) -> str:
        return self.save(folder, [None])

    def save(self, folder: Path, more: list[str | None]) -> str:
        import datasets

        files = sorted(toys.write_image_folder(folder / "imgs", per_class=3).glob("*/*.png"))
        columns = {"image": [*map(str, files), *more], "label": [*(path.parent.name for path in files), *more]}
        features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("string")})
        datasets.Dataset.from_dict(columns, features=features).save_to_disk(folder / "saved")
        return str(folder / "saved")


class TestBuiltinPlugin(PluginContract):
    plugin = "autoft.builtin"
    distribution = "autoft"
