"""The n-grams: chances that sum up to one, texts that are likelier than their letters in disorder, little room."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from autoft_speech import _ngram
from autoft_speech._search import Table

TEXTS = ["das haus am see", "das alte haus", "am alten see", "ein haus das steht", "äpfel am see"]


LETTERS = (*sorted({*"".join(TEXTS)}), "\ufffd")


def table(texts: list[str], letters: tuple[str, ...] = LETTERS) -> Table:
    return _ngram.table(_ngram.learned(texts), letters)


def log(known: Table, text: str, letters: tuple[str, ...] = LETTERS) -> float:
    """The natural logarithm of the chance of a text, its end included."""
    state, total = known.first, 0.0
    for letter in text:
        number = letters.index(letter) + 1
        total, state = total + float(known.score[state, number]), int(known.follow[state, number])
    return total + float(known.end[state])


def chances(known: Table) -> Any:
    return np.exp(known.score[:, 1:]).sum(1)


def test_chances_of_what_may_follow_sum_up_to_one() -> None:
    known = table(TEXTS)
    assert len(known.score) > 50 and np.allclose(chances(known), 1, atol=1e-5)


def test_chances_are_those_of_witten_and_bell() -> None:
    known, letters = table(["ab"], ("a", "b")), ("a", "b")  # read as " ab ": 4 characters of 3 kinds
    alone = {letter: (often + 3 / 4) / 7 for letter, often in (("a", 1), ("b", 1), (" ", 2))}
    first = (1 + alone["a"]) / 2  # the space was followed once, by one thing
    second = (1 + (1 + alone["b"]) / 2) / 2  # behind " a", and behind "a"
    end = (1 + (1 + (1 + alone[" "]) / 2) / 2) / 2
    assert math.isclose(log(known, "ab", letters), math.log(first * second * end), rel_tol=1e-5)


def test_what_was_read_is_likelier_than_its_letters_in_disorder() -> None:
    known = table(TEXTS)
    assert log(known, "das haus") > log(known, "das hasu") > log(known, "nlmnhtsä")
    assert log(known, "see") > log(known, "se"), "a word ends where words end"
    assert math.isfinite(log(known, "")) and math.isfinite(log(known, "\ufffd\ufffd"))


def test_nothing_is_learned_of_how_transcripts_begin() -> None:
    letters = (" ", *"enosy")
    known = table(["no yes yes no"] * 9, letters)
    first = abs(log(known, "yes no", letters) - log(known, "no yes", letters))
    assert first < 1, "all transcripts begin with no, which is no reason to hear no first"


def test_without_texts_all_is_alike() -> None:
    known = table([])
    assert np.ptp(known.score) == 0 and log(known, "das") == log(known, "see")


def test_marks_upon_letters_are_characters_of_their_own() -> None:
    letters = ("a", "n", "\u0303")
    known = table(["n\u0303a"] * 3, letters)
    assert log(known, "n\u0303a", letters) > log(known, "na\u0303", letters)


def test_the_order_of_transcripts_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _ngram.learned(TEXTS) == _ngram.learned(TEXTS[::-1])
    monkeypatch.setattr(_ngram, "READ", 30)
    assert _ngram.learned(TEXTS) == _ngram.learned(TEXTS[::-1]) != _ngram.learned(TEXTS[:2])


@pytest.mark.parametrize(("limit", "most"), [("SIZE", 100), ("SIZE", 200), ("SIZE", 400), ("CELLS", 300)])
def test_seldom_contexts_are_left_out_to_save_room(monkeypatch: pytest.MonkeyPatch, limit: str, most: int) -> None:
    whole = table(TEXTS)
    monkeypatch.setattr(_ngram, limit, most)
    told = _ngram.learned(TEXTS)
    known = _ngram.table(json.loads(json.dumps(told)), LETTERS)
    if limit == "SIZE":
        assert len(json.dumps(told, ensure_ascii=False)) < most + 100 and len(told["grams"]) == _ngram.ORDER
    else:
        assert known.score.size < 2 * most < whole.score.size
    assert np.allclose(chances(known), 1, atol=1e-5)
    assert log(whole, "das haus") > log(known, "das haus") > log(known, "ääähhhnn")
