"""Folders within class folders, and lists of parts beside them."""

from __future__ import annotations

from collections import Counter

import pytest

from autoft.errors import DataError


def paths(form, outer, inner):
    return [form.format(a=a, b=b, n=n) for a in outer for b in inner for n in range(2)]


def told(dataset):
    return {(sample.fields["label"], sample.group) for sample in dataset.samples}


PEOPLE = (
    ("speaker_01", "speaker_02", "speaker_03"),
    ("p225", "p226"),
    ("Actor_01", "Actor_24"),
    ("id10001", "id10002"),
    ("F1", "M2"),
)


@pytest.mark.parametrize("people", PEOPLE)
@pytest.mark.parametrize("form", ["{a}/{b}/{n}.wav", "{a}/{b}/deeper/{n}.wav"])
def test_speakers_above_the_classes_are_groups(audio, people, form):
    found = audio(*paths(form, people, ("yes", "no")))
    assert told(found) == {(word, person) for word in ("yes", "no") for person in people}
    assert "the outer folders are speakers by their names, each stays in one part" in found.recognised


@pytest.mark.parametrize("people", PEOPLE)
def test_speakers_below_the_classes_are_groups(audio, people):
    found = audio(*paths("{b}/{a}/{n}.wav", people, ("yes", "no")))
    assert told(found) == {(word, person) for word in ("yes", "no") for person in people}
    assert "within the class folders are speakers by their names" in found.recognised


def test_parts_above_speakers_stay(audio):
    found = audio(
        *paths("train/{a}/{b}/{n}.wav", ("s1", "s2"), ("0", "1")), *paths("test/{a}/{b}/{n}.wav", ("s3",), ("0", "1"))
    )
    assert {(s.fields["label"], s.group, s.split) for s in found.samples} == {
        *((label, person, "train") for label in "01" for person in ("s1", "s2")),
        *((label, "s3", "test") for label in "01"),
    }


@pytest.mark.parametrize(
    ("outer", "inner"), [(("anna", "bert", "carl"), ("no", "yes")), (("1", "2", "3"), ("anna", "bert"))]
)
def test_two_levels_that_could_be_the_classes_are_refused(audio, outer, inner):
    with pytest.raises(DataError, match=f"could be it: '{outer[0]}' or '{inner[0]}'") as caught:
        audio(*paths("{a}/{b}/{n}.wav", outer, inner))
    assert "--group-col speaker" in caught.value.hint


@pytest.mark.parametrize("inner", [("1", "2"), ("session 1", "session 2"), ("wav",)])
def test_sessions_within_classes_are_nothing(audio, inner):
    assert told(audio(*paths("{a}/{b}/{n}.wav", ("dog", "cat"), inner))) == {("dog", ""), ("cat", "")}


def test_sessions_above_classes_are_groups(audio):
    found = audio(*paths("{a}/{b}/{n}.wav", ("session 1", "session 2"), ("dog", "cat")))
    assert told(found) == {(label, f"session {n}") for label in ("dog", "cat") for n in (1, 2)}


def test_folders_of_their_own_within_classes_are_nothing(audio):
    found = audio("dog/puppy/1.wav", "dog/old/2.wav", "cat/kitten/1.wav", "cat/tom/2.wav")
    assert told(found) == {("dog", ""), ("cat", "")}


def test_speakers_without_classes_are_the_classes_and_it_is_said(audio):
    found = audio(*paths("{a}/{n}.wav", ("speaker1", "speaker2"), ("",)))
    assert told(found) == {("speaker1", ""), ("speaker2", "")}
    assert "called like speakers, and these are the classes then" in found.recognised


def test_parts_within_class_folders(classes, open_data):
    for name in ("cats", "dogs"):
        root = classes({"train": 3, "test": 2}, under=name)
    found = open_data(root)
    assert Counter((s.fields["label"], s.split) for s in found.samples) == {
        ("cats", "train"): 3, ("cats", "test"): 2, ("dogs", "train"): 3, ("dogs", "test"): 2,
    }  # fmt: skip


def test_versions_of_the_same_classes_are_refused(classes, open_data):
    for version in ("color", "grayscale"):
        root = classes({"scab": 2, "rust": 2}, under=version)
    with pytest.raises(DataError, match="could be it: 'color' or 'rust'") as caught:
        open_data(root)
    assert "Give one of the outer folders as the data" in caught.value.hint
    assert {sample.fields["label"] for sample in open_data(root / "color").samples} == {"scab", "rust"}


@pytest.mark.parametrize("inner", [{"1": 2, "2": 2}, {"more": 2}])
def test_folders_within_classes_of_images_that_say_nothing(classes, open_data, inner):
    for name in ("cat", "dog"):
        root = classes(inner, under=name)
    assert {sample.fields["label"] for sample in open_data(root).samples} == {"cat", "dog"}


