"""`TextMultiLabel`: any number of labels per text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autoft.api import MultiLabel, Sample, Schema
from autoft_text import _tfidf

Array = np.ndarray[Any, np.dtype[Any]]


class TextMultiLabel(_tfidf.Aiming, MultiLabel):
    """Any number of labels per text, none of them included. Implements also `Aimed` and `Baselined`."""

    name = "text-multilabel"
    modality = "text"
    inputs: tuple[str, ...] = ("text",)

    def plain(
        self, train: Sequence[Sample], test: Sequence[Sample], schema: Schema, seconds: float
    ) -> tuple[str, dict[str, Array]]:
        """Logistic regression for each label on TF-IDF weights of words and characters."""
        return _tfidf.labels(self, train, test, schema, seconds)
