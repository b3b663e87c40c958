"""Splits: stratified, given, grouped, repeated; the same for a seed, whatever the order of the files."""

from __future__ import annotations

import random
from collections import Counter

import msgspec
import numpy as np
import pytest

from autoft.data.partition import divide
from autoft.data.splits import make
from autoft.errors import DataError
from autoft.records import Splits


def split(dataset, seed: int = 0, drop=(), digests=None) -> Splits:
    strata = [sample.fields["label"] for sample in dataset.samples]
    return make(dataset, strata, digests or [sample.id for sample in dataset.samples], seed, drop)


def entries(counts: dict[str, int], *rest: str) -> list[tuple[str, ...]]:
    prefix = rest[0] if rest else ""
    return [(f"{prefix}/{label}{i}", label, *rest) for label, n in counts.items() for i in range(n)]


def mix(ids, dataset) -> Counter[str]:
    labels = {sample.id: sample.fields["label"] for sample in dataset.samples}
    return Counter(labels[name] for name in ids)


def assert_whole(splits: Splits, dataset, drop=()) -> None:
    """Each fold and the test part together are every sample, once; validation parts of folds do not overlap."""
    every = sorted(sample.id for sample in dataset.samples if sample.id not in drop)
    for fold in splits.folds:
        assert sorted([*fold.train, *fold.val, *splits.test]) == every
        assert fold.train and fold.val and splits.test
    validated = [name for fold in splits.folds for name in fold.val]
    assert len(validated) == len(set(validated))


def test_seventy_fifteen_fifteen_of_each_class(rows):
    dataset = rows(entries({"a": 200, "b": 100, "c": 40}))
    splits = split(dataset)
    assert splits.kind == "stratified"
    assert_whole(splits, dataset)
    assert mix(splits.folds[0].train, dataset) == {"a": 140, "b": 70, "c": 28}
    assert mix(splits.folds[0].val, dataset) == {"a": 30, "b": 15, "c": 6}
    assert mix(splits.test, dataset) == {"a": 30, "b": 15, "c": 6}
    assert splits.sentence.startswith("238 train, 51 validate, 51 test")


def test_a_seed_fixes_the_splits_and_the_order_of_files_does_not_matter(rows):
    listed = entries({"a": 100, "b": 120})
    first = split(rows(listed), seed=3)
    random.Random(1).shuffle(listed)
    assert split(rows(listed), seed=3) == first
    assert split(rows(listed), seed=4).test != first.test


def test_dropped_samples_are_nowhere(rows):
    dataset = rows(entries({"a": 100, "b": 120}))
    drop = {"/a0", "/b7"}
    splits = split(dataset, drop=drop)
    assert_whole(splits, dataset, drop)


def test_identical_files_stay_together(rows):
    dataset = rows(entries({"a": 100, "b": 100}))
    digests = [str(i // 4) for i in range(200)]
    splits = split(dataset, digests=digests)
    assert_whole(splits, dataset)
    digest = dict(zip((s.id for s in dataset.samples), digests, strict=True))
    parts = [{digest[name] for name in part} for part in (splits.folds[0].train, splits.folds[0].val, splits.test)]
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
    assert "150 identical copies stay with their originals" in splits.sentence


@pytest.mark.parametrize("seed", range(5))
def test_groups_never_straddle_and_classes_stay_balanced(rows, seed):
    rng = random.Random(seed)
    listed = [(f"{i}", rng.choice("aab"), "", f"g{rng.randrange(60)}") for i in range(600)]
    dataset = rows(listed)
    splits = split(dataset, seed=seed)
    assert splits.kind == "grouped"
    assert_whole(splits, dataset)
    group = {sample.id: sample.group for sample in dataset.samples}
    parts = (splits.folds[0].train, splits.folds[0].val, splits.test)
    seen = [{group[name] for name in part} for part in parts]
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])
    whole = mix([name for name, *_ in listed], dataset)
    for part, fraction in zip(parts, (0.7, 0.15, 0.15), strict=True):
        for label, count in mix(part, dataset).items():
            assert abs(count - fraction * whole[label]) <= 0.03 * 600


def test_groups_and_identical_files_join(rows):
    listed = [(f"{i}", "ab"[i % 2], "", f"g{i // 5}") for i in range(300)]
    digests = [f"d{i}" for i in range(300)]
    digests[0] = digests[299]  # ties the first group to the last
    splits = split(rows(listed), digests=digests)
    for part in (splits.folds[0].train, splits.folds[0].val, splits.test):
        assert ("0" in part) == ("299" in part) == ("4" in part)


def test_three_large_groups_get_one_part_each(rows):
    dataset = rows([(f"{g}{i}", "ab"[i % 2], "", g) for g in "xyz" for i in range(100)])
    splits = split(dataset)
    assert_whole(splits, dataset)
    assert sorted(len(part) for part in (splits.folds[0].train, splits.folds[0].val, splits.test)) == [100] * 3


def test_given_parts_are_kept(rows):
    listed = entries({"a": 9, "b": 9}, "train") + entries({"a": 2, "b": 3}, "val") + entries({"a": 4, "b": 3}, "test")
    dataset = rows(listed)
    splits = split(dataset)
    assert splits.kind == "given"
    assert (len(splits.folds), len(splits.folds[0].train), len(splits.folds[0].val), len(splits.test)) == (1, 18, 5, 7)
    assert_whole(splits, dataset)


def test_given_val_is_halved_when_there_is_no_test(rows):
    dataset = rows(entries({"a": 60, "b": 60}, "train") + entries({"a": 20, "b": 10}, "val"))
    splits = split(dataset)
    assert splits.kind == "given"
    assert len(splits.folds[0].train) == 120
    assert mix(splits.folds[0].val, dataset) == mix(splits.test, dataset) == {"a": 10, "b": 5}
    assert "one half of their validation part is the test" in splits.sentence


