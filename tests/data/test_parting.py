"""Columns that divide the rows, and columns that name the classes of another."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from autoft.data import readers, splits
from autoft.options import DataOptions
from autoft.registry import load

AUDIO = SimpleNamespace(inputs=("audio",), targets=("label",))
NAMES = ("dog", "rain", "sea")


def opened(source, **options):
    return readers.open_dataset(load(), DataOptions(data=str(source), **options), AUDIO)


def counted(dataset):
    return Counter(sample.split for sample in dataset.samples)


@pytest.fixture
def esc(tmp_path):
    """A folder such as ESC-50: `esc(name=cell of recording n, ...)`, 30 recordings of 3 classes in 5 folds."""

    def write(**columns):
        for folder in ("audio", "meta"):
            (tmp_path / folder).mkdir(exist_ok=True)
        lines = [",".join(["filename", *columns])]
        for n in range(30):
            name = f"{n % 5 + 1}-{n}-A-{n % 3}.wav"
            (tmp_path / "audio" / name).write_bytes(b"wave %d" % n)
            lines.append(",".join([name, *(str(cell(n)) for cell in columns.values())]))
        (tmp_path / "meta" / "all.csv").write_text("\n".join(lines))
        return tmp_path

    return write


def target(n):
    return n % 3


def category(n):
    return NAMES[n % 3]


def fold(n):
    return n % 5 + 1


def test_names_win_over_numbers_that_say_the_same(esc):
    found = opened(esc(fold=fold, target=target, category=category, esc10=lambda n: n % 3 == 0, take=lambda n: "A"))
    assert "label in column 'category' (the names of the numbers in 'target')" in found.recognised
    assert {sample.fields["label"] for sample in found.samples} == {*NAMES}


@pytest.mark.parametrize(
    "other",
    [
        lambda n: NAMES[n % 2],  # not one name for each number
        lambda n: ("yes", "no", "no")[n % 3],
        lambda n: f"place {n}",
        lambda n: n % 3 + 7,  # numbers as well
    ],
)
def test_numbers_stay_where_no_column_names_them(esc, other):
    found = opened(esc(target=target, what=other))
    assert {sample.fields["label"] for sample in found.samples} == {"0", "1", "2"}
    assert "the names of" not in found.recognised


def test_numbers_stay_where_the_user_names_them_and_among_several_names(esc):
    both = esc(target=target, name=category, other=lambda n: category(n).upper())
    assert {sample.fields["label"] for sample in opened(both).samples} == {"0", "1", "2"}
    named = opened(esc(target=target, category=category), target="target")
    assert {sample.fields["label"] for sample in named.samples} == {"0", "1", "2"}


def test_names_are_taken_where_neither_column_has_a_usual_name(esc):
    assert "label in column 'kind'" in opened(esc(code=target, kind=category)).recognised


def test_names_are_taken_where_all_parts_have_them(tmp_path):
    for part, header in (("train", "path,label,label_text"), ("test", "path,label")):
        lines = [header]
        for n in range(12):
            (tmp_path / f"{part}{n}.wav").write_bytes(b"%s %d" % (part.encode(), n))
            lines.append(f"{part}{n}.wav,{n % 3}" + f",{NAMES[n % 3]}" * (part == "train"))
        (tmp_path / f"{part}.csv").write_text("\n".join(lines))
    found = opened(tmp_path)
    assert {sample.fields["label"] for sample in found.samples} == {"0", "1", "2"}
    assert counted(found) == {"train": 12, "test": 12}


def test_a_fold_never_straddles_parts(esc):
    found = opened(esc(fold=fold, category=category))
    assert "each fold of 'fold' stays in one part" in found.recognised
    assert {sample.group for sample in found.samples} == {"1", "2", "3", "4", "5"}
    made = splits.make(found, [s.fields["label"] for s in found.samples], ["x" * n for n in range(30)], 0)
    folds = {sample.id: sample.group for sample in found.samples}
    tested = {folds[name] for name in made.test}
    for one in made.folds:
        learned, checked = {folds[name] for name in one.train}, {folds[name] for name in one.val}
        assert tested.isdisjoint(learned | checked) and learned.isdisjoint(checked)


def test_a_group_that_is_named_counts_in_place_of_folds(esc):
    found = opened(esc(fold=fold, category=category, who=lambda n: f"speaker {n // 3}"), group_col="who")
    assert len({sample.group for sample in found.samples}) == 10 and "fold" not in found.recognised


def test_two_folds_are_too_few_and_words_are_no_folds(esc):
    found = opened(esc(fold=lambda n: n % 2, category=category))
    assert {sample.group for sample in found.samples} == {""}
    assert "column 'fold' is not used: 3 folds or more" in found.recognised
    found = opened(esc(fold=lambda n: ("alpha", "beta", "mixed")[n % 3]))
    assert "label in column 'fold'" in found.recognised


def test_folds_of_two_tables_are_not_the_same(esc, tmp_path):
    data = esc(fold=fold, category=category)
    lines = ["path,fold,category"]
    for n in range(9):
        (tmp_path / f"v{n}.wav").write_bytes(b"other %d" % n)
        lines.append(f"v{n}.wav,{n % 3 + 1},{NAMES[n % 3]}")
    (tmp_path / "val.csv").write_text("\n".join(lines))
    found = opened(data / "meta" / "all.csv", val=str(tmp_path / "val.csv"))
    assert counted(found) == {"train": 30, "val": 9} and {sample.group for sample in found.samples} == {""}


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        ({"is_test": lambda n: int(n < 10)}, {"test": 10, "train": 20}),
        ({"is_valid": lambda n: n < 10}, {"val": 10, "train": 20}),
        ({"is_train": lambda n: int(n < 20)}, {"train": 20, "test": 10}),
        ({"is_training_image": lambda n: int(n < 20), "fold": fold}, {"train": 20, "test": 10}),
        ({"is_train": lambda n: n < 20, "is_test": lambda n: n > 24}, {"train": 20, "test": 5, "val": 5}),
        ({"is_train": lambda n: n < 20, "is_valid": lambda n: n < 5}, {"train": 15, "val": 5, "test": 10}),
        ({"is_test": lambda n: 0}, {"train": 30}),
        ({"split": lambda n: ("train", "test")[n < 9], "is_test": lambda n: 0}, {"train": 21, "test": 9}),
    ],
)
def test_columns_of_yes_and_no_mark_parts(esc, columns, parts):
    found = opened(esc(category=category, **columns))
    assert counted(found) == parts
    assert "label in column 'category'" in found.recognised
    assert "split in 'split'" in found.recognised or "(yes or no)" in found.recognised


def test_a_column_that_marks_a_part_in_other_words_is_not_used(esc):
    found = opened(esc(category=category, is_test=lambda n: f"maybe {n}"))
    assert counted(found) == {"": 30}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SemEval_set", ("TRAIN", "TRIAL", "TEST")),
        ("Usage", ("Training", "PublicTest", "PrivateTest")),
        ("data set", ("Train set", "Dev set", "Test set")),
        ("split", ("train", "val2017", "test")),
    ],
)
def test_parts_in_a_column_of_any_name(esc, name, words):
    found = opened(esc(label=category, **{name: lambda n: words[n // 3 % 3]}))
    assert counted(found) == {"train": 12, "val": 9, "test": 9}
    assert f"split in '{name}'" in found.recognised


@pytest.mark.parametrize("words", [("train", "train"), ("dev", "test"), ("Public", "Private")])
def test_other_words_are_no_parts(esc, words):
    found = opened(esc(label=category, usage=lambda n: words[n // 3 % 2]))
    assert counted(found) == {"": 30} and "not used" not in found.recognised


def test_parts_that_are_not_used_are_said(esc):
    found = opened(esc(label=category, a=lambda n: ("train", "test")[n % 2], b=lambda n: ("test", "train")[n % 2]))
    assert counted(found) == {"": 30}
    assert "columns 'a' and 'b' say parts, and none of them is used" in found.recognised
    found = opened(esc(label=category, a=lambda n: ("train", "test", "extra")[n // 3 % 3]))
    assert counted(found) == {"": 30}
    assert "column 'a' is not used: it must say train, val or test, but says 'extra'" in found.recognised


def test_classes_called_train_and_test_stay_classes(esc):
    found = opened(esc(label=lambda n: ("train", "test")[n % 2]))
    assert counted(found) == {"": 30} and {s.fields["label"] for s in found.samples} == {"train", "test"}
