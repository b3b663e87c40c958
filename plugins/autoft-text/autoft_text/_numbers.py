"""`TextRegression`: one number per text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autoft.api import Regression, Sample, Schema
from autoft_text import _tfidf

Array = np.ndarray[Any, np.dtype[Any]]


class TextRegression(Regression):
    """One number per text. Implements `Task` and `Baselined`."""

    name = "text-reg"
    modality = "text"
    inputs: tuple[str, ...] = ("text",)

    def plain(
        self, train: Sequence[Sample], test: Sequence[Sample], schema: Schema, seconds: float
    ) -> tuple[str, dict[str, Array]]:
        """Ridge regression on TF-IDF weights of words and characters."""
        return _tfidf.numbers(self, train, test, schema, seconds)
