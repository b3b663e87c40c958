"""Folders that look like classes and are none: parts, portions, copies, letters, sets, masks."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from autoft.data import hf, inspect, readers
from autoft.data.foldernames import are_portions, parts_by_words
from autoft.data.layout import find_layout
from autoft.data.media import parts_among, split_word, words_of
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.registry import load


def counts(dataset):
    return dict(Counter((sample.fields["label"], sample.split) for sample in dataset.samples))


@pytest.fixture
def files(tmp_path):
    """What is read of recordings or texts in these places."""

    def read(field, *names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(f"words of {name}")
        task = SimpleNamespace(inputs=(field,), targets=("label",))
        return readers.open_dataset(load(), DataOptions(data=str(tmp_path)), task)

    return read


@pytest.mark.parametrize("copy", ["cell_images", "brain_tumor_dataset"])
def test_a_copy_of_the_classes_beside_them_is_left_out(classes, open_data, copy):
    for under in ("", copy):
        root = classes({"yes": 2, "no": 2}, under=under)
    found = open_data(root)
    assert counts(found) == {("yes", ""): 2, ("no", ""): 2}
    assert f"({copy}/ holds folders of the same names again and is left out)" in found.recognised


def test_a_copy_of_the_parts_beside_them_is_left_out(classes, open_data):
    for under in ("train", "test", "chest/train", "chest/test"):
        root = classes({"a": 2, "b": 2}, under=under)
    found = open_data(root)
    assert len(found.samples) == 8 and "(chest/ holds folders of the same names again" in found.recognised


def test_classes_with_folders_of_their_own_are_no_copies(classes, open_data):
    root = classes({"a": 2, "b": 2, "c/a": 2})
    assert counts(open_data(root)) == {("a", ""): 2, ("b", ""): 2, ("c", ""): 2}


def test_many_files_in_two_classes_stop_the_search(classes, open_data):
    root = classes({"a": 6, "b": 2})
    (root / "all").mkdir()
    for number in range(6):
        (root / "all" / f"{number}.png").write_bytes((root / "a" / f"{number:03d}.png").read_bytes())
    with pytest.raises(DataError, match=r"6 or more lie in two: 'a/000\.png', the same file is 'a' and 'all'"):
        inspect.inspect(open_data(root), ["image"])
    (root / "labels.csv").write_text("image,label\n" + "".join(f"a/{n:03d}.png,{c}\n" for n in range(6) for c in "xy"))
    assert inspect.inspect(open_data(root, target="label"), ["image"]).issues, "several people may label a table"


@pytest.mark.parametrize(
    ("train", "test"),
    [("IRMAS-TrainingData", "IRMAS-TestingData-Part1/Part1"), ("train_audio", "test_soundscapes")],
)
def test_folders_of_parts_in_longer_names_are_no_classes(files, train, test):
    found = files("audio", *(f"{train}/{c}/{n}.wav" for c in ("cel", "flu") for n in range(2)), f"{test}/1.wav")
    assert counts(found) == {("cel", "train"): 2, ("flu", "train"): 2}
    assert f"({test.partition('/')[0]}/ has no class folders and is left out)" in found.recognised


@pytest.mark.parametrize(
    "folders",
    [
        ("FSD50K.dev_audio", "FSD50K.eval_audio"),
        ("LA_train/flac", "LA_dev/flac", "LA_eval/flac"),
        ("set_a", "set_b"),
        ("part1", "part2", "part3"),
    ],
)
def test_parts_and_portions_without_class_folders_are_refused(files, folders):
    with pytest.raises(DataError, match="must say their class"):
        files("audio", *(f"{folder}/{n}.wav" for folder in folders for n in range(2)))


def test_images_in_a_container_beside_a_part_train(classes, picture, open_data):
    """Places365, whose classes lie below letters."""
    root = classes({"a/alley": 2, "a/attic": 2, "b/bakery/shop": 2}, under="data_256")
    picture(root / "val_256" / "1.png", seed=900)
    found = open_data(root)
    assert counts(found) == {("alley", "train"): 2, ("attic", "train"): 2, ("bakery/shop", "train"): 2}
    assert "val_256/ has no class folders" in found.recognised and "first letters of the classes" in found.recognised


def test_development_beside_an_evaluation_trains(classes, open_data):
    for part in ("dev", "eval"):
        root = classes({"a": 2, "b": 2}, under=part)
    assert Counter(sample.split for sample in open_data(root).samples) == {"train": 4, "test": 4}


def test_kinds_of_one_class_are_no_sets_of_classes(classes, open_data):
    root = classes({"real_images/cats": 2, "real_images/dogs": 2, "fake_images/gan": 2, "fake_images/vae": 2})
    found = open_data(root)
    assert counts(found) == {("real_images", ""): 4, ("fake_images", ""): 4}
    assert "such as fake_images/gan, and are not told apart" in found.recognised


def test_a_folder_of_more_than_the_classes_beside_it_is_no_copy(classes, open_data):
    root = classes({"a": 2, "b": 2, "all/a": 2, "all/b": 2, "all/c": 2})
    assert ("all", "") in counts(open_data(root))


def test_masks_of_a_part_are_no_part(classes, open_data):
    for part in ("train", "test", "train_masks"):
        root = classes({"a": 2, "b": 2}, under=part)
    assert len(open_data(root).samples) == 8


def test_letters_that_hold_files_are_classes(classes, open_data):
    assert counts(open_data(classes({"a": 2, "b": 2}))) == {("a", ""): 2, ("b", ""): 2}


def test_sets_of_classes_are_no_classes(classes, open_data):
    root = classes({"colon_image_sets/colon_n": 2, "colon_image_sets/colon_aca": 2, "lung_image_sets/lung_n": 2})
    assert len(counts(open_data(root))) == 2, "one set has a single folder: nothing tells"
    found = open_data(classes({"lung_image_sets/lung_aca": 2}))
    assert {label for label, _ in counts(found)} == {"colon_n", "colon_aca", "lung_n", "lung_aca"}
    assert "colon_image_sets/ and lung_image_sets/ hold sets of classes by their names" in found.recognised


@pytest.mark.parametrize("field", ["image", "text"])
def test_evaluation_is_a_part(classes, open_data, files, field):
    parts = ("training", "validation", "evaluation")
    if field == "text":
        found = files("text", *(f"{part}/{c}/{n}.txt" for part in parts for c in "ab" for n in range(2)))
    else:
        for part in parts:
            root = classes({"a": 2, "b": 2}, under=part)
        found = open_data(root)
    assert counts(found) == {(c, part): 2 for c in "ab" for part in ("train", "val", "test")}


def test_parts_in_words_beside_a_plain_one_are_read(classes, open_data):
    """Satellite images of hurricane damage: the test part alone was read."""
    for part in ("train_another", "validation_another", "test_another", "test"):
        root = classes({"damage": 2, "no_damage": 2}, under=part)
    found = open_data(root)
    assert Counter(sample.split for sample in found.samples) == {"train": 4, "val": 4, "test": 8}


def test_folders_beside_parts_are_said(classes, picture, open_data):
    for part in ("train", "test", "test_hard"):
        root = classes({"a": 2, "b": 2}, under=part)
    picture(root / "seg_pred" / "1.png", seed=901)
    found = open_data(root)
    assert Counter(sample.split for sample in found.samples) == {"train": 4, "test": 8}
    assert "(seg_pred/ is no part by its name and left out)" in found.recognised


def test_what_evaluates_beside_test_validates():
    assert parts_among(["train", "eval", "test"], split_word) == {"train": "train", "eval": "val", "test": "test"}
    assert parts_among(["train", "dev", "eval"], split_word) == {"train": "train", "dev": "val", "eval": "test"}
    assert parts_among(["train", "dev", "eval", "test", "x"], split_word) == {
        "train": "train", "dev": "val", "test": "test",
    }  # fmt: skip


def test_a_split_for_evaluation_never_takes_the_place_of_the_test():
    assert hf._parts({"train": 1, "test": 3, "eval": 2}) == {"train": 1, "val": 2, "test": 3}


@pytest.mark.parametrize(
    ("names", "part"),
    [
        ({"bullet_train", "drug_test"}, False),
        ({"train", "car"}, False),
        ({"cars_train", "cars_test"}, True),
        ({"FSD.dev_audio", "FSD.eval_audio"}, True),
        ({"dev", "test"}, True),
    ],
)
def test_names_that_all_have_the_word_of_a_part(names, part):
    assert bool(parts_by_words(names)) == part


def test_words_and_portions():
    assert words_of("TrainImages.txt") == ["train", "images", "txt"]
    assert are_portions({"set_a", "set_b"}) and are_portions({"images_1", "images_2"})
    assert not are_portions({"batch_1", "batch_2"}) and not are_portions({"cat_a", "cat_b"})


@pytest.mark.parametrize("form", ["{c}/{c} ({n}){e}.png", "{c}/{d}/{n}.png"])
def test_masks_beside_pictures_are_no_samples(picture, open_data, tmp_path, form):
    """Breast ultrasound images, COVID-19 radiographs."""
    for c in ("benign", "normal"):
        for n in range(2):
            for e, d in (("", "images"), ("_mask", "masks"), ("_mask_1", "masks")):
                picture(tmp_path / form.format(c=c, n=n, e=e, d=d), seed=len(c) + 10 * n)
    found = open_data(tmp_path)
    assert counts(found) == {("benign", ""): 2, ("normal", ""): 2}
    assert not any("mask" in sample.id for sample in found.samples)
    assert "masks beside pictures are left out" in found.recognised


def test_a_class_may_wear_masks(classes, open_data):
    assert counts(open_data(classes({"with_mask": 2, "without_mask": 2}))) == {
        ("with_mask", ""): 2, ("without_mask", ""): 2,
    }  # fmt: skip


@pytest.mark.parametrize("field", ["image", "text"])
def test_versions_within_containers_are_refused(classes, open_data, files, field):
    """Office-31, casting, BBC News Summary."""
    with pytest.raises(DataError, match="could be it: 'amazon' or 'bike'"):
        if field == "text":
            files("text", *(f"{v}/{c}/{n}.txt" for v in ("amazon", "web") for c in ("bike", "cup") for n in range(2)))
        else:
            for version in ("amazon/images", "web/web"):
                root = classes({"bike": 2, "cup": 2}, under=version)
            open_data(root)


def test_texts_in_numbered_folders_of_classes(files):
    """Enron: its six mailboxes were the classes."""
    names = [f"enron{k}/{c}/{n}.txt" for k in (1, 2, 3) for c in ("ham", "spam") for n in range(10)]
    found = files("text", *names, "enron1/Summary.txt", "Index.txt")
    assert {sample.fields["label"] for sample in found.samples} == {"ham", "spam"} and len(found.samples) == 60
    assert {sample.group for sample in found.samples} == {"enron1", "enron2", "enron3"}
    assert "1 files beside the inner folders are left out" in found.recognised
    assert "not read: Index.txt" in found.recognised


def test_folds_of_classes_are_groups(classes, open_data):
    for fold in ("fold1", "fold2", "fold3"):
        root = classes({"cat": 2, "dog": 2}, under=fold)
    found = open_data(root)
    assert {(s.fields["label"], s.group) for s in found.samples} == {
        (c, f"fold{n}") for c in ("cat", "dog") for n in (1, 2, 3)
    }
    assert "the outer folders are no classes by their names, each stays in one part" in found.recognised


def test_folders_within_classes_are_said(classes, open_data):
    root = classes({"birds/3000": 2, "birds/3001": 2, "plants/7000": 2})
    assert "folders lie within these, such as birds/3000, and are not told apart" in open_data(root).recognised


def test_a_single_folder_is_a_layout_and_no_data(classes):
    found = find_layout(str(classes({"a": 2})), "image")
    assert found is not None and len(found.folders) == 1