def test_folders_that_differ_in_the_word_of_a_part_are_no_classes(classes, open_data):
    with pytest.raises(DataError, match="must say their class"):
        open_data(classes({"cars_train": 2, "cars_test": 2}))


def test_a_folder_of_jpegs_is_no_class(classes, open_data):
    with pytest.raises(DataError, match="must say their class"):
        open_data(classes({"jpg": 4}))


@pytest.mark.parametrize("form", ["meta/{}.txt", "{}_list.txt", "images/{}.txt"])
@pytest.mark.parametrize("line", ["{c}/{n:03d}", "{c}/{n:03d}.png", "images/{c}/{n:03d}.png", "./images/{c}/{n:03d}"])
def test_lists_of_paths_beside_class_folders_are_parts(classes, open_data, form, line):
    root = classes({"cats": 4, "dogs": 4}, under="images")
    (root / form).parent.mkdir(exist_ok=True)
    for part, numbers in (("train", (0, 1)), ("test", (2,))):
        lines = [line.format(c=name, n=number) for name in ("cats", "dogs") for number in numbers]
        (root / form.format(part)).write_text("\n".join(lines) + "\n")
    found = open_data(root)
    assert (
        found.reader == "folder"
        and f"parts as {form.format('train')} and {form.format('test')} say" in found.recognised
    )
    assert Counter(sample.split for sample in found.samples) == {"train": 4, "test": 2}
    assert [(i.kind, i.subject) for i in found.issues if i.kind == "unlisted"] == [
        ("unlisted", f"images/{name}/003.png") for name in ("cats", "dogs")
    ]


@pytest.mark.parametrize("lists", [("train1.txt", "train2.txt", "test1.txt", "test2.txt"), ("train.txt",)])
def test_lists_that_leave_a_choice_are_not_used(classes, open_data, lists):
    root = classes({"cats": 4, "dogs": 4})
    for name in lists:
        (root / name).write_text("cats/000.png\ndogs/001.png\n")
    found = open_data(root)
    assert {sample.split for sample in found.samples} == {""} and len(found.samples) == 8


def test_other_words_in_a_list_are_no_paths(classes, open_data):
    root = classes({"cats": 4, "dogs": 4})
    (root / "train.txt").write_text("cats/000.png\ndogs/001.png\n"), (root / "test.txt").write_text("how we tested\n")
    assert {sample.split for sample in open_data(root).samples} == {""}


@pytest.mark.parametrize("below", ["train/audio", "train"])
def test_lists_within_a_lone_training_folder_are_parts(audio, tmp_path, below):
    """Speech Commands of the contest: its test recordings have no classes."""
    names = paths(below + "/{a}/{b}_{n}.wav", ("yes", "no"), ("x", "y"))
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "validation_list.txt").write_text("yes/x_0.wav\nno/x_0.wav\n")
    (tmp_path / "train" / "testing_list.txt").write_text("yes/y_1.wav\nno/y_1.wav\n")
    found = audio(*names, "test/audio/clip_1.wav")
    assert Counter(sample.split for sample in found.samples) == {"train": 4, "val": 2, "test": 2}
    assert "parts as train/validation_list.txt and train/testing_list.txt say" in found.recognised


def test_without_lists_a_lone_training_folder_trains(audio):
    found = audio(*paths("train/{a}/{b}_{n}.wav", ("yes", "no"), ("x", "y")), "test/clip_1.wav")
    assert {sample.split for sample in found.samples} == {"train"}


def test_speakers_that_files_name_are_groups(audio):
    names = [
        f"{word}/{who}_nohash_{n}.wav" for word in ("yes", "no") for who in ("0a7c2a8d", "b1", "c2") for n in (0, 1)
    ]
    found = audio(*names, "yes/noise.wav")
    assert Counter(sample.group for sample in found.samples) == {"0a7c2a8d": 4, "b1": 4, "c2": 4, "": 1}
    assert "3 speakers by the names of the files, each stays in one part" in found.recognised


def test_speakers_that_files_name_are_left_in_parts_that_are_given(audio):
    names = [f"{part}/{word}/{who}_nohash_0.wav" for part in ("train", "test") for word in "ab" for who in "123"]
    found = audio(*names)
    assert not any(sample.group for sample in found.samples)
    assert "some in several of the parts" in found.recognised


def test_few_speakers_that_files_name_are_no_groups(audio):
    found = audio(*[f"{word}/{who}_nohash_{n}.wav" for word in ("yes", "no") for who in "12" for n in (0, 1)])
    assert not any(sample.group for sample in found.samples)
