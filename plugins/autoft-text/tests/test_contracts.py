"""The tasks and the plugin keep the contracts."""

from __future__ import annotations

from pathlib import Path

import msgspec

from autoft.api import Dataset, Sample
from autoft.testing import PluginContract, TaskContract
from autoft_text._classes import TextClassification
from autoft_text._labels import TextMultiLabel
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


class TestTextMultiLabel(TaskContract):
    task = TextMultiLabel

    def dataset(self, folder: Path) -> Dataset:
        return labelled(texts())

    def unlearnable(self, folder: Path) -> Dataset:
        return labelled(texts(classes=1))


def labelled(dataset: Dataset) -> Dataset:
    """Texts with the label of each, and a second one on every third of those that have another."""
    samples = tuple(
        msgspec.structs.replace(
            s,
            fields={
                "text": s.fields["text"],
                "labels": [s.fields["label"], *["third"] * (n % 3 == 0 and s.fields["label"] == "bad")],
            },
        )
        for n, s in enumerate(dataset.samples)
    )
    return msgspec.structs.replace(dataset, samples=samples)


class TestPlugin(PluginContract):
    plugin = "autoft_text.plugin"
    distribution = "autoft-text"
