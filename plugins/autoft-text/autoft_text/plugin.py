"""What this distribution offers to autoft. Imported on every start: nothing heavy here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autoft.api import Entry, ModelCard, Param, Schema, hookimpl


@hookimpl
def autoft_tasks() -> Iterable[Entry]:
    yield Entry(
        name="text-cls",
        aliases=("text-classification", "sentiment"),
        target="autoft_text._classes:TextClassification",
        summary="One class per text",
    )
    yield Entry(
        name="text-reg",
        aliases=("text-regression",),
        target="autoft_text._numbers:TextRegression",
        summary="One number per text",
    )
    yield Entry(
        name="text-multilabel",
        aliases=("text-tagging",),
        target="autoft_text._labels:TextMultiLabel",
        summary="Any number of labels per text",
    )


@hookimpl
def autoft_edit_space(space: Sequence[Param], schema: Schema, cards: Sequence[ModelCard]) -> Iterable[Param]:
    if schema.task not in ("text-cls", "text-reg", "text-multilabel"):
        return ()
    from autoft_text._space import edits

    return tuple(edits(space, cards))
