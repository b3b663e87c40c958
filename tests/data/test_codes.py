"""Folders of people, whose files say the class; tables beside class folders that name people, and unread ones."""

from __future__ import annotations

import pytest

from autoft.errors import DataError


def test_numbers_before_the_folder_are_the_class(audio):
    """AudioMNIST: its speakers were the classes."""
    found = audio(*(f"data/{s:02d}/{d}_{s:02d}_{n}.wav" for s in range(1, 5) for d in range(3) for n in range(2)))
    assert {s.fields["label"] for s in found.samples} == {"0", "1", "2"}
    assert {s.group for s in found.samples} == {"01", "02", "03", "04"}
    assert "the classes stand in the files' names, '0' in 0_01_0.wav" in found.recognised


@pytest.mark.parametrize(
    "form",
    ["{c}/{c}_{n}.wav", "{c}/anna_{c}_{n}.wav", "{c}/{n}_{c}_{n}.wav", "{c}/take{n}.wav", "{c}/{c}_{n}_1.wav"],
)
def test_folders_of_classes_stay_classes(audio, form):
    found = audio(*(form.format(c=c, n=n) for c in range(4) for n in range(6)))
    assert {s.fields["label"] for s in found.samples} == {*"0123"} and not any(s.group for s in found.samples)


def test_numbers_before_digits_are_no_classes(audio):
    found = audio(*(f"{c}/{p}_{c}_{n}.wav" for c in range(4) for p in (1, 2) for n in range(3)))
    assert {s.fields["label"] for s in found.samples} == {*"0123"}


def test_names_of_people_behind_numbers_are_no_classes(audio):
    """The free spoken digits in class folders."""
    found = audio(
        *(f"{c}/{c}_{who}_{n}.wav" for c in range(4) for who in ("george", "theo", "jackson") for n in (0, 1))
    )
    assert {s.fields["label"] for s in found.samples} == {*"0123"}


def test_letters_behind_people_are_refused(classes, open_data, tmp_path):
    """KDEF: its people were the classes."""
    root = classes({"AF01": 3, "AF02": 3, "AM03": 3})
    for folder in root.iterdir():
        for number, code in enumerate(("ANS", "HAS", "SAS")):
            (folder / f"{number:03d}.png").rename(folder / f"{folder.name}{code}.png")
    with pytest.raises(DataError, match="either of two could be it: the folder 'AF01', or 'ANS' in the name") as caught:
        open_data(root)
    assert "--group-col person" in caught.value.hint


def drivers(classes, column):
    root = classes({"c0": 8, "c1": 8}, under="imgs/train")
    lines = [f"p{n // 2},{c},{n:03d}{c}.png\n" for c in ("c0", "c1") for n in range(8)]
    for folder in (root / "imgs/train").iterdir():
        for path in folder.iterdir():
            path.rename(path.with_name(f"{path.stem}{folder.name}.png"))
    (root / "driver_imgs_list.csv").write_text(f"{column},classname,img\n" + "".join(lines))
    return root


def test_people_in_a_table_beside_class_folders_are_groups(classes, open_data):
    """State Farm: one driver was in all parts."""
    root = drivers(classes, "subject_id")
    found = open_data(root)
    assert found.reader == "folder" and {s.group for s in found.samples} == {"p0", "p1", "p2", "p3"}
    assert "as driver_imgs_list.csv says, each of the 4 in 'subject_id' stays in one part" in found.recognised
    alone = open_data(root, group_col="none")
    assert not any(sample.group for sample in alone.samples) and "--group-col none" in alone.recognised


def test_a_table_that_says_nothing_more_is_named(classes, open_data):
    root = drivers(classes, "weather")
    found = open_data(root)
    assert not any(s.group for s in found.samples) and "not read: driver_imgs_list.csv" in found.recognised


def test_lists_aside_that_are_not_used_are_named(classes, open_data):
    root = classes({"a": 3, "b": 3}, under="images")
    (root / "labels").mkdir()
    for number in (1, 2):
        for part in ("train", "test"):
            (root / "labels" / f"{part}{number}.txt").write_text("a/000.png\nb/000.png\n")
    (root / "README.txt").write_text("about")
    said = "not read: labels/test1.txt, labels/test2.txt, labels/train1.txt, labels/train2.txt"
    assert open_data(root).recognised.endswith(said)


def test_lists_with_words_in_capital_letters_are_parts(classes, open_data):
    """MIT's indoor scenes."""
    root = classes({"a": 3, "b": 3}, under="Images")
    (root / "TrainImages.txt").write_text("a/000.png\nb/000.png\na/001.png\n")
    (root / "TestImages.txt").write_text("a/002.png\nb/002.png\nb/001.png\n")
    found = open_data(root)
    assert {s.split for s in found.samples} == {"train", "test"} and "not read" not in found.recognised


@pytest.mark.parametrize("columns", ["Roi,ClassId,Path", "Roi,label,file"])
def test_a_table_beside_a_part_says_its_classes(classes, picture, open_data, columns):
    """Traffic signs (GTSRB): the test images were left out."""
    root = classes({"0": 3, "1": 3}, under="Train")
    for number in range(4):
        picture(root / "Test" / f"{number:05d}.png", seed=500 + number)
    lines = "".join(f"{1 - n % 2},{n % 2},Test/{n:05d}.png\n" for n in range(4))
    (root / "Test.csv").write_text(f"{columns}\n{lines}")
    found = open_data(root)
    assert sorted((s.id, s.fields["label"]) for s in found.samples if s.split == "test") == [
        (f"Test/{n:05d}.png", str(n % 2)) for n in range(4)
    ]
    assert "Test/ as Test.csv says" in found.recognised


def test_annotations_of_boxes_beside_class_folders_are_named(classes, open_data):
    """The folders are cameras, it may be, and what the user meant to learn lies here."""
    root = classes({"cam0": 3, "cam1": 3}, under="images")
    (root / "annotations").mkdir()
    (root / "annotations" / "result.json").write_text('{"images": [], "annotations": [], "categories": []}')
    assert open_data(root).recognised.endswith("not read: annotations/result.json")
