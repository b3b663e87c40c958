"""A part of a division: no sample changes sides, classes and groups keep their shares, given test parts stay."""

from __future__ import annotations

from collections import Counter

import pytest

from autoft.data import portion, splits
from autoft.records import Dataset, Sample, Splits


def dataset(sizes: dict[str, int], part: str = "", people: int = 0) -> Dataset:
    samples = [
        Sample(
            id=f"{part}{label}{n:05d}",
            fields={"label": label},
            split=part,
            group=f"p{n % people}" if people else "",
        )
        for label, size in sizes.items()
        for n in range(size)
    ]
    return Dataset(samples=tuple(samples), reader="none", root="", recognised="")


def divided(data: Dataset) -> tuple[Splits, list[str]]:
    strata = [str(sample.fields["label"]) for sample in data.samples]
    return splits.make(data, strata, [f"{n:032x}" for n in range(len(strata))], 0), strata


def chosen(data: Dataset, room: int) -> tuple[Splits, portion.Portion]:
    whole, strata = divided(data)
    found = portion.choose(whole, data.samples, strata, room, 0, "as time is short")
    (old,), (new,) = whole.folds, found.splits.folds
    assert {*new.train} <= {*old.train} and {*new.val} <= {*old.val} and {*found.splits.test} <= {*whole.test}
    assert sum(used for used, _ in found.used.values()) <= room
    assert portion.choose(whole, data.samples, strata, room, 0, "").used == found.used
    return whole, found


def labels(names: tuple[str, ...]) -> Counter[str]:
    return Counter(name.rstrip("0123456789").removeprefix("train").removeprefix("test") for name in names)


def test_parts_shrink_alike_and_classes_keep_their_shares():
    whole, found = chosen(dataset({"a": 6000, "b": 3000, "c": 1000}), 2000)
    assert found.used == {"train": (1400, 7000), "val": (300, 1500), "test": (300, 1500)}
    assert labels(found.splits.folds[0].train) == pytest.approx({"a": 840, "b": 420, "c": 140}, abs=10)
    assert found.splits.sentence.startswith(
        "1,400 of 7,000 train, 300 of 1,500 val, 300 of 1,500 test samples are used, of each class and group alike, as "
        "time is short; before that: 7000 train"
    )
    assert whole.sentence in found.splits.sentence


def test_rare_classes_and_all_people_stay():
    _, found = chosen(dataset({"a": 9000, "b": 12}, people=50), 500)
    train = found.splits.folds[0].train
    assert labels(train)["b"] >= 7
    people = Counter(int(name[-5:]) % 50 for name in train)
    kept = {int(name[-5:]) % 50 for name in divided(dataset({"a": 9000, "b": 12}, people=50))[0].folds[0].train}
    assert {*people} == kept and max(people.values()) < 2.5 * min(people.values())


def test_large_parts_that_only_check_give_room_to_training():
    _, found = chosen(dataset({"a": 30_000, "b": 30_000}), 40_000)
    assert found.used == {"train": (34_000, 42_000), "val": (3000, 9000), "test": (3000, 9000)}


def test_a_test_part_of_the_data_stays_whole_where_it_leaves_room():
    train, test = dataset({"a": 5000, "b": 5000}, "train"), dataset({"a": 2000, "b": 2000}, "test")
    both = Dataset(samples=(*train.samples, *test.samples), reader="none", root="", recognised="")
    _, found = chosen(both, 6000)
    assert found.used["test"] == (4000, 4000) and "all 4,000 test samples are used" in found.splits.sentence
    assert found.used["val"] == (300, 1500) and found.used["train"] == (1700, 8500)
    _, found = chosen(both, 4100)
    assert found.used["test"] == (1172, 4000)


def test_folds_and_spare_divisions_shrink_too():
    few = dataset({"a": 800, "b": 30})
    whole, strata = divided(few)
    assert whole.spare and len(whole.folds) == 1
    found = portion.choose(whole, few.samples, strata, 300, 0, "")
    kept = {*found.splits.folds[0].train, *found.splits.folds[0].val}
    assert all({*fold.train, *fold.val} <= kept and fold.val for fold in found.splits.spare)
    rare = dataset({"a": 600, "b": 8})
    whole, strata = divided(rare)
    assert len(whole.folds) > 1
    found = portion.choose(whole, rare.samples, strata, 200, 0, "")
    assert found.used["train and val"][0] + found.used["test"][0] == 200
    for fold in found.splits.folds:
        assert (
            fold.val
            and not {*fold.val} & {*fold.train}
            and len(fold.val) + len(fold.train) == found.used["train and val"][0]
        )
