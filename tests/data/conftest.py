"""Small generated images in class folders, and the registry of what is installed."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from autoft.data import inspect, readers
from autoft.options import DataOptions
from autoft.records import Dataset, Sample
from autoft.registry import load


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("AUTOFT_CACHE", str(folder))
    return folder


@pytest.fixture
def picture():
    """Write an image whose content depends on `seed`, and give back its path."""

    def write(path: Path, seed: int = 0, size: tuple[int, int] = (12, 10), mode: str = "RGB", **save) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(noise).convert(mode).save(path, **save)
        return path

    return write


@pytest.fixture
def audio(tmp_path):
    """What is read of recordings in these places."""

    def read(*names, **options):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(name.encode())
        task = SimpleNamespace(inputs=("audio",), targets=("label",))
        return readers.open_dataset(load(), DataOptions(data=str(tmp_path), **options), task)

    return read


@pytest.fixture
def classes(tmp_path, picture):
    """Write class folders: `classes({"cats": 3, "dogs": 4})`, below `under` if given. Contents all differ."""
    counter = iter(range(10**6))

    def write(counts: dict[str, int], under: str = "", root: str = "imgs") -> Path:
        for name, count in counts.items():
            folder = tmp_path / root / under / name
            folder.mkdir(parents=True, exist_ok=True)
            for i in range(count):
                picture(folder / f"{i:03d}.png", seed=next(counter))
        return tmp_path / root

    return write


@pytest.fixture
def open_data():
    """`readers.open_dataset` for an image classification task, with the readers that are installed."""
    task = SimpleNamespace(inputs=("image",), targets=("label",))

    def call(data: Path | str, *, labelled: bool = True, **options) -> Dataset:
        return readers.open_dataset(load(), DataOptions(data=str(data), **options), task, labelled=labelled)

    return call


@pytest.fixture
def checked(open_data):
    def call(data: Path | str, **options) -> inspect.Inspection:
        return inspect.inspect(open_data(data, **options), ["image"])

    return call


@pytest.fixture
def rows():
    """A data set without files, for splits: `rows([("a1", "a"), ...])` with optional split and group."""

    def make(entries) -> Dataset:
        samples = []
        for name, label, *rest in entries:
            split, group = (*rest, "", "")[:2]
            samples.append(Sample(id=name, fields={"label": label}, split=split, group=group))
        return Dataset(samples=tuple(samples), reader="test", root="", recognised="")

    return make


@pytest.fixture
def not_root():
    if os.geteuid() == 0:
        pytest.skip("root may read everything")


@pytest.fixture
def shared() -> Path:
    folder = Path(os.environ.get("AUTOFT_SHARED") or Path(__file__).parents[2] / "../shared")
    if not folder.is_dir():
        pytest.skip("the shared data are absent")
    return folder
