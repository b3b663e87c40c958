"""The tasks and the plugin keep the contracts."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from autoft.api import Dataset, Sample
from autoft.testing import PluginContract, TaskContract
from autoft_text import _tfidf
from autoft_text._classes import TextClassification
from autoft_text._numbers import TextRegression

WORDS = {"good": "a fine and lovely day", "bad": "an awful and dull night"}


def texts(classes: int = 2) -> Dataset:
    names = list(WORDS)[:classes]
    labels = [names[n * classes // 16] for n in range(16)]
    samples = tuple(
        Sample(id=f"row {n}", fields={"text": f"{WORDS[label]} {n}", "label": label}) for n, label in enumerate(labels)
    )
    return Dataset(samples=samples, reader="test", root="here", recognised="16 texts")


def numbered(dataset: Dataset, same: bool = False) -> Dataset:
    samples = [
        msgspec.structs.replace(s, fields={"text": s.fields["text"], "value": 1.0 if same else float(n)})
        for n, s in enumerate(dataset.samples)
    ]
    return msgspec.structs.replace(dataset, samples=tuple(samples))


class TestTextClassification(TaskContract):
    task = TextClassification

    def dataset(self, folder: Path) -> Dataset:
        return texts()

    def unlearnable(self, folder: Path) -> Dataset:
        return texts(classes=1)


class TestTextRegression(TaskContract):
    task = TextRegression

    def dataset(self, folder: Path) -> Dataset:
        return numbered(texts())

    def unlearnable(self, folder: Path) -> Dataset:
        return numbered(texts(), same=True)


class TestPlugin(PluginContract):
    plugin = "autoft_text.plugin"
    distribution = "autoft-text"


def test_the_plain_method_learns_what_words_say() -> None:
    task, data = TextClassification(), texts()
    schema = task.schema(data)
    name, decoded = task.plain(data.samples[:12], data.samples[12:], schema, 60.0)
    assert name == "logistic regression on TF-IDF"
    assert [schema.classes[i] for i in decoded["index"]] == [s.fields["label"] for s in data.samples[12:]]
    assert np.allclose(decoded["probability"].sum(1), 1, atol=1e-5)


def test_the_plain_method_for_numbers_is_scored_like_a_network() -> None:
    task = TextRegression()
    samples = tuple(
        Sample(id=str(n), fields={"text": list(WORDS.values())[n % 2], "value": float(n % 2)}) for n in range(20)
    )
    data = Dataset(samples=samples, reader="test", root="here", recognised="20 texts")
    schema = task.schema(data)
    problem = task.formulations(schema)[0]
    _, decoded = task.plain(samples[:14], samples[14:], schema, 60.0)
    targets = task.encode(samples[14:], schema, problem)
    assert task.score(decoded, targets, schema, ["r2"])["r2"] > 0.8


def test_the_plain_method_sees_what_two_texts_share() -> None:
    task, rng = TextClassification(), np.random.default_rng(0)
    rows = [" ".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 6, replace=False)) for _ in range(200)]
    samples = tuple(
        Sample(id=str(n), fields={"text": [row, row[::-1] if n % 2 else rows[n - 1]], "label": "no yes".split()[n % 2]})
        for n, row in enumerate(rows)
    )
    schema = task.schema(Dataset(samples=samples, reader="test", root="here", recognised="200 pairs"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        name, decoded = task.plain(samples[:150], samples[150:], schema, 60.0)
    assert name == "logistic regression on TF-IDF and on what the texts share"
    right = [schema.classes[i] == s.fields["label"] for i, s in zip(decoded["index"], samples[150:], strict=True)]
    assert np.mean(right) > 0.9


def test_languages_without_spaces_are_read_by_characters() -> None:
    task = TextClassification()
    rows = [("很好的酒店服务" if n % 2 else "房间又脏又小", str(n % 2)) for n in range(16)]
    samples = tuple(Sample(id=str(n), fields={"text": t, "label": y}) for n, (t, y) in enumerate(rows))
    data = Dataset(samples=samples, reader="test", root="here", recognised="16 texts")
    _, decoded = task.plain(samples[:12], samples[12:], task.schema(data), 60.0)
    assert decoded["index"].tolist() == [int(y) for _, y in rows[12:]]


@pytest.mark.parametrize("task", [TextClassification(), TextRegression()])
def test_the_plain_method_ends_in_time_and_says_so(
    task: TextClassification | TextRegression, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = texts() if isinstance(task, TextClassification) else numbered(texts())
    schema, clock = task.schema(data), itertools.count()
    monkeypatch.setattr(_tfidf, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    monkeypatch.setattr(_tfidf, "FEW", 2)
    name, decoded = task.plain(data.samples, data.samples[:2], schema, 21.0)
    assert "cut short to end in time: 1 of 5 strengths" in name
    assert len(next(iter(decoded.values()))) == 2
    name, _ = task.plain(data.samples, data.samples[:2], schema, 13.0)
    assert "its strength was not chosen" in name
    with pytest.raises(TimeoutError, match="no time was left"):
        task.plain(data.samples, data.samples[:2], schema, 5.0)
