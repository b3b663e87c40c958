"""`TextClassification`: one class per text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autoft.api import Classification, Sample, Schema, class_metrics
from autoft_text import _tfidf

Array = np.ndarray[Any, np.dtype[Any]]


class TextClassification(_tfidf.Aiming, Classification):
    """One class per text. Implements `Task`, `Aimed` and `Baselined`."""

    name = "text-cls"
    modality = "text"
    inputs: tuple[str, ...] = ("text",)
    metrics = class_metrics("texts")

    def plain(
        self, train: Sequence[Sample], test: Sequence[Sample], schema: Schema, seconds: float
    ) -> tuple[str, dict[str, Array]]:
        """Logistic regression on TF-IDF weights of words and characters."""
        return _tfidf.classes(self, train, test, schema, seconds)
