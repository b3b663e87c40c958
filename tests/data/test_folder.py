"""Class folders, with splits above them or not, and folders of files to predict on."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from autoft.data.folder import FolderReader
from autoft.data.foldernames import is_container
from autoft.data.layout import find_layout
from autoft.errors import DataError
from autoft.records import ReadOptions

NEEDS = ReadOptions(needs=("image", "label"))
PREDICT = ReadOptions(needs=("image", "label"), optional=("label",))


def labels(dataset) -> dict[str, int]:
    return dict(Counter(sample.fields["label"] for sample in dataset.samples))


def test_class_folders(classes):
    dataset = FolderReader().read(str(classes({"dogs": 2, "cats": 3})), NEEDS)
    assert [s.id for s in dataset.samples] == [
        "cats/000.png",
        "cats/001.png",
        "cats/002.png",
        "dogs/000.png",
        "dogs/001.png",
    ]
    assert labels(dataset) == {"cats": 3, "dogs": 2}
    assert all(Path(s.fields["image"]).is_absolute() and s.split == "" for s in dataset.samples)
    assert dataset.recognised == "class folders: 2 classes, 5 image files"


@pytest.mark.parametrize(
    ("folders", "splits"),
    [
        (("train", "val", "test"), ("train", "val", "test")),
        (("Training", "VALID", "Testing"), ("train", "val", "test")),
        (("train", "dev"), ("train", "val")),
        (("train", "validation"), ("train", "val")),
    ],
)
def test_folders_of_splits(classes, folders, splits):
    for folder in folders:
        root = classes({"a": 2, "b": 1}, under=folder)
    dataset = FolderReader().read(str(root), NEEDS)
    assert Counter(s.split for s in dataset.samples) == dict.fromkeys(splits, 3)
    assert labels(dataset) == {"a": 2 * len(folders), "b": len(folders)}
    assert all(folder + "/" in dataset.recognised for folder in folders)


def test_test_images_without_classes_are_left_out_and_said(classes, picture):
    root = classes({"a": 2, "b": 2}, under="train")
    picture(root / "test" / "1.png")
    dataset = FolderReader().read(str(root), NEEDS)
    assert len(dataset.samples) == 4
    assert "test/ has no class folders and is left out" in dataset.recognised


def test_a_lone_folder_around_the_classes_is_passed_through(classes):
    root = classes({"a": 2, "b": 2}, under="archive")
    assert labels(FolderReader().read(str(root), NEEDS)) == {"a": 2, "b": 2}


def test_a_class_may_be_called_test(classes):
    assert labels(FolderReader().read(str(classes({"control": 2, "test": 3})), NEEDS)) == {"control": 2, "test": 3}


def test_a_class_may_be_called_train(classes):
    assert labels(FolderReader().read(str(classes({"train": 2, "car": 1, "bus": 1})), NEEDS))["train"] == 2


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("training_set/training_set", "test_set/test_set"),
        ("seg_train", "seg_test"),
        ("train/train", "test/test"),
        ("Train_images/images", "Test_images/images"),
    ],
)
def test_parts_have_words_beside_theirs_and_wrap_a_folder(classes, picture, train, test):
    root = classes({f"{train}/cats": 2, f"{train}/dogs": 2, f"{test}/cats": 1, f"{test}/dogs": 1})
    picture(root / "seg_pred" / "seg_pred" / "1.png")
    dataset = FolderReader().read(str(root), NEEDS)
    assert Counter(s.split for s in dataset.samples) == {"train": 4, "test": 2}
    assert labels(dataset) == {"cats": 3, "dogs": 3}


@pytest.mark.parametrize("folder", ["test/test", "test/images", "test"])
def test_a_folder_that_wraps_unlabelled_test_images_is_no_class(classes, picture, folder):
    root = classes({"train/cats": 2, "train/dogs": 2})
    picture(root / folder / "1.png")
    dataset = FolderReader().read(str(root), NEEDS)
    assert labels(dataset) == {"cats": 2, "dogs": 2} and "test/ has no class folders" in dataset.recognised


def test_classes_with_the_word_of_a_part_in_their_names_are_classes(classes):
    dataset = FolderReader().read(str(classes({"bullet_train/old": 2, "bullet_train/new": 2, "drug_test/a": 2})), NEEDS)
    assert labels(dataset) == {"bullet_train": 4, "drug_test": 2} and {s.split for s in dataset.samples} == {""}


def test_nested_folders_and_links_belong_to_their_class(classes, picture, tmp_path):
    root = classes({"a": 1, "b": 1})
    picture(root / "a" / "deep" / "deeper" / "x.jpg", seed=91)
    elsewhere = picture(tmp_path / "elsewhere" / "y.png", seed=92)
    (root / "b" / "link.png").symlink_to(elsewhere)
    (root / "c").symlink_to(elsewhere.parent)
    (root / "a" / "loop").symlink_to(root / "a")
    dataset = FolderReader().read(str(root), NEEDS)
    assert labels(dataset) == {"a": 2, "b": 2, "c": 1}


def test_other_files(classes):
    root = classes({"a": 2, "b": 2})
    for name in ("README.txt", ".DS_Store", "a/.hidden.png", "a/Thumbs.db", "a/notes.txt"):
        (root / name).write_text("words")
    (root / "docs").mkdir()
    (root / "docs" / "manual.pdf").write_bytes(b"%PDF")
    (root / "a" / "gone.png").symlink_to(root / "nowhere.png")
    dataset = FolderReader().read(str(root), NEEDS)
    assert labels(dataset) == {"a": 2, "b": 2}
    assert [(i.kind, i.subject, i.drops) for i in dataset.issues] == [
        ("unreadable", "a/gone.png", True),
        ("not_an_image", "a/notes.txt", False),
    ]


def test_image_without_a_suffix_is_known_by_its_first_bytes(classes):
    root = classes({"a": 2, "b": 2})
    (root / "a" / "000.png").rename(root / "a" / "photo")
    assert labels(FolderReader().read(str(root), NEEDS)) == {"a": 2, "b": 2}


def test_empty_class_folder_is_an_issue(classes):
    dataset = FolderReader().read(str(classes({"a": 2, "b": 2, "c": 0})), NEEDS)
    assert [(i.kind, i.subject, i.drops) for i in dataset.issues] == [("small_class", "c", False)]


def test_names_beyond_ascii_and_very_long_ones(classes, picture):
    root = classes({"größe": 1, "猫": 1})
    picture(root / "猫" / ("ż" * 120 + ".png"), seed=93)
    picture(root / "猫" / "new\nline [red].png", seed=94)
    dataset = FolderReader().read(str(root), NEEDS)
    assert labels(dataset) == {"größe": 1, "猫": 3}
    assert not dataset.issues


def test_a_name_that_is_not_utf8_is_an_issue(classes):
    root = classes({"a": 2, "b": 2})
    os.rename(os.fsencode(root / "a" / "000.png"), os.fsencode(root / "a") + b"/caf\xe9.png")
    dataset = FolderReader().read(str(root), NEEDS)
    assert [(i.kind, i.subject, i.drops) for i in dataset.issues] == [("bad_name", r"a/caf\xe9.png", True)]
    assert len(dataset.samples) == 3


def test_unreadable_class_folder(classes, not_root):
    root = classes({"a": 2, "b": 2, "c": 2})
    (root / "c").chmod(0)
    try:
        dataset = FolderReader().read(str(root), NEEDS)
    finally:
        (root / "c").chmod(0o700)
    assert ("unreadable", "c") in {(i.kind, i.subject) for i in dataset.issues}


def test_for_prediction_any_tree_will_do(tmp_path, picture):
    for name in ("b.png", "a.jpg", "deep/er/c.webp"):
        picture(tmp_path / "new" / name)
    (tmp_path / "new" / "words.txt").write_text("words")
    dataset = FolderReader().read(str(tmp_path / "new"), PREDICT)
    assert [s.id for s in dataset.samples] == ["a.jpg", "b.png", "deep/er/c.webp"]
    assert all("label" not in s.fields for s in dataset.samples)


def test_for_prediction_one_file_will_do(tmp_path, picture):
    path = picture(tmp_path / "one.png")
    dataset = FolderReader().read(str(path), PREDICT)
    assert [(s.id, s.fields) for s in dataset.samples] == [("one.png", {"image": str(path)})]


def test_audio_files_in_class_folders(tmp_path):
    for name in ("yes/1.wav", "yes/2.flac", "no/1.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"RIFF")
    options = ReadOptions(needs=("audio", "label"))
    assert labels(FolderReader().read(str(tmp_path), options)) == {"yes": 2, "no": 1}
    assert FolderReader().sniff(str(tmp_path), NEEDS) == ""


@pytest.mark.parametrize(
    "options",
    [
        ReadOptions(needs=("text", "label")),
        ReadOptions(needs=("image", "value")),
        ReadOptions(needs=("image", "label"), columns={"label": "kind"}),
        ReadOptions(needs=("image", "label"), group_col="patient"),
    ],
)
def test_says_no_to_what_folders_cannot_give(classes, options):
    assert FolderReader().sniff(str(classes({"a": 2, "b": 2})), options) == ""


def flat(root, picture):
    picture(root / "1.png")


def split_but_flat(root, picture):
    picture(root / "train" / "1.png")
    picture(root / "test" / "2.png")


def splits_beside_annotations(root, picture):
    split_but_flat(root, picture)
    (root / "annotations").mkdir()
    (root / "annotations" / "boxes.json").write_text("{}")


def splits_inside_a_container(root, picture):
    split_but_flat(root / "images", picture)


def masks(root, picture):
    for split in ("train", "test"):
        picture(root / split / "images" / "1.png")
        picture(root / split / "masks" / "1.png")


def no_images(root, picture):
    (root / "a").mkdir()
    (root / "a" / "notes.txt").write_text("words")


def archive(root, picture):
    (root / "imgs.zip").write_bytes(b"PK")


def two_tables(root, picture):
    (root / "one.csv").write_text("image,label\n")
    (root / "two.csv").write_text("image,label\n")


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda root, picture: None, "must hold image files, but there are none"),
        (flat, "must say their class, but they are not in class folders"),
        (split_but_flat, r"\(test/, train/\) must say their class"),
        (splits_beside_annotations, "not in class folders"),
        (splits_inside_a_container, "not in class folders"),
        (masks, "not in class folders"),
        (no_images, "must hold image files, but there are none"),
        (archive, "none in it"),
        (two_tables, "several: one.csv, two.csv"),
        (lambda root, picture: root.rmdir(), "there is no file or folder"),
    ],
)
def test_refusals_say_what_is_expected(tmp_path, picture, prepare, words):
    root = tmp_path / "imgs"
    root.mkdir()
    prepare(root, picture)
    with pytest.raises(DataError, match=words):
        FolderReader().read(str(root), NEEDS)


def test_a_misspelt_folder_gets_the_nearest_name(classes):
    root = classes({"a": 1, "b": 1}, root="flowers")
    with pytest.raises(DataError, match="Did you mean 'flowers'"):
        FolderReader().read(str(root.with_name("flovers")), NEEDS)


def test_folders_of_parts_and_folds_are_no_classes(tmp_path, picture):
    for name in ("fold1", "fold2"):
        picture(tmp_path / name / "a.png", seed=ord(name[-1]))
    assert find_layout(str(tmp_path), "image") is None
    for name in ("1", "fold", "images_train", "audio", "data"):
        assert is_container(name) == (name != "1"), name


def test_a_class_may_have_such_a_name_beside_others(tmp_path, picture):
    for name in ("data", "cat"):
        picture(tmp_path / name / "a.png", seed=len(name))
    layout = find_layout(str(tmp_path), "image")
    assert layout is not None and [folder.label for folder in layout.folders] == ["cat", "data"]


def test_lists_beside_class_folders_say_the_parts(tmp_path):
    for name in ("yes/1.wav", "yes/2.wav", "no/1.wav", "no/3.wav", "_background_noise_/hum.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "validation_list.txt").write_text("yes/2.wav\n")
    (tmp_path / "testing_list.txt").write_text("no/3.wav\n")
    dataset = FolderReader().read(str(tmp_path), ReadOptions(needs=("audio", "label")))
    assert [(s.id, s.split) for s in dataset.samples] == [
        ("no/1.wav", "train"),
        ("no/3.wav", "test"),
        ("yes/1.wav", "train"),
        ("yes/2.wav", "val"),
    ]
    assert "parts as validation_list.txt and testing_list.txt say" in dataset.recognised
