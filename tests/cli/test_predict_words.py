"""What `predict` says of files that cannot hold all of a prediction."""

from __future__ import annotations

import pytest

from autoft.cli.predict import where_else


class _Masks:
    def above(self) -> None: ...

    def export(self) -> None: ...


class _Boxes(_Masks):
    def items(self) -> None: ...


@pytest.mark.parametrize(
    ("task", "out", "said"),
    [
        (_Boxes(), "preds.csv", "--out preds.json"),
        (_Boxes(), "preds.tsv", "--out preds.json"),
        (_Masks(), "preds.json", "a folder, such as --out preds"),
        (_Boxes(), "preds.jsonl", ""),
        (_Boxes(), "folder", ""),
        (object(), "preds.csv", ""),
    ],
)
def test_a_table_of_boxes_or_masks_says_where_these_are(task: object, out: str, said: str) -> None:
    words = " ".join(where_else(task, out))
    assert bool(words) == bool(said) and said in words
