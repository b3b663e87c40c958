"""Texts as numbers of buckets: the same everywhere, told apart by place, cut as asked."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from autoft.texthash import LEVELS, cut, hashed, rarity, shared_terms, telling, terms, weighed

ALONE = (22, 11470, 45, 21093)
"""How many words and pieces of the text below, and their sums: models of single texts that are saved depend on it."""


def test_numbers_stay_in_their_range_and_are_the_same_in_another_process() -> None:
    found = hashed(["Übermut tut selten gut 很好的酒店"], 1000)
    assert found.words.min() >= 1 and found.words.max() < 1000 and found.parts.min() >= 1
    code = (
        "from autoft.texthash import hashed; print(hashed(['Übermut tut selten gut 很好的酒店'], 1000).words.tolist())"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == str(found.words.tolist())


def test_case_and_width_do_not_matter_but_the_place_of_a_text_does() -> None:
    assert np.array_equal(hashed(["Ｈello World"], 500).words, hashed(["hello world"], 500).words)
    assert not np.array_equal(hashed(["a b", "c"], 500).words, hashed(["c", "a b"], 500).words)


def test_words_share_pieces() -> None:
    walk, walked, other = (set(hashed([w], 10**6).parts.tolist()) for w in ("walking", "walked", "house"))
    assert len(walk & walked) > 2 and not walk & other


def test_scripts_without_spaces_are_read_sign_by_sign() -> None:
    assert len(hashed(["很好的"], 10**6).words) == 3 + 2 + 1
    assert not len(hashed(["很好的"], 10**6).parts)


@pytest.mark.parametrize(("truncation", "left"), [("end", "abc"), ("start", "cde"), ("middle", "abe")])
def test_long_texts_are_cut(truncation: str, left: str) -> None:
    assert "".join(cut(list("abcde"), 3, truncation)) == left
    assert cut(list("ab"), 3, truncation) == ["a", "b"] and cut(list("abcde"), 0, truncation) == list("abcde")


def test_nothing_is_something() -> None:
    assert not len(hashed([""], 100).words) and not len(hashed([], 100).words)


def test_terms_are_the_different_numbers_with_pieces_above_words() -> None:
    found, plain = terms(["walking walking home"], 1000), hashed(["walking walking home"], 1000)
    assert found.dtype == np.int32 and len(found) == len(set(plain.words.tolist())) + len(set(plain.parts.tolist()))
    assert set(found[found >= 1000] - 1000) == set(plain.parts.tolist())


def test_what_few_texts_have_counts_more_and_what_none_has_counts_most() -> None:
    rare = rarity([np.array([1, 2]), np.array([1]), np.array([1, 5])], 4)
    assert rare.shape == (8,) and rare[1] == pytest.approx(1) and rare[1] < rare[2] == rare[5] < rare[0]
    assert (rarity([], 4) == 1).all()


def test_what_one_class_has_tells_and_what_all_have_alike_does_not() -> None:
    having = np.array([[9, 0], [5, 5], [1, 0], [0, 0]])
    found, unseen = telling(having, having.sum(1))
    sums = np.log((having + 1).sum(0))
    assert found[0] == pytest.approx(np.log(10) - sums[0] + sums[1]) and found[0] > found[2]
    assert found[1] == found[3] == pytest.approx(unseen) == pytest.approx(sums[0] - sums[1])
    alone, _ = telling(having[:, :1], having[:, 0])
    assert (alone == 1).all(), "a class of all samples tells nothing"


def test_of_several_labels_each_tells_those_that_have_it_from_the_others() -> None:
    having, every = np.array([[8, 4], [0, 4]]), np.array([8, 8])
    found, _ = telling(having, every)
    first, second = np.log(9) - np.log(10 / 10), np.log(5 / 5)
    assert found[0] == pytest.approx(np.sqrt((first**2 + second**2) / 2))


def test_texts_of_any_length_weigh_the_same_and_pieces_half_as_much_as_words() -> None:
    rare = np.linspace(1, 2, 200).astype(np.float32)
    both = weighed(np.array([1, 2, 3, 101, 150]), rare, 100)
    assert (both**2).sum() == pytest.approx(1) == (weighed(np.array([4]), rare, 100) ** 2).sum()
    assert both[1] / both[0] == pytest.approx(rare[2] / rare[1])
    assert both[3] / both[0] == pytest.approx(rare[101] / rare[1] / 2)
    assert not len(weighed(np.array([], np.int32), rare, 100))


def test_a_text_alone_gives_the_numbers_that_it_gave_before() -> None:
    found = hashed(["Übermut tut selten gut 很好的酒店"], 1000)
    assert (len(found.words), int(found.words.sum()), len(found.parts), int(found.parts.sum())) == ALONE


def test_of_several_texts_what_they_share_is_numbers_of_its_own() -> None:
    said = ["the cat sat on the mat", "A cat sat there"]
    found, alone = set(terms(said, 10**6).tolist()), set()
    for place in (0, 1):
        alone |= set(terms([*[""] * place, said[place]], 10**6).tolist())
    assert alone < found and len(found - alone) == len(shared_terms(said))
    assert not shared_terms(said[:1]) and not shared_terms(["a cat", ""]), "what is not there is not unlike"


def test_a_share_is_all_levels_up_to_it_of_each_text() -> None:
    found = shared_terms(["one two", "two one three four"])
    assert [term for term in found if " w " not in term and " r " not in term and " p " not in term] == [
        "0&1 one",
        "0&1 two",
    ]
    assert [term for term in found if " w " in term and term.endswith("of 0")] == [
        f"0&1 w {level} of 0" for level in range(LEVELS + 1)
    ]
    assert [term for term in found if " w " in term and term.endswith("of 1")] == [
        f"0&1 w {level} of 1" for level in range(LEVELS // 2 + 1)
    ]
    runs = sum(term.startswith("0&1 r ") and term.endswith("of 0") for term in found)
    assert runs == LEVELS * 2 // 3 + 1, "the order of words counts"


def test_of_many_texts_each_is_compared_with_the_first_and_the_one_before() -> None:
    found = {term.split()[0] for term in shared_terms(["same words"] * 4)}
    assert found == {"0&1", "0&2", "1&2", "0&3", "2&3"}


def test_only_words_that_are_read_are_shared() -> None:
    assert "0&1 same" not in shared_terms(["other same", "same"], most=1)
    assert "0&1 same" in shared_terms(["other same", "same"], most=1, truncation="start")
