"""What counts as a word, also where no spaces are written."""

from __future__ import annotations

import time

import numpy as np
import pytest

from autoft.api import Dataset, Sample
from autoft_speech import _characters
from autoft_speech._asr import SpeechRecognition
from autoft_speech._words import words

TASK = SpeechRecognition()


def dataset(texts: list[str]) -> Dataset:
    samples = tuple(Sample(id=f"s{n}", fields={"transcript": text}) for n, text in enumerate(texts))
    return Dataset(samples=samples, reader="here", root="here", recognised="a list")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("one two's", ["one", "two's"]),
        ("\u6211\u559c\u6b22 \u4f60", ["\u6211", "\u559c", "\u6b22", "\u4f60"]),
        ("a7\u624b\u673ab c", ["a7", "\u624b", "\u673a", "b", "c"]),
        ("\u0e01\u0e49\u0e32\u0e19", ["\u0e01\u0e49", "\u0e32", "\u0e19"]),
        ("\ud55c\uad6d \ub9d0", ["\ud55c\uad6d", "\ub9d0"]),
        ("\u0928\u092e\u0938\u094d\u0924\u0947", ["\u0928\u092e\u0938\u094d\u0924\u0947"]),
        ("", []),
    ],
)
def test_words(text: str, wanted: list[str]) -> None:
    assert words(_characters.normalise(text)) == wanted


def test_one_wrong_sign_of_a_sentence_is_one_wrong_word() -> None:
    data = dataset(["\u6211\u559c\u6b22\u4f60", "\u4f60\u559c\u6b22\u6211"])
    schema = TASK.schema(data)
    targets = TASK.encode(data.samples, schema, TASK.formulations(schema)[0])
    wrong = targets["transcript"].copy()
    wrong[0, 0] = wrong[0, 1]
    assert TASK.score({"index": wrong}, targets, schema, ["wer"])["wer"] == 1 / 8
    assert TASK.counts(data) == [4, 4]
    said = " ".join(schema.extra["warnings"])
    assert (
        "2 transcripts have signs of scripts that are written without spaces: each such sign counts as a word" in said
    )
    assert "without spaces" not in " ".join(TASK.schema(dataset(["one", "two"])).extra["warnings"])


def test_thousands_of_signs_are_looked_up_quickly() -> None:
    signs = "".join(chr(0x4E00 + number) for number in range(4000))
    rows = [signs[number : number + 12] for number in range(3000)]
    began = time.monotonic()
    found = _characters.indices(rows, tuple(signs))
    assert time.monotonic() - began < 0.4, "one table for all of them"
    assert np.array(found)[:2].tolist() == [list(range(1, 13)), list(range(2, 14))]
