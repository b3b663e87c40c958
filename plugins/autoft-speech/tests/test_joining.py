"""What is said in the parts of a long recording becomes one transcript."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoft.api import Dataset, Sample, Schema
from autoft_speech._asr import SpeechRecognition

TASK = SpeechRecognition()


def schema(*texts: str) -> Schema:
    samples = tuple(Sample(id=f"s{n}", fields={"transcript": text}) for n, text in enumerate(texts))
    return TASK.schema(Dataset(samples=samples, reader="here", root="here", recognised="a list"))


def heard(known: Schema, sure: float, *texts: str) -> dict[str, Any]:
    """As `decode` gives it, as wide as the longest needs."""
    characters = known.extra["characters"]
    rows = [[characters.index(letter) + 1 for letter in text] for text in texts]
    index = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for number, row in enumerate(rows):
        index[number, : len(row)] = row
    return {"index": index, "confidence": np.full(len(rows), sure, np.float32)}


def said(decoded: Any, known: Schema) -> list[object]:
    return [row["prediction"] for row in TASK.rows(decoded, known)]


def test_parts_are_joined_with_spaces_where_they_say_something() -> None:
    known = schema("a b", "ab")
    found = TASK.joined(
        heard(known, 0.5, "a", "b", "ab"),
        heard(known, 0.8, "ab", "", " b a ", "a", "b"),
        np.array([0, 0, 0, 2, 2]),
        known,
    )
    assert said(found, known) == ["ab b a", "b", "a b"]
    assert np.allclose(found["confidence"], [0.8, 0.5, 0.8])


def test_a_language_without_spaces_gets_none() -> None:
    known = schema("日本", "本日")
    assert said(TASK.joined(heard(known, 1, "日"), heard(known, 1, "本", "日本"), np.zeros(2, int), known), known) == [
        "本日本"
    ]


def test_what_a_beam_says_is_joined_as_well() -> None:
    known = schema("a b", "ab")
    both = [{**heard(known, 1, *texts), **_beam(heard(known, 0.6, *texts))} for texts in (("a",), ("a", "b"))]
    found = TASK.joined(both[0], both[1], np.zeros(2, int), known)
    assert np.array_equal(found["beam_index"], found["index"]) and np.allclose(found["beam_confidence"], 0.6)
    silent = TASK.joined(both[0], heard(known, 1, "", "") | _beam(heard(known, 1, "", "")), np.zeros(2, int), known)
    assert said(silent, known) == [""] and silent["confidence"].tolist() == [1.0]


def _beam(decoded: dict[str, Any]) -> dict[str, Any]:
    return {f"beam_{key}": values for key, values in decoded.items()}
