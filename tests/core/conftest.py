"""Fake distributions for the registry, and decoded toy data with everything that a trial needs."""

from __future__ import annotations

import hashlib
import itertools
import sys
from pathlib import Path

import pytest

from autoft import pace, registry, trial
from autoft.data import store
from autoft.recipe import Recipe
from autoft.records import DataRef, Dataset, Fold, Metric, ModelCard, Splits, TrialSpec, to_json
from autoft.testing import ToyTask, toys
from autoft.testing.numpy_backend import CARD
from autoft.version import API_VERSION
from tests.core import told

SIZE = 16
ACCURACY = Metric(name="accuracy", percent=True, share=True)
LOG_LOSS = Metric(name="log_loss", mode="min")
_numbers = itertools.count()


# ---- plugins --------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of packages on sys.path. `site(source)` writes a module; `dist="x"` makes it an installed plugin."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delenv(registry.ENVIRONMENT, raising=False)
    written: list[str] = []

    def write(source: str, dist: str = "", point: str = "", version: str = "1.2") -> str:
        module = f"fake_plugin_{next(_numbers)}"
        (folder / f"{module}.py").write_text(f"from autoft.api import Entry, hookimpl\n{source}\n", encoding="utf-8")
        written.append(module)
        if dist:
            info = folder / f"{dist.replace('-', '_')}-{version}.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n")
            (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{point or module} = {module}\n")
        return module

    yield write
    for module in written:
        sys.modules.pop(module, None)


@pytest.fixture
def fakes(monkeypatch):
    """The registry of this process offers the toy task, the numpy backend and the backend that does as it is told."""
    monkeypatch.setenv(registry.ENVIRONMENT, "autoft.testing.plugin,tests.core.told")
    registry.installed.cache_clear()
    told.BUILT.clear()
    yield registry.installed()
    registry.installed.cache_clear()


# ---- data -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def toy_data(tmp_path_factory) -> tuple[Dataset, Path]:
    """40 toys of 4 classes, and the folder of their store."""
    folder = tmp_path_factory.mktemp("toys")
    dataset = toys.dataset(folder / "images", per_class=10, size=SIZE)
    files = [Path(sample.fields["image"]).read_bytes() for sample in dataset.samples]
    digests = [hashlib.sha256(content).hexdigest() for content in files]
    made, issues = store.build(dataset, digests, *toys.pictures(SIZE), folder / "cache", workers=1)
    assert not issues
    return dataset, made.folder


@pytest.fixture
def ids(toy_data):
    """Sample ids in three shares of each class, not in the order of the store: 4 validate, 2 test, 4 train."""
    names = [sample.id for sample in toy_data[0].samples]
    place = {name: number % 10 for number, name in enumerate(names)}
    names.sort(key=lambda name: hashlib.sha256(name.encode()).digest())
    return {
        "val": tuple(name for name in names if place[name] < 4),
        "test": tuple(name for name in names if 4 <= place[name] < 6),
        "train": tuple(name for name in names if place[name] >= 6),
    }


@pytest.fixture
def data_ref(tmp_path, toy_data, ids):
    """Write dataset.json and splits.json into a folder of their own; folds and data may be others."""

    def write(folds=None, dataset: Dataset | None = None, store_folder: Path | None = None) -> DataRef:
        folder = tmp_path / f"data{next(_numbers)}"
        folder.mkdir()
        splits = Splits(
            seed=0,
            kind="given",
            sentence="as the test says",
            folds=tuple(folds or [Fold(train=ids["train"], val=ids["val"])]),
            test=ids["test"],
        )
        (folder / "dataset.json").write_text(to_json(dataset or toy_data[0]))
        (folder / "splits.json").write_text(to_json(splits))
        return DataRef(
            store=str(store_folder or toy_data[1]),
            fingerprint="toys",
            dataset=str(folder / "dataset.json"),
            splits=str(folder / "splits.json"),
        )

    return write


@pytest.fixture
def make_spec(tmp_path, toy_data, data_ref, fakes):
    """A trial of the numpy backend, or of another card; `recipe` and what else the spec holds can be said."""

    def make(card: ModelCard = CARD, number: int = 1, data: DataRef | None = None, recipe=None, **fields) -> TrialSpec:
        task = ToyTask()
        schema = task.schema(toy_data[0])
        plain = {"model": card.name, "lr": 3e-3, "epochs": 4, "batch_size": 4, "augment": "none", "precision": "fp32"}
        whole = {
            "api": API_VERSION,
            "number": number,
            "task": task.name,
            "backend": card.backend,
            "card": card,
            "problem": task.formulations(schema)[0],
            "schema": schema,
            "recipe": Recipe.of({**plain, **(recipe or {})}),
            "data": data or data_ref(),
            "metric": ACCURACY,
            "seed": 3,
            "folder": str(tmp_path / "trials" / f"t{number:04d}"),
        }
        return TrialSpec(**{**whole, **fields})

    return make


@pytest.fixture
def clock(monkeypatch) -> told.Clock:
    """The time that trials see: it stands still unless a learner of `told` takes its time."""
    told.CLOCK.now = 1000.0
    monkeypatch.setattr(trial, "time", told.CLOCK)
    monkeypatch.setattr(pace, "time", told.CLOCK)
    return told.CLOCK
