"""The n-grams: chances that sum up to one, texts that are likelier than their letters in disorder, little room."""

from __future__ import annotations

import json
import math

import pytest

from autoft_speech import _ngram

TEXTS = ["das haus am see", "das alte haus", "am alten see", "ein haus das steht", "äpfel am see"]


def test_chances_of_what_may_follow_sum_up_to_one() -> None:
    model = _ngram.Model(_ngram.learned(TEXTS))
    letters = {*"".join(TEXTS), "\ufffd"}  # one stands for all that was never seen
    for context in ("", "a", "das", " ha", "zzz", "sez"):
        assert math.isclose(sum(model.chance(context + letter) for letter in letters), 1, rel_tol=1e-9), context


def test_what_was_read_is_likelier_than_its_letters_in_disorder() -> None:
    model = _ngram.Model(_ngram.learned(TEXTS))
    assert model.log("das haus") > model.log("das hasu") > model.log("xqzvwxyz")
    assert model.log("see") > model.log("se"), "a word ends where words end"
    assert math.isfinite(model.log("")) and math.isfinite(model.log("漢字"))


def test_nothing_is_learned_of_how_transcripts_begin() -> None:
    model = _ngram.Model(_ngram.learned(["no yes yes no"] * 9))
    first = abs(model.log("yes no") - model.log("no yes"))
    assert first < 1, "all transcripts begin with no, which is no reason to hear no first"


def test_without_texts_all_is_alike() -> None:
    model = _ngram.Model(_ngram.learned([]))
    assert model.log("ab") == model.log("ba") <= 0


def test_letters_of_several_code_points_are_read_by_their_parts() -> None:
    said = "n\u0303a \u0e01\u0e34"  # marks upon letters
    assert _ngram.Model(_ngram.learned([said])).log(said) > _ngram.Model(_ngram.learned(["aa aa"])).log(said)


def test_the_order_of_transcripts_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _ngram.learned(TEXTS) == _ngram.learned(TEXTS[::-1])
    monkeypatch.setattr(_ngram, "READ", 30)
    assert _ngram.learned(TEXTS) == _ngram.learned(TEXTS[::-1]) != _ngram.learned(TEXTS[:2])


@pytest.mark.parametrize("size", [100, 200, 400])
def test_seldom_contexts_are_left_out_to_save_room(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    whole = _ngram.Model(_ngram.learned(TEXTS))
    monkeypatch.setattr(_ngram, "SIZE", size)
    told = _ngram.learned(TEXTS)
    assert len(json.dumps(told, ensure_ascii=False)) < size + 100 and len(told["grams"]) == _ngram.ORDER
    model = _ngram.Model(json.loads(json.dumps(told)))
    letters = {*"".join(TEXTS), "\ufffd"}
    assert math.isclose(sum(model.chance("das" + letter) for letter in letters), 1, rel_tol=1e-9)
    assert model.log("das haus") <= whole.log("das haus") + 1e-9
    assert model.log("das haus") > model.log("qqq qqqq")
