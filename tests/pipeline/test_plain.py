"""A method without a network that does better is not kept quiet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoft.pipeline.search import run_search
from autoft.records import Sample, Schema
from autoft.testing import ToyTask
from tests.pipeline.conftest import Heard, options

LATE = {"epochs": 1, "lr": 1e-6, "head_init": "random"}
"""Learns nothing."""


def plain(right: bool) -> Any:
    """A method that knows the truth, or its contrary."""

    def predictions(
        task: ToyTask, train: Sequence[Sample], test: Sequence[Sample], schema: Schema, seconds: float
    ) -> tuple[str, dict[str, Any]]:
        index = np.array([schema.classes.index(str(sample.fields["label"])) for sample in test])
        if not right:
            index = (index + 1) % len(schema.classes)
        return "a look into the book", {"probability": np.eye(len(schema.classes))[index], "index": index}

    return predictions


def outcome(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, right: bool) -> dict[str, Any]:
    monkeypatch.setattr(ToyTask, "plain", plain(right), raising=False)
    asked = options(images, tmp_path, trials=1, scheduler="", refit=False, overrides=LATE)
    return run_search(asked, Heard()).summary["test"]


def test_the_verdict_says_that_a_plain_method_is_better(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = outcome(images, tmp_path, monkeypatch, right=True)
    assert "worse than a look into the book by" in found["verdict"]
    assert "significant; use a look into the book, or search longer" in found["verdict"]
    assert found["plain"]["gain"] < 0 and found["plain"]["significant"]


def test_it_says_nothing_where_the_model_is_better(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = outcome(images, tmp_path, monkeypatch, right=False)
    assert "book" not in found["verdict"]
    assert found["plain"]["gain"] > 0 and "verdict" not in found["plain"]
