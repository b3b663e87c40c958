"""Classes in the names of files, where nothing else tells them."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from autoft.data import readers
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.registry import load

AUDIO = SimpleNamespace(inputs=("audio",), targets=("label",))


@pytest.fixture
def files(tmp_path):
    """Files with these names and contents that all differ; nothing is decoded here."""

    def write(names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(name)
        return tmp_path

    return write


def heard(source):
    return readers.open_dataset(load(), DataOptions(data=str(source)), AUDIO)


def classes(dataset):
    return {sample.fields["label"] for sample in dataset.samples}


@pytest.mark.parametrize(
    ("form", "labels"),
    [
        ("{}.{}.jpg", ("cat", "dog")),
        ("{}_{:04d}.jpg", ("cat", "dog")),
        ("images/{}_{}.JPG", ("Abyssinian", "great_pyrenees", "english_setter", "english_cocker_spaniel")),
        ("{} ({}).png", ("benign", "malignant")),
        ("{}-{}.png", ("猫", "Hündchen")),
        ("{}_{}.JPEG", ("n01440764", "n01443537")),
    ],
)
def test_the_class_stands_before_the_number(files, open_data, form, labels):
    found = open_data(files([form.format(label, n) for label in labels for n in range(3)]))
    assert found.reader == "names" and classes(found) == {*labels} and len(found.samples) == 3 * len(labels)
    assert "as nothing else tells them (what stands before the number)" in found.recognised


def test_a_digit_before_a_speaker_is_the_class(files):
    names = [f"recordings/{d}_{who}_{n}.wav" for d in range(3) for who in ("jackson", "theo") for n in range(2)]
    found = heard(files([*names, "README.md"]))
    assert classes(found) == {"0", "1", "2"} and "the number at the beginning" in found.recognised


def test_parts_are_kept_and_one_without_classes_is_left_out(files, open_data):
    train = [f"train/{label}.{n}.jpg" for label in ("cat", "dog") for n in range(3)]
    found = open_data(files([*train, *(f"test1/{n}.jpg" for n in range(3))]))
    assert classes(found) == {"cat", "dog"} and len(found.samples) == 6
    assert "test is left out, its names say no class" in found.recognised
    found = open_data(files([f"val/{label}.{n}.jpg" for label in ("cat", "dog") for n in range(3, 5)]))
    assert Counter(sample.split for sample in found.samples) == {"train": 6, "val": 4}


@pytest.mark.parametrize(
    "names",
    [
        [f"IMG_{n:04d}.jpg" for n in range(6)],
        [f"{camera}_{n:04d}.jpg" for camera in ("IMG", "DSC") for n in range(6)],
        [f"{word}_{n}.jpg" for word in ("IMG", "cat", "dog") for n in range(6)],
        [f"cat_{n}.jpg" for n in range(6)],  # one class
        [*(f"cat_{n}.jpg" for n in range(6)), "dog_1.jpg"],  # a class of one file
        [*(f"{word}_{n}.jpg" for word in ("cat", "dog") for n in range(6)), "both.jpg"],
        [f"{ident}_nohash_{n}.jpg" for ident in ("0a7c2a8d", "1b88bf70") for n in range(6)],
        [f"p{who}_{n}.jpg" for who in range(3) for n in range(6)],
        [f"{who}-100{who}-A-{n}.jpg" for who in range(3) for n in range(6)],
        [f"{number}_{who}_{n}.jpg" for number, who in ((0, "a"), (1, "b")) for n in range(3)],  # what is what?
        [f"{n}.jpg" for n in range(6)],
    ],
)
def test_names_that_say_no_classes_are_refused(files, open_data, names):
    with pytest.raises(DataError, match="must say their class, but they are not in class folders"):
        open_data(files(names))


def test_names_that_can_be_read_in_two_ways_are_refused(files, open_data):
    data = files([f"{a}_{b}_{n}.jpg" for a in ("red", "blue") for b in ("car", "bus") for n in range(3)])
    with pytest.raises(DataError, match="can mean 'blue' as well as 'blue_bus'"):
        open_data(data)


def test_tables_and_folders_come_before_names(files, open_data):
    names = [f"{word}_{n}.jpg" for word in ("cat", "dog") for n in range(3)]
    data = files(names)
    (data / "all.csv").write_text("\n".join(["path,label", *(f"{name},{n % 2}" for n, name in enumerate(names))]))
    assert open_data(data).reader == "table"
    (data / "more.csv").write_text("a,b\n1,2\n")
    assert open_data(data).recognised.endswith("not read: more.csv")
    (data / "more.csv").write_text("\n".join(["path,b", *(f"{name},2" for name in names)]))
    with pytest.raises(DataError, match="several"):
        open_data(data)


def test_folders_of_other_names_come_before_names(files, open_data):
    found = open_data(files([f"{where}/{word}_{n}.jpg" for where in "ab" for word in ("cat", "dog") for n in range(3)]))
    assert found.reader == "folder" and classes(found) == {"a", "b"}


def test_for_prediction_names_say_nothing(files, open_data):
    found = open_data(files([f"{word}_{n}.jpg" for word in ("cat", "dog") for n in range(3)]), labelled=False)
    assert found.reader == "folder" and "label" not in found.samples[0].fields


CROSSED = [
    f"{who}_{what}_{n}.{'WAV' if n else 'mp3'}"
    for who in ("ann", "bo", "cy")
    for what in ("hum", "hiss")
    for n in range(3)
]


def test_parts_of_names_that_say_several_things(files):
    source = str(files([*CROSSED, "odd.wav", "notes.txt"]))
    found = readers.open_dataset(load(), DataOptions(data=source, target="2", group_col="1"), AUDIO)
    assert classes(found) == {"hum", "hiss"} and len(found.samples) == len(CROSSED)
    assert {sample.group for sample in found.samples} == {"ann", "bo", "cy"}
    assert "part 2 of the names of files: 2 classes (hiss, hum), 18 audio files; groups by part 1" in found.recognised
    assert [(issue.subject, issue.kind) for issue in found.issues if issue.drops] == [("odd.wav", "no_label")]
    again = readers.open_dataset(
        load(), DataOptions(data=source), AUDIO, remembered=found.columns, guessed=found.columns
    )
    assert classes(again) == {"hum", "hiss"}


def test_parts_of_names_beside_a_stray_file_and_without_groups(files):
    source = str(files(["aaa.wav", *CROSSED]))
    found = readers.open_dataset(load(), DataOptions(data=source, target="2", group_col="none"), AUDIO)
    assert classes(found) == {"hum", "hiss"} and {sample.group for sample in found.samples} == {""}


def test_a_column_that_is_called_by_a_number_is_no_part_of_names(files):
    source = str(files([f"{name}/rec_{n}.wav" for name in ("dog", "cat") for n in range(4)]))
    known = {"audio": "0", "label": "1"}
    found = readers.open_dataset(load(), DataOptions(data=source), AUDIO, remembered={"label": "1"}, guessed=known)
    assert found.reader == "folder" and classes(found) == {"dog", "cat"}


def test_what_names_can_mean_is_offered(files):
    with pytest.raises(DataError, match="'ann' as well as 'ann_h") as caught:
        heard(files(CROSSED))
    assert "--target 1 (ann, bo, cy) or --target 2 (hiss, hum); --group-col 1" in caught.value.hint


def test_a_part_that_no_name_has_is_refused(files):
    with pytest.raises(DataError, match="holds no table"):
        readers.open_dataset(load(), DataOptions(data=str(files(CROSSED)), target="7"), AUDIO)


def test_json_files_beside_recordings_are_said_not_to_be_read(files):
    names = [f"{n:05d}{suffix}" for n in range(12) for suffix in (".wav", ".json")]
    with pytest.raises(DataError, match=r"JSON files beside them, such as 00000\.json, are not read one by one"):
        heard(files([f"clips/{name}" for name in names]))
