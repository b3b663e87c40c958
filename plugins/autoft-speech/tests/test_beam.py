"""Beam decoding: what it finds, when validation chooses it, and what happens where its library is missing."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from autoft.api import Dataset, Sample, UsageError
from autoft_speech import _beam
from autoft_speech._asr import SpeechRecognition

TASK = SpeechRecognition()
SAMPLES = tuple(Sample(id=f"s{n}", fields={"transcript": text}) for n, text in enumerate(("a", "b", "ab")))
SCHEMA = TASK.schema(Dataset(samples=SAMPLES, reader="here", root="here", recognised="a list"))
(PROBLEM,) = TASK.formulations(SCHEMA)
#: Blank, a, b, unknown. The likeliest path of each recording says nothing, but more paths say "a", "b".
UNSURE = np.array([[[0.6, 0.4, 0, 0]] * 2, [[0.6, 0, 0.4, 0]] * 2], np.float32)


def said(*texts: str) -> dict[str, np.ndarray]:
    samples = [Sample(id=text, fields={"transcript": text}) for text in texts]
    return dict(TASK.encode(samples, SCHEMA, PROBLEM))


def words(decoded: dict[str, np.ndarray]) -> list[object]:
    return [row["prediction"] for row in TASK.rows(decoded, SCHEMA)]


def test_a_beam_adds_up_the_paths_of_a_transcript() -> None:
    pytest.importorskip("fast_ctc_decode")
    index, confidence = _beam.search(UNSURE)
    assert index.tolist() == [[1, 0], [2, 0]] and np.allclose(confidence, 0.4)
    nothing = np.zeros((2, 5, 4), np.float32)
    nothing[..., 0] = 1
    assert [part.tolist() for part in _beam.search(nothing)] == [[[0] * 5] * 2, [1.0, 1.0]]
    assert [len(part) for part in _beam.search(nothing[:0])] == [0, 0]


def test_repeated_characters_need_a_blank_between_them() -> None:
    pytest.importorskip("fast_ctc_decode")
    frames = np.eye(4, dtype=np.float32)[[[1, 1, 0, 1, 2, 2, 0, 0]]]
    assert _beam.search(frames)[0].tolist() == [[1, 1, 2, 0, 0, 0, 0, 0]]


def test_validation_chooses_the_beam_where_it_makes_fewer_errors() -> None:
    pytest.importorskip("fast_ctc_decode")
    decoded = TASK.decode({"transcript": UNSURE}, SCHEMA, PROBLEM)
    assert words(decoded) == ["", ""]
    chosen = TASK.calibrate(decoded, said("a", "b"), SCHEMA)
    assert chosen.extra["calibrated"] == {"beam": _beam.WIDTH}
    assert words(TASK.settled(decoded, chosen)) == ["a", "b"]
    assert words(TASK.settled(TASK.decode({"transcript": UNSURE}, chosen, PROBLEM), chosen)) == ["a", "b"]
    level = TASK.calibrate(TASK.decode({"transcript": UNSURE}, SCHEMA, PROBLEM), said("", ""), SCHEMA)
    assert level.extra["calibrated"] == {"beam": 1}
    assert "beam_index" not in TASK.decode({"transcript": UNSURE}, level, PROBLEM), "it is not searched for nothing"


def test_without_the_library_decoding_is_greedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_beam, "available", lambda: False)
    decoded = TASK.decode({"transcript": UNSURE}, SCHEMA, PROBLEM)
    kept = TASK.calibrate(decoded, said("a", "b"), SCHEMA)
    assert sorted(decoded) == ["confidence", "index"] and kept.extra["calibrated"] == {"beam": 1}
    assert words(TASK.settled(decoded, kept)) == ["", ""]


def test_a_model_with_a_beam_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fast_ctc_decode", None)
    extra = {**SCHEMA.extra, "calibrated": {"beam": 12}}
    with pytest.raises(UsageError, match="chosen with a beam of 12, which needs fast-ctc-decode"):
        TASK.decode({"transcript": UNSURE}, type(SCHEMA)(task="asr", extra=extra), PROBLEM)
