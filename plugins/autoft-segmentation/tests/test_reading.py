"""Which masks belong to which images, what their pixels mean, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autoft.api import DataError, ReadOptions
from autoft_segmentation import _names
from autoft_segmentation._coco import CocoMaskReader
from autoft_segmentation._drawn import LabelMeMaskReader
from autoft_segmentation._folder import MaskFolderReader
from autoft_segmentation._runs import counts
from autoft_segmentation._yolo import YoloMaskReader

ASKED = ReadOptions(needs=("image", "mask"))


def image(path: Path, values: Any = 0, mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.zeros((6, 8) if mode != "RGB" else (6, 8, 3), np.uint8)
    pixels[:] = values
    Image.fromarray(pixels).save(path)


def mask(path: Path, *values: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.resize(np.array(values, np.uint8), (6, 8))
    Image.fromarray(pixels).save(path)


def read(folder: Path) -> Any:
    return MaskFolderReader().read(str(folder), ASKED)


def values(folder: Path) -> dict[str, str]:
    found: dict[str, str] = read(folder).samples[0].fields["mask"]["values"]
    return found


@pytest.mark.parametrize(
    ("picture", "truth", "split"),
    [
        ("images/a.jpg", "masks/a.png", ""),
        ("train/images/a.jpg", "train/masks/a.png", "train"),
        ("images/val/a.jpg", "labels/val/a.png", "val"),
        ("test/a.png", "testannot/a.png", "test"),
        ("train/a.png", "train_labels/a_L.png", "train"),
        ("a.jpg", "a_mask.png", ""),
        ("a.jpg", "a.mask.png", ""),
        ("original_images/a.jpg", "label_images_semantic/a.png", ""),
        ("img/a.jpg", "masks_machine/a.png", ""),
        ("label_studio_export/images/a.jpg", "label_studio_export/Ground-Truth/a.png", ""),
        ("train/img/a.jpg", "train/lbl/a.png", "train"),
        ("JPEGImages/a.jpg", "SegmentationClass/a.png", ""),
        ("leftImg8bit/train/x/a_leftImg8bit.png", "gtFine/train/x/a_labelIds.png", "train"),
    ],
)
def test_pairs_are_found(tmp_path: Path, picture: str, truth: str, split: str) -> None:
    image(tmp_path / picture)
    mask(tmp_path / truth, 0, 1, 2)
    (sample,) = read(tmp_path).samples
    assert sample.fields["image"] == str(tmp_path / picture)
    assert sample.fields["mask"]["path"] == str(tmp_path / truth) and sample.split == split


@pytest.mark.parametrize(
    ("picture", "truth"),
    [
        ("images/image_{}.jpg", "masks/mask_{}.png"),
        ("data/img{}.jpg", "data/mask{}.png"),
        ("images/cell_image_{}.png", "masks/cell_mask_{}.png"),
        ("images/{}_a.jpg", "labels/{}_a_P.png"),
        ("images/seg_{}.jpg", "masks/seg_{}.png"),
        ("img/{}.jpg", "masks/{}.jpg.png"),
    ],
)
def test_names_of_images_and_masks_may_differ(tmp_path: Path, picture: str, truth: str) -> None:
    for number in range(3):
        image(tmp_path / picture.format(number)), mask(tmp_path / truth.format(number), 0, 1)
    found = read(tmp_path)
    pairs = [(Path(s.fields["image"]).name, Path(s.fields["mask"]["path"]).name) for s in found.samples]
    assert pairs == [(Path(picture.format(n)).name, Path(truth.format(n)).name) for n in range(3)]
    assert not found.issues


def test_a_part_without_masks_is_left_out_and_named_once(tmp_path: Path) -> None:
    for number in range(2):
        image(tmp_path / f"train/images/{number}.jpg"), mask(tmp_path / f"train/masks/{number}.png", 0, 1)
        image(tmp_path / f"test/images/t{number}.jpg")
    found = read(tmp_path)
    assert [s.split for s in found.samples] == ["train", "train"]
    assert [(i.kind, i.subject, i.drops) for i in found.issues] == [("unlabelled_part", "test", False)]


def test_for_prediction_images_without_masks_stay(tmp_path: Path) -> None:
    image(tmp_path / "images/a.jpg"), image(tmp_path / "images/b.jpg"), mask(tmp_path / "masks/a.png", 0, 1)
    asked = ReadOptions(needs=("image", "mask"), optional=("mask",))
    found = MaskFolderReader().read(str(tmp_path), asked)
    assert [(s.id, sorted(s.fields)) for s in found.samples] == [
        ("images/a.jpg", ["image", "mask"]),
        ("images/b.jpg", ["image"]),
    ]
    assert not found.issues


def test_pascal_voc_has_lists_and_folders_of_instances(tmp_path: Path) -> None:
    for number in range(4):
        image(tmp_path / f"JPEGImages/{number}.jpg")
    for number in range(3):
        mask(tmp_path / f"SegmentationClass/{number}.png", 0, 1, 255)
        mask(tmp_path / f"SegmentationObject/{number}.png", 0, 1, 2, 255)
    lists = tmp_path / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("0\n1\n"), (lists / "val.txt").write_text("2\n")
    found = read(tmp_path)
    assert [(s.id, s.split) for s in found.samples] == [
        ("JPEGImages/0.jpg", "train"), ("JPEGImages/1.jpg", "train"), ("JPEGImages/2.jpg", "val"),
    ]  # fmt: skip
    assert not found.issues


def test_years_of_pascal_voc_side_by_side_have_lists_of_their_own(tmp_path: Path) -> None:
    for year, lists in (("VOC2007", {"train": "0", "val": "1"}), ("VOC2012", {"train": "1", "test": "2"})):
        home = tmp_path / "VOCdevkit" / year
        for number in range(3):
            image(home / f"JPEGImages/{number}.jpg"), mask(home / f"SegmentationClass/{number}.png", 0, 1, 255)
        (home / "ImageSets" / "Segmentation").mkdir(parents=True)
        for name, text in lists.items():
            (home / "ImageSets" / "Segmentation" / f"{name}.txt").write_text(text)
    parts = {s.id.removeprefix("VOCdevkit/"): s.split for s in read(tmp_path).samples}
    known = {f"{year}/JPEGImages/{n}.jpg": part for year, n, part in (
        ("VOC2007", 0, "train"), ("VOC2007", 1, "val"), ("VOC2007", 2, ""),
        ("VOC2012", 0, ""), ("VOC2012", 1, "train"), ("VOC2012", 2, "test"),
    )}  # fmt: skip
    assert parts == known


def test_a_further_mask_of_an_image_is_no_image(tmp_path: Path) -> None:
    image(tmp_path / "a (1).png"), mask(tmp_path / "a (1)_mask.png", 0, 1), mask(tmp_path / "a (1)_mask_1.png", 0, 1)
    found = read(tmp_path)
    assert [s.id for s in found.samples] == ["a (1).png"] and not found.issues


@pytest.mark.parametrize("name", ["train/_classes.csv", "class_names.txt", "labels.txt", "My_class_dict_seg.csv"])
def test_lists_of_roboflow_and_labelme(tmp_path: Path, name: str) -> None:
    image(tmp_path / "train/a.jpg"), mask(tmp_path / "train/a_mask.png", 0, 1)
    texts = {
        "train/_classes.csv": "Pixel Value, Class\n0, background\n1, cat\n",
        "My_class_dict_seg.csv": "name,id\nbackground,0\ncat,1\n",
        "class_names.txt": "_background_\ncat\n",
        "labels.txt": "__ignore__\n_background_\ncat\n",
    }
    (tmp_path / name).write_text(texts[name])
    assert {key: values(tmp_path)[key] for key in "01"} == {"0": "background", "1": "cat"}


def test_smoothed_edges_are_no_classes(tmp_path: Path) -> None:
    image(tmp_path / "images/a.png")
    pixels = np.repeat(np.repeat(np.array([[0, 255], [255, 0]], np.uint8), 20, 0), 20, 1)
    (tmp_path / "masks").mkdir()
    Image.fromarray(pixels).resize((199, 201), Image.Resampling.BICUBIC).save(tmp_path / "masks/a.png")
    found = read(tmp_path)
    assert values(tmp_path) == {"0": "background", "255": "foreground"} and "smoothed" in found.recognised
    assert found.samples[0].fields["mask"]["nearest"] is True


def test_white_beside_grey_is_a_class(tmp_path: Path) -> None:
    image(tmp_path / "images/a.png"), mask(tmp_path / "masks/a.png", 0, 128, 255)
    assert values(tmp_path) == {"0": "class 0", "128": "class 128", "255": "class 255"}


def test_equal_names_in_two_parts_are_kept_apart(tmp_path: Path) -> None:
    for part in ("train", "test"):
        image(tmp_path / part / "images" / "1.png")
        mask(tmp_path / part / "masks" / "1.png", 0, 1)
    found = {sample.split: sample.fields["mask"]["path"] for sample in read(tmp_path).samples}
    assert found == {part: str(tmp_path / part / "masks" / "1.png") for part in ("train", "test")}


def test_lonely_files_are_told(tmp_path: Path) -> None:
    for name in "abc":
        image(tmp_path / "images" / f"{name}.png")
        mask(tmp_path / "masks" / f"{name}.png", 0, 1)
    (tmp_path / "masks" / "a.png").unlink()
    (tmp_path / "images" / "b.png").unlink()
    issues = {issue.kind: issue for issue in read(tmp_path).issues}
    assert issues["no_mask"].subject == "images/a.png" and issues["no_mask"].drops
    assert issues["orphan_mask"].subject == "masks/b.png" and not issues["orphan_mask"].drops


def test_two_values_are_background_and_foreground(tmp_path: Path) -> None:
    image(tmp_path / "images" / "a.png")
    mask(tmp_path / "masks" / "a.png", 0, 255)
    assert values(tmp_path) == {"0": "background", "255": "foreground"}
    assert "two values, 0 background, 255 foreground" in read(tmp_path).recognised


def test_indices_without_names(tmp_path: Path) -> None:
    image(tmp_path / "images" / "a.png")
    mask(tmp_path / "masks" / "a.png", 0, 3, 7, 255)
    assert values(tmp_path) == {"0": "class 0", "3": "class 3", "7": "class 7", "255": ""}


def test_a_list_names_indices_and_what_is_ignored(tmp_path: Path) -> None:
    image(tmp_path / "images" / "a.png")
    mask(tmp_path / "masks" / "a.png", 0, 1, 2)
    (tmp_path / "classes.txt").write_text("0 Sky\n1 Road marking\n2 Unlabelled")
    assert values(tmp_path) == {"0": "Sky", "1": "Road marking", "2": "", "255": ""}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("class_dict.csv", "name,r,g,b\nsky,0,0,64\nroad,255,128,0\nVoid,0,0,0\n"),
        ("label_colors.txt", "0 0 64\tsky\n255 128 0\troad\n0 0 0\tVoid\n"),
        ("labelmap.txt", "# label:color_rgb:parts:actions\nsky:0,0,64::\nroad:255,128,0::\nVoid:0,0,0::\n"),
    ],
)
def test_colour_maps(tmp_path: Path, name: str, text: str) -> None:
    image(tmp_path / "images" / "a.png")
    pixels = np.zeros((6, 8, 3), np.uint8)
    pixels[:, :4] = (255, 128, 0)
    (tmp_path / "masks").mkdir()
    Image.fromarray(pixels).save(tmp_path / "masks" / "a.png")
    (tmp_path / name).write_text(text)
    assert values(tmp_path) == {"#000040": "sky", "#ff8000": "road", "#000000": ""}


def test_colours_of_a_format_with_loss_need_a_map(tmp_path: Path) -> None:
    image(tmp_path / "images" / "a.png")
    noise = np.random.default_rng(0).integers(0, 255, (6, 8, 3)).astype(np.uint8)
    (tmp_path / "masks").mkdir()
    Image.fromarray(noise).save(tmp_path / "masks" / "a.jpg")
    with pytest.raises(DataError, match="colour map"):
        read(tmp_path)


def test_photos_are_no_masks(tmp_path: Path) -> None:
    image(tmp_path / "images" / "a.png")
    noise = np.random.default_rng(0).integers(0, 60000, (60, 80)).astype(np.uint16)
    (tmp_path / "masks").mkdir()
    Image.fromarray(noise).save(tmp_path / "masks" / "a.png")
    with pytest.raises(DataError, match="different ones"):
        read(tmp_path)


def test_titles_and_plain_lists(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("background\ncat\ndog\n")
    found = _names.read(tmp_path / "classes.txt")
    assert found is not None and found.values == {"0": "background", "1": "cat", "2": "dog"}
    (tmp_path / "classes.json").write_text('{"0": "background", "5": "cat"}')
    found = _names.read(tmp_path / "classes.json")
    assert found is not None and found.values == {"0": "background", "5": "cat"}


def test_run_lengths_are_those_of_pycocotools() -> None:
    tools = pytest.importorskip("pycocotools.mask")
    truth = np.random.default_rng(3).random((37, 23)) < 0.4
    truth[5:30, 4:20] = True
    packed = tools.encode(np.asfortranarray(truth.astype(np.uint8)))["counts"].decode()
    flags = np.arange(len(counts(packed))) % 2 == 1
    assert (truth == np.repeat(flags, counts(packed)).reshape(23, 37).T).all()
    assert counts([1, 2, 3]) == (1, 2, 3)
    for wrong in ("~", [-1], None):
        with pytest.raises(ValueError, match="run lengths"):
            counts(wrong)


def test_coco_shapes(tmp_path: Path) -> None:
    image(tmp_path / "val" / "a.png")
    square = {"image_id": 1, "category_id": 9, "iscrowd": "0", "segmentation": [[0, 0, 3, 0, 3, 3, 0, 3]]}
    crowd = {
        "image_id": 1,
        "category_id": 9,
        "iscrowd": 1,
        "segmentation": {"counts": [40, 8], "size": [6, 8]},
    }
    broken = {"image_id": 1, "category_id": 4, "segmentation": [[0, 0]]}
    endless = {"image_id": 1, "category_id": 9, "segmentation": [[0, 0, 3, 0, 3, 1e999]]}
    content = {
        "images": [{"id": 1, "file_name": "a.png", "width": 80, "height": 60}, {"id": 2, "file_name": "gone.png"}],
        "annotations": [square, crowd, broken, endless],
        "categories": [{"id": 9, "name": "cat"}],
    }
    (tmp_path / "val.json").write_text(json.dumps(content))
    data = CocoMaskReader().read(str(tmp_path), ASKED)
    (sample,) = data.samples
    assert sample.split == "val" and sample.fields["mask"]["background"] == "background"
    assert [shape["name"] for shape in sample.fields["mask"]["shapes"]] == ["", "cat"], "crowds lie below"
    assert sorted(issue.kind for issue in data.issues) == ["missing", "shape_unreadable", "shape_unreadable"]
    assert sample.fields["mask"]["size"] == [80, 60] and sample.fields["mask"]["shapes"][0]["size"] == [8, 6]


def test_labelme_shapes(tmp_path: Path) -> None:
    image(tmp_path / "a.jpg"), image(tmp_path / "b.jpg")
    shapes = [
        {"label": "cat", "points": [[0, 0], [4, 0], [4, 4]], "shape_type": "polygon"},
        {"label": "dog", "points": [[1, 1], [3, 2]], "shape_type": "rectangle"},
        {"label": "tail", "points": [[1, 1], [3, 2]], "shape_type": "line"},
    ]
    (tmp_path / "a.json").write_text(json.dumps({"shapes": shapes, "imagePath": "a.jpg"}))
    assert LabelMeMaskReader().sniff(str(tmp_path), ASKED)
    found = LabelMeMaskReader().read(str(tmp_path), ASKED)
    (sample,) = found.samples
    assert sample.id == "a.jpg" and sample.fields["mask"]["background"] == "background"
    assert [(s["name"], list(s["polygons"][0])) for s in sample.fields["mask"]["shapes"]] == [
        ("cat", [0, 0, 4, 0, 4, 4]), ("dog", [1, 1, 3, 1, 3, 2, 1, 2]),
    ]  # fmt: skip
    assert [issue.kind for issue in found.issues] == ["no_annotation", "shape_unreadable"]


def test_polygons_of_yolo(tmp_path: Path) -> None:
    for number in range(2):
        image(tmp_path / f"train/images/{number}.jpg"), image(tmp_path / f"test/images/t{number}.jpg")
    (tmp_path / "train/labels").mkdir()
    lines = ["1 0 0 0.5 0 0.5 0.5", "0 0.5 0.5 0.2 0.2", "7 0 0 0.5 0 0.5 0.5"]
    (tmp_path / "train/labels/0.txt").write_text("\n".join(lines))
    (tmp_path / "data.yaml").write_text("train: /kaggle/set/train/images\ntest: test/images\nnames: [cat, dog]\n")
    for source in (tmp_path, tmp_path / "data.yaml"):
        assert YoloMaskReader().sniff(str(source), ASKED)
        found = YoloMaskReader().read(str(source), ASKED)
        assert [(s.id, s.split) for s in found.samples] == [(f"train/images/{n}.jpg", "train") for n in range(2)]
        drawn = [
            [(shape["name"], list(shape["polygons"][0])) for shape in s.fields["mask"]["shapes"]] for s in found.samples
        ]
        assert drawn == [[("dog", [0, 0, 4, 0, 4, 3])], []]
        assert sorted(issue.kind for issue in found.issues) == ["shape_unreadable"] * 2 + ["unlabelled_part"]
    (tmp_path / "train/labels/0.txt").write_text("0 0.5 0.5 0.2 0.2")
    assert not YoloMaskReader().sniff(str(tmp_path), ASKED), "boxes are no masks"
