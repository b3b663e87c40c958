"""Columns that name people: each of them stays in one part, unasked, where the data give no parts."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from autoft.data import readers
from autoft.options import DataOptions
from autoft.registry import load

AUDIO = SimpleNamespace(inputs=("audio",), targets=("label",))
NUMBERS = SimpleNamespace(inputs=("audio",), targets=("value",))
ROWS = 60


def opened(source, task=AUDIO, **options):
    return readers.open_dataset(load(), DataOptions(data=str(source), **options), task)


def groups(dataset):
    return {sample.group for sample in dataset.samples}


@pytest.fixture
def table(tmp_path):
    """`table(speaker=cell of row n, ...)`: 60 recordings of two classes."""

    def write(name="all.csv", **columns):
        columns = {"label": lambda n: ("yes", "no")[n % 2], **columns}
        lines = [",".join(["path", *(key.replace("_ID", " ID") for key in columns)])]
        for n in range(ROWS):
            (tmp_path / f"{name}{n}.wav").write_bytes(b"%s %d" % (name.encode(), n))
            lines.append(",".join([f"{name}{n}.wav", *(str(cell(n)) for cell in columns.values())]))
        (tmp_path / name).write_text("\n".join(lines))
        return tmp_path

    return write


def who(n):
    return f"s{n // 6}"


@pytest.mark.parametrize(
    "name", ["speaker", "speaker_id", "Patient_ID", "PatientID", "client_id", "spkId", "subject_no"]
)
def test_people_stay_in_one_part(table, name):
    found = opened(table(**{name: who}))
    shown = name.replace("_ID", " ID")
    assert groups(found) == {f"s{n}" for n in range(10)}
    assert f"each of the 10 in '{shown}' stays in one part (--group-col none: divide them)" in found.recognised


def test_numbers_are_learned_without_mixing_patients(table):
    found = opened(table(label=lambda n: 20 + n // 6, patient=lambda n: n // 6), NUMBERS, target="label")
    assert len(groups(found)) == 10


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"speaker": lambda n: "LJ"}, ""),
        ({"speaker": lambda n: f"s{n}"}, ""),
        ({"speaker": lambda n: f"s{n % 2 + n // 30}" if n < 2 else "s1"}, "there are 2, and 3 or more"),
        ({"speaker": lambda n: "anonymous" if n < 40 else who(n)}, "most rows are of 'anonymous'"),
        ({"speaker": lambda n: "" if n < 40 else who(n)}, "most rows name nobody"),
        ({"speaker": lambda n: f"s{n % 4}"}, "classes have fewer than 3 of them"),
        ({"subject": lambda n: ("sea", "hill", "wood", "town")[n // 15]}, ""),
        ({"patient_age": lambda n: n // 6}, ""),
        ({"class_id": lambda n: n % 2 + 5}, ""),
    ],
)
def test_columns_that_cannot_divide_are_not_used(table, columns, said):
    found = opened(table(**columns))
    assert groups(found) == {""}
    assert (said or "straight") in found.recognised + "straight"
    assert ("does not keep its samples together" in found.recognised) == bool(said)


def test_other_ids_that_come_again_are_named(table):
    found = opened(table(lesion_id=who))
    assert groups(found) == {""}
    assert "values of 'lesion_id' come again; --group-col lesion_id keeps each in one part" in found.recognised


def test_parts_of_the_data_count_and_folds_and_what_the_user_says(table):
    assert groups(opened(table(speaker=who, split=lambda n: ("train", "val", "test")[n % 3]))) == {""}
    assert groups(opened(table(speaker=who, is_test=lambda n: n % 3 == 0))) == {""}
    assert groups(opened(table(speaker=who, fold=lambda n: n % 4))) == {"0", "1", "2", "3"}
    assert groups(opened(table(speaker=who, photo=lambda n: n // 3), group_col="photo")) == {str(n) for n in range(20)}
    assert groups(opened(table(speaker=who, fold=lambda n: n % 4), group_col="none")) == {""}


def test_speakers_that_are_learned_are_no_groups(table):
    found = opened(table(speaker=who), target="speaker")
    assert groups(found) == {""} and len({sample.fields["label"] for sample in found.samples}) == 10


def test_a_test_table_without_labels_is_no_part(table):
    root = table("train.csv", speaker=who)
    (root / "test.csv").write_text("path,speaker\ntrain.csv0.wav,s0\n")
    assert len(groups(opened(root))) == 10
    table("test.csv", speaker=who)
    assert groups(opened(root)) == {""}


def test_with_a_part_of_its_own_it_is_said_that_groups_do_not_count(table):
    found = opened(table(speaker=who) / "all.csv", test=str(table("other.csv", speaker=who) / "other.csv"))
    assert groups(found) == {""} and "not so with --val or --test" in found.recognised


@pytest.mark.parametrize("name", ["subject", "person", "actor", "Driver"])
def test_other_words_name_people_where_cells_are_ids(table, name):
    assert len(groups(opened(table(**{name: lambda n: f"p{n // 6:03}"})))) == 10
    assert groups(opened(table(**{name: lambda n: f"some words {n // 6}"}))) == {""}
