"""Decoding that would take too long: a part of the samples is used, and all records say so; or it is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autoft.data import filling, forms
from autoft.errors import BudgetEnded
from autoft.events import DataRecognised
from autoft.pipeline import budget
from autoft.records import Splits, from_json
from autoft.testing import toys
from tests.pipeline.conftest import Heard, Search


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the clock that is looked at, each image takes 10 ms: 400 of them take 4 s."""
    decode, portions, decoded = forms.images.decode, filling._portions, []
    monkeypatch.setattr(forms.images, "decode", lambda *args: (decoded.append(1), decode(*args))[1])
    monkeypatch.setattr(filling, "default_workers", lambda: 1)
    monkeypatch.setattr(filling, "_portions", lambda *args: portions(*args, lambda: 0.01 * len(decoded)))
    monkeypatch.setattr(budget, "LEAST", 0.1)
    monkeypatch.setenv("AUTOFT_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toys.write_image_folder(tmp_path_factory.mktemp("data") / "imgs", per_class=100)


def test_a_part_is_used_and_said(search: Search, many: Path, slow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "PREPARING", 2.0 / 600)
    heard = Heard()
    finished = search(heard, data=many, trials=1)
    folder = Path(finished.folder)
    divided = from_json((folder / "splits.json").read_bytes(), Splits)
    report = json.loads((folder / "data_report.json").read_text())
    sizes = {"train": len(divided.folds[0].train), "val": len(divided.folds[0].val), "test": len(divided.test)}
    assert {part: found["used"] for part, found in report["used"].items()} == sizes
    assert {part: found["there"] for part, found in report["used"].items()} == {"train": 280, "val": 60, "test": 60}
    assert 60 <= sum(sizes.values()) < 100
    said = f"{sizes['train']} of 280 train, {sizes['val']} of 60 val, {sizes['test']} of 60 test samples are used"
    assert divided.sentence.startswith(said) and "fit into --time" in divided.sentence
    assert report["split"] == divided.sentence == heard.of(DataRecognised)[0].sentence == finished.summary["notes"][0]
    assert len(json.loads((folder / "dataset.json").read_text())["samples"]) == sum(sizes.values())
    assert finished.summary["test"]["samples"] == sizes["test"]


def test_hardly_any_is_refused_at_once(
    search: Search, many: Path, slow: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(budget, "PREPARING", 1.2 / 600)
    with pytest.raises(BudgetEnded, match=r"60 samples .* in 1 s, .*, but \d+ s went into the first ones") as caught:
        search(data=many, trials=1)
    assert "decoding all 400 takes about" in caught.value.hint


def test_data_that_fit_are_as_they_were(search: Search, many: Path, slow: None) -> None:
    finished = search(data=many, trials=1)
    report = json.loads((Path(finished.folder) / "data_report.json").read_text())
    assert report["used"] == {} and report["split"].startswith("280 train, 60 validate, 60 test: test is 15 %")
