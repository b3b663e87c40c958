"""Texts that say the same, though not letter by letter, stay in one part; so do pairs with a text in common."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from autoft.data import splits
from autoft.data.inspect import inspect
from autoft.data.kin import NO_KIN, find, plain
from autoft.errors import DataError
from autoft.records import Dataset, Sample, Splits


def dataset(texts, labels=(), parts=()) -> Dataset:
    samples = tuple(
        Sample(id=f"{n:04}", fields={"text": text, "label": labels[n] if labels else "ab"[n % 2]},
               split=parts[n] if parts else "")
        for n, text in enumerate(texts)
    )  # fmt: skip
    return Dataset(samples=samples, reader="table", root="", recognised="")


def divided(data: Dataset, seed: int = 0) -> tuple[Splits, dict[str, str]]:
    """The splits, and the part of each sample."""
    found = inspect(data, ["text"])
    strata = [str(sample.fields["label"]) for sample in found.dataset.samples]
    made = splits.make(found.dataset, strata, found.digests, seed, kin=found.kin)
    own = dict.fromkeys(made.test, "test") | dict.fromkeys(made.folds[0].val, "val")
    return made, {sample.id: own.get(sample.id, "train") for sample in found.dataset.samples}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Great movie", "GREAT  movie"),
        ("Great movie of the year!", "great movie, of the year !"),
        ("ﬁne Straße", "FINE strasse"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("很好。", "很好！"),
        (":)", ": )"),
    ],
)
def test_texts_of_the_same_words(one, other):
    assert plain(one) == plain(other)


@pytest.mark.parametrize(
    ("one", "other"), [(":)", ":("), ("की", "का"), ("good", "goods"), ("3 stars", "4 stars"), ("", "a")]
)
def test_other_texts(one, other):
    assert plain(one) != plain(other)


def test_texts_of_the_same_words_are_in_one_part():
    base = [f"some words of text {n}" for n in range(200)]
    near = [f"Some WORDS,  of text {n}!" for n in range(100)]
    made, part = divided(dataset([*base, *near]))
    assert all(part[f"{n:04}"] == part[f"{200 + n:04}"] for n in range(100)) and len({*part.values()}) == 3
    assert "100 texts that differ in signs, spaces or capitals alone stay with their like" in made.sentence
    assert "identical" not in made.sentence


def test_a_text_of_the_same_words_in_test_leaves_training():
    texts = ["Great movie!", "bad film", "fine", "GREAT  movie", "other", "more"]
    data = dataset(texts, labels="abaaba", parts=["train"] * 3 + ["test"] * 3)
    found = inspect(data, ["text"])
    assert [sample.id for sample in found.dataset.samples] == ["0001", "0002", "0003", "0004", "0005"]
    assert {(issue.kind, issue.subject) for issue in found.issues} >= {("leak", "0000"), ("duplicate", "0000")}
    details = {issue.kind: issue.detail for issue in found.issues}
    assert details["duplicate"] == "the same words as 0003" and details["leak"].startswith("the same text is in train")
    assert "conflicting_label" not in details


def test_a_sign_may_tell_two_classes_apart():
    data = dataset(["great 😀", "bad", "bad", "great 😡", "bad", "fine"], "abbbab", ["train"] * 3 + ["test"] * 3)
    found = inspect(data, ["text"])
    assert [sample.id for sample in found.dataset.samples] == ["0000", "0003", "0004", "0005"]
    assert [issue.subject for issue in found.issues if issue.kind == "leak"] == ["0001", "0002"]
    details = {issue.subject: issue.detail for issue in found.issues if issue.kind == "conflicting_label"}
    assert details["0000"] == "the same text is 'a' and 'b'"


def test_lines_that_differ_by_a_sign_may_be_of_two_classes_but_the_same_lines_may_not():
    texts = [f"you saw number {n}{sign}" for n in range(20) for sign in "?."]
    found = inspect(msgspec.structs.replace(dataset(texts), reader="lines"), ["text"])
    assert len(found.dataset.samples) == 40
    assert sum(issue.kind == "conflicting_label" for issue in found.issues) == 20
    with pytest.raises(DataError, match="of 40 in '' 20 or more lie in two"):
        inspect(msgspec.structs.replace(dataset([text[:-1] for text in texts]), reader="lines"), ["text"])


def test_what_is_kept_of_texts_is_told_apart_letter_by_letter():
    found = inspect(dataset(["Great movie!", "GREAT movie", "great movie"]), ["text"])
    assert len({*found.digests}) == 3 and len({*found.alike}) == 1


def test_pairs_in_both_orders_and_with_the_same_first_text_stay_together():
    pairs = [[f"premise number {n // 3}", f"what follows {n}"] for n in range(240)]
    turned = [[f"Left {n}", f"right {n}"] for n in range(60)] + [[f"right {n}.", f"left {n}"] for n in range(60)]
    made, part = divided(dataset([*pairs, *turned]))
    for n in range(0, 240, 3):
        assert len({part[f"{n + k:04}"] for k in range(3)}) == 1
    assert all(part[f"{240 + n:04}"] == part[f"{300 + n:04}"] for n in range(60))
    assert "240 pairs share their first text with others, and stay with them" in made.sentence
    assert "120 pairs come in both orders, and stay together" in made.sentence
    assert 0.1 < Counter(part.values())["test"] / 360 < 0.2


def test_a_first_text_of_many_samples_holds_nothing_together():
    made, part = divided(dataset([[f"kind {n % 4}", f"words {n}"] for n in range(200)]))
    assert "first text" not in made.sentence and len({*part.values()}) == 3


def test_single_texts_share_nothing_but_their_words():
    data = dataset(["a b", "c d"])
    assert find(data.samples, ["x", "y"]).keys == {"0000": ("same x",), "0001": ("same y",)}
    assert not find(data.samples, ["x", "y"]).said and not NO_KIN.keys
