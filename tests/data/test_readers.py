"""Choosing a reader, joining --val and --test, unique ids, and refusals in words."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from autoft.data import readers
from autoft.data.merge import unique_ids
from autoft.errors import DataError, UsageError
from autoft.options import DataOptions
from autoft.records import Sample
from autoft.registry import load


def kinds(dataset) -> list[tuple[str, str]]:
    return [(issue.kind, issue.subject) for issue in dataset.issues]


def test_class_folders_win_over_a_table_beside_them(classes, open_data):
    root = classes({"cats": 2, "dogs": 2})
    (root / "labels.csv").write_text("image,label\ncats/000.png,x\n")
    assert open_data(root).reader == "folder"
    assert open_data(root, target="label").reader == "table"  # columns exist in tables only


@pytest.mark.parametrize("folders", [("images",), ("images", "masks")])
def test_a_table_wins_over_the_folders_of_its_files(classes, open_data, folders):
    root = classes(dict.fromkeys(folders, 2))
    (root / "labels.csv").write_text("image,label\nimages/000.png,x\nimages/001.png,y\n")
    dataset = open_data(root)
    assert dataset.reader == "table"
    assert [s.fields["label"] for s in dataset.samples] == ["x", "y"]


@pytest.mark.parametrize("cell", ["{0}/{1}.png", "{1}"])
def test_a_table_wins_over_folders_of_portions_that_it_does_not_name(tmp_path, picture, open_data, cell):
    lines = []
    for number in range(6):
        folder, name = f"batch {number % 2}", f"p{number}"
        picture(tmp_path / folder / f"{name}.png", seed=number)
        lines.append(f"{cell.format(folder, name)},{'xyz'[number // 2]}\n")
    (tmp_path / "metadata.csv").write_text("image_id,kind\n" + "".join(lines))
    dataset = open_data(tmp_path)
    assert dataset.reader == "table" and {s.fields["label"] for s in dataset.samples} == {*"xyz"}
    (tmp_path / "metadata.csv").write_text("image_id,kind\n" + "".join(lines[:2]))
    assert open_data(tmp_path).reader == "folder", "a table of few of the files does not tell their classes"


def test_folders_of_numbered_images_are_no_classes(classes, open_data):
    root = classes({"HAM_images_part_1": 2, "HAM_images_part_2": 2})
    for name in ("one.csv", "two.csv"):
        (root / name).write_text("image_id,kind\n000,x\n")
    with pytest.raises(DataError, match="holds several"):
        open_data(root)


def test_a_lone_part_is_no_part(classes, open_data):
    dataset = open_data(classes({"a": 3, "b": 3}, under="val"))
    assert {s.split for s in dataset.samples} == {""} and "all of it is called val" in dataset.recognised


def test_sources_for_val_and_test(classes, open_data):
    main = classes({"a": 3, "b": 3})
    val = classes({"a": 1, "b": 1}, root="mine")
    test = classes({"a": 2, "b": 2}, root="other")
    dataset = open_data(main, val=str(val), test=str(test))
    assert [sum(s.split == split for s in dataset.samples) for split in ("train", "val", "test")] == [6, 2, 4]
    ids = [s.id for s in dataset.samples]
    assert len(set(ids)) == len(ids)
    assert {"a/000.png", "val:a/000.png", "test:a/000.png"} <= set(ids)
    assert "val from" in dataset.recognised


def test_a_second_val_part_is_refused(classes, open_data):
    classes({"a": 2, "b": 2}, under="train")
    root = classes({"a": 2, "b": 2}, under="val")
    other = classes({"a": 1, "b": 1}, root="other")
    with pytest.raises(UsageError, match="one val part"):
        open_data(root, val=str(other))
    assert len(open_data(root, test=str(other)).samples) == 10


def test_remarks_about_classes(classes, open_data):
    classes({"a": 3, "A ": 2, "lone": 1}, under="train")
    root = classes({"new": 2}, under="test")
    dataset = open_data(root)
    assert kinds(dataset) == [("small_class", "lone"), ("unseen_class", "new"), ("alike_classes", "a")]
    assert not any(issue.drops for issue in dataset.issues)


def test_nothing_recognised_lists_what_is(tmp_path, open_data):
    (tmp_path / "data.xyz").write_text("?")
    with pytest.raises(DataError, match="neither") as caught:
        open_data(tmp_path / "data.xyz")
    for reader in ("folder", "table", "hf"):
        assert reader + ":" in caught.value.hint
    assert "faces:" not in caught.value.hint  # of these the age is learned, which is no class


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "must be named"), ("imgs.zip", "is an archive"), ("one.png", "one image file is not enough")],
)
def test_other_refusals(tmp_path, picture, open_data, name, words):
    picture(tmp_path / "one.png")
    (tmp_path / "imgs.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match=words):
        open_data(tmp_path / name if name else "")


def test_a_table_of_missing_files_only(tmp_path, open_data):
    (tmp_path / "labels.csv").write_text("image,label\nx/1.png,a\nx/2.png,b\n")
    with pytest.raises(DataError, match="2 missing files left out"):
        open_data(tmp_path / "labels.csv")


def test_columns_named_for_a_folder_without_a_table(classes, open_data):
    with pytest.raises(DataError, match="columns were named"):
        open_data(classes({"a": 1, "b": 1}), group_col="patient")


def test_prediction_needs_no_labels(tmp_path, picture, open_data):
    picture(tmp_path / "new" / "x.png")
    dataset = open_data(tmp_path / "new", labelled=False)
    assert [s.id for s in dataset.samples] == ["x.png"]
    assert dataset.issues == ()


def test_a_broken_reader_does_not_stop_the_others(classes, open_data, monkeypatch, tmp_path):
    (tmp_path / "broken_reader_plugin.py").write_text(
        "from autoft.api import Entry, hookimpl\n"
        "class Broken:\n"
        "    def sniff(self, source, options):\n"
        "        raise RuntimeError('out of order')\n"
        "@hookimpl\n"
        "def autoft_readers():\n"
        "    yield Entry(name='broken', target='broken_reader_plugin:Broken')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("AUTOFT_PLUGINS", "broken_reader_plugin")
    dataset = open_data(classes({"a": 2, "b": 2}))
    assert dataset.reader == "folder"
    assert kinds(dataset) == [("reader_failed", "broken")]
    assert "out of order" in dataset.issues[0].detail


def test_unique_ids_survive_names_that_look_like_made_ones():
    names = ["x", "x", "x #2", "x"]
    ids = [sample.id for sample in unique_ids(Sample(id=name, fields={}) for name in names)]
    assert ids[0] == "x"
    assert len(set(ids)) == 4


def test_images_without_boxes_are_not_told_to_be_in_class_folders(tmp_path, picture):
    picture(tmp_path / "a.png")
    task = SimpleNamespace(inputs=("image",), targets=("boxes",))
    with pytest.raises(DataError, match="must come with boxes") as caught:
        readers.open_dataset(load(), DataOptions(data=str(tmp_path)), task)
    assert not caught.value.hint.startswith("Put the files")
    listed = [entry for entry in load().entries("reader") if f"{entry.name}:" in caught.value.hint]
    assert all({"image", "boxes"} <= {*(entry.gives or ("image", "boxes"))} for entry in listed), "nothing of sounds"


@pytest.mark.parametrize("name", ["digits.h5", "a.tfrecord"])
def test_arrays_are_refused_in_words(tmp_path, open_data, name):
    (tmp_path / name).write_bytes(b"1")
    with pytest.raises(DataError, match=f"it holds arrays, which are not read: {name}") as caught:
        open_data(tmp_path)
    assert "Write each sample as a file of its own" in caught.value.hint


@pytest.mark.parametrize("named", [False, True])
def test_a_spreadsheet_is_refused_in_words(tmp_path, picture, open_data, named):
    for number in range(4):
        picture(tmp_path / f"{'cat' if number % 2 else 'dog'}_{number}.png", seed=number)
    (tmp_path / "labels.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match=r"spreadsheet, which is not read") as caught:
        open_data(tmp_path / "labels.xlsx" if named else tmp_path)
    assert "Save the sheet as CSV" in caught.value.hint


def test_classes_in_a_file_of_matlab_are_named(tmp_path, picture, open_data):
    for place in range(4):
        picture(tmp_path / "jpg" / f"image_{place}.jpg", seed=place)
    (tmp_path / "imagelabels.mat").write_bytes(b"MATLAB 5.0 MAT-file")
    with pytest.raises(DataError, match=r"imagelabels\.mat is MATLAB's, which is not read"):
        open_data(tmp_path)


def test_boxes_are_no_classes_of_images_and_said(tmp_path, picture, open_data):
    for place in range(4):
        picture(tmp_path / "JPEGImages" / f"{place}.jpg", seed=place)
        (tmp_path / "JPEGImages" / f"{place}.xml").write_text("<annotation></annotation>")
    with pytest.raises(DataError, match=r"0\.xml tell boxes, which --task object-det learns"):
        open_data(tmp_path)
    (tmp_path / "a.json").write_text('{"images": [{"id": 1}], "annotations": [{"id": 2}], "categories": [{"id": 3}]}')
    with pytest.raises(DataError, match="it is COCO's JSON"):
        open_data(tmp_path / "a.json")
