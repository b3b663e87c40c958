"""`TextMultiLabel`: any number of labels per text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from autoft.api import MultiLabel, Sample, Schema
from autoft_text import _tfidf

Array = np.ndarray[Any, np.dtype[Any]]


class TextMultiLabel(MultiLabel):
    """Any number of labels per text, none of them included. Implements also `Aimed` and `Baselined`."""

    name = "text-multilabel"
    modality = "text"
    inputs: tuple[str, ...] = ("text",)

    def aimed(self, schema: Schema, metric: str) -> Schema:
        """The plain method goes by the same metric."""
        return msgspec.structs.replace(schema, extra={**schema.extra, _tfidf.AIM: metric})

    def plain(
        self, train: Sequence[Sample], test: Sequence[Sample], schema: Schema, seconds: float
    ) -> tuple[str, dict[str, Array]]:
        """Logistic regression for each label on TF-IDF weights of words and characters."""
        return _tfidf.labels(self, train, test, schema, seconds)
