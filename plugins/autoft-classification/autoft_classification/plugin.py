"""What this distribution offers to autoft. Imported on every start: nothing heavy here."""

from __future__ import annotations

from collections.abc import Iterable

from autoft.api import Entry, hookimpl


@hookimpl
def autoft_tasks() -> Iterable[Entry]:
    yield Entry(
        name="image-cls",
        aliases=("classify", "image-classification"),
        target="autoft_classification._task:ImageClassification",
        summary="One class per image",
    )
    yield Entry(
        name="image-reg",
        aliases=("image-regression",),
        target="autoft_classification._regression:ImageRegression",
        summary="One number per image",
    )
    yield Entry(
        name="image-multilabel",
        aliases=("multilabel", "image-tagging"),
        target="autoft_classification._multilabel:ImageMultiLabel",
        summary="Any number of labels per image",
    )
