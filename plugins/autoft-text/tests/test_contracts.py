"""The tasks and the plugin keep the contracts."""

from __future__ import annotations

from pathlib import Path

import msgspec

from autoft.api import Dataset, Sample
from autoft.testing import PluginContract, TaskContract
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