def test_small_given_val_stays_whole_and_test_comes_from_train(rows):
    dataset = rows(entries({"a": 100, "b": 100}, "train") + entries({"a": 5, "b": 5}, "val"))
    splits = split(dataset)
    assert mix(splits.test, dataset) == {"a": 15, "b": 15}
    assert len(splits.folds[0].val) == 10


def test_given_test_and_val_from_train(rows):
    dataset = rows(entries({"a": 200, "b": 200}, "train") + entries({"a": 5, "b": 5}, "test"))
    splits = split(dataset)
    assert mix(splits.folds[0].val, dataset) == {"a": 30, "b": 30}
    assert all(name.startswith("test/") for name in splits.test) and len(splits.test) == 10


def test_samples_without_a_split_train_when_others_have_one(rows):
    dataset = rows(entries({"a": 50, "b": 50}) + entries({"a": 20, "b": 20}, "test"))
    splits = split(dataset)
    assert {name.split("/")[0] for name in splits.folds[0].train} == {""}


@pytest.mark.parametrize("counts", [{"a": 12, "b": 12}, {"a": 400, "b": 9}, {"a": 3, "b": 3}, {"a": 90, "b": 1}])
def test_few_samples_make_repeated_validation(rows, counts):
    dataset = rows(entries(counts))
    splits = split(dataset)
    assert splits.kind == "repeated"
    assert 3 <= len(splits.folds) <= 5
    assert "validation is repeated" in splits.sentence
    assert_whole(splits, dataset)
    for fold in splits.folds:
        assert set(mix(fold.train, dataset)) == set(counts)  # every class is trained on


def test_each_class_validates_in_each_fold_if_it_can(rows):
    dataset = rows(entries({"a": 30, "b": 12, "c": 12}))
    splits = split(dataset)
    assert len(splits.folds) == 5
    for fold in splits.folds:
        assert set(mix(fold.val, dataset)) == {"a", "b", "c"}


def test_folds_with_a_given_test_part(rows):
    dataset = rows(entries({"a": 12, "b": 12}, "train") + entries({"a": 4, "b": 4}, "test"))
    splits = split(dataset)
    assert splits.kind == "repeated" and len(splits.test) == 8
    assert_whole(splits, dataset)


def test_one_rare_class_in_large_data_does_not_repeat(rows):
    dataset = rows(entries({"a": 2000, "b": 2000, "rare": 3}))
    splits = split(dataset)
    assert splits.kind == "stratified"
    assert "rare" in mix(splits.folds[0].train, dataset)


def test_a_class_with_one_sample_trains(rows):
    dataset = rows(entries({"a": 300, "b": 300, "lone": 1}))
    for seed in range(4):
        splits = split(dataset, seed=seed)
        assert all("/lone0" in fold.train for fold in splits.folds)


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        (entries({"a": 1, "b": 1}), "at least 6 different samples"),
        ([], "no usable samples"),
        (entries({"a": 9}, "val"), "training part has no usable samples"),
        ([(f"{i}", "ab"[i % 2], "", f"g{i % 2}") for i in range(50)], "need a group each"),
    ],
)
def test_too_little_is_refused_in_words(rows, listed, words):
    with pytest.raises(DataError, match=words):
        split(rows(listed))


def test_copies_of_one_file_are_one_sample(rows):
    dataset = rows(entries({"a": 50, "b": 50}))
    with pytest.raises(DataError, match="different groups or files"):
        split(dataset, digests=[sample.fields["label"] for sample in dataset.samples])


@pytest.mark.parametrize("seed", range(20))
def test_any_data_set_is_split_whole_or_refused_in_words(rows, seed):
    rng = random.Random(seed)
    listed = [
        (f"{i}", rng.choice("abcd"), rng.choice(["", "train", "val", "test"]) if seed % 2 else "", group)
        for i in range(rng.randrange(1, 60))
        for group in [rng.choice(["", f"g{rng.randrange(8)}"]) if seed % 3 == 0 else ""]
    ]
    dataset = rows(listed)
    try:
        splits = split(dataset, seed=seed)
    except DataError as error:
        assert error.message
        return
    assert_whole(splits, dataset)


def test_json_round_trip(rows):
    splits = split(rows(entries({"a": 20, "b": 20})))
    assert msgspec.json.decode(msgspec.json.encode(splits), type=Splits) == splits


def test_divide_reaches_the_shares_of_single_samples():
    strata = np.repeat([0, 1, 2], [50, 30, 7])
    parts = divide([(int(s),) for s in strata], 3, [0.6, 0.4], np.random.default_rng(0), [1, 1])
    totals = np.stack([np.bincount(strata[parts == part], minlength=3) for part in range(2)])
    assert np.abs(totals - np.outer([0.6, 0.4], [50, 30, 7])).max() <= 1


def test_few_samples_validate_once_where_much_is_counted_in_each(rows):
    dataset = rows(entries({"": 30}))
    ids = [sample.id for sample in dataset.samples]

    def divided(samples, counts: list[int]) -> Splits:
        names = [sample.id for sample in samples.samples]
        return make(samples, [""] * len(names), names, 0, counts=counts)

    assert divided(dataset, []).kind == "repeated"
    once = divided(dataset, [8] * len(ids))
    assert once.kind == "stratified" and len(once.folds) == 1 and len(once.spare) == 2
    assert_whole(once, dataset)
    assert divided(dataset, [2] * len(ids)).kind == "repeated", "eight words say too little"
    assert divided(rows(entries({"": 15})), [1000] * 15).kind == "repeated", "two or three samples say too little"
