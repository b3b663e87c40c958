"""Classes and parts in lists as Pascal VOC, CUB-200 and the Oxford Pets have them."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from autoft.data import readers
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.registry import load

IDS = [f"2007_{number:06d}" for number in range(12)]
PARTS = {"train": IDS[:6], "val": IDS[6:9], "trainval": IDS[:9], "test": IDS[9:]}


def opened(data, target="label", **options):
    task = SimpleNamespace(inputs=("image",), targets=(target,))
    return readers.open_dataset(load(), DataOptions(data=str(data), **options), task)


@pytest.fixture
def voc(tmp_path, picture):
    """Write lists where `mark(number, class)` says -1, 0 or 1; gives back the folder."""

    def write(mark, parts=PARTS, root="VOCdevkit/VOC2007"):
        folder = tmp_path / root
        for seed, name in enumerate(IDS):
            picture(folder / f"JPEGImages/{name}.jpg", seed=seed)
        (folder / "ImageSets/Main").mkdir(parents=True)
        for part, names in parts.items():
            (folder / f"ImageSets/Main/{part}.txt").write_text("\n".join(names) + "\n")
            for place, label in enumerate(("cat", "pottedplant", "traffic_light")):
                lines = [f"{name} {mark(IDS.index(name), place):2d}\n" for name in names]
                (folder / f"ImageSets/Main/{label}_{part}.txt").write_text("".join(lines))
        return tmp_path

    return write


def test_the_only_class_of_an_image(voc):
    found = opened(voc(lambda number, place: 1 if number % 3 == place else -1))
    assert found.reader == "voc-classes" and not found.issues
    assert Counter(s.split for s in found.samples) == {"train": 6, "val": 3, "test": 3}
    assert {s.fields["label"] for s in found.samples} == {"cat", "pottedplant", "traffic_light"}
    first = next(sample for sample in found.samples if sample.id.endswith("2007_000001.jpg"))
    assert first.fields["label"] == "pottedplant" and first.split == "train"


def test_several_classes_of_an_image_are_labels(voc):
    data = voc(lambda number, place: 1 if number % 4 in (place, 0) else 0 if number == 3 else -1, root="VOC2012")
    found = opened(data, "labels")
    labels = {sample.id[-6:-4]: sample.fields["labels"] for sample in found.samples}
    assert labels["00"] == ["cat", "pottedplant", "traffic_light"]
    assert labels["01"] == ["pottedplant"] and labels["03"] == []
    assert "1 have difficult classes (0), which count as absent" in found.recognised
    with pytest.raises(DataError, match=r"3 of 12 have several, such as .*000000.jpg' \(cat, potted") as caught:
        opened(data)
    assert "--task image-multilabel" in caught.value.hint


def test_trainval_trains_where_nothing_else_does(voc):
    parts = {part: PARTS[part] for part in ("trainval", "test")}
    found = opened(voc(lambda number, place: 1 if number % 3 == place else -1, parts, root="."))
    assert Counter(s.split for s in found.samples) == {"train": 9, "test": 3}


def test_images_that_are_missing_and_without_a_class_are_named(voc):
    data = voc(lambda number, place: 1 if number % 3 == place and number else -1)
    (data / "VOCdevkit/VOC2007/JPEGImages/2007_000004.jpg").unlink()
    found = opened(data)
    assert Counter(issue.kind for issue in found.issues) == {"missing": 1, "no_label": 1}
    assert len(found.samples) == 10


@pytest.fixture
def cub(tmp_path, picture):
    def write(root=".", parts=True):
        folder = tmp_path / root
        rows = [(n, n % 2 + 1, f"00{n % 2 + 1}.Bird{n % 2}/b_{n}.jpg") for n in range(1, 9)]
        for number, _, path in rows:
            picture(folder / "images" / path, seed=number)
        files = {
            "images.txt": [f"{n} {path}" for n, _, path in rows],
            "image_class_labels.txt": [f"{n} {label}" for n, label, _ in rows],
            "classes.txt": ["1 001.Great Auk", "2 002.Laysan Albatross"],
            "bounding_boxes.txt": [f"{n} 1 1 5 5" for n, _, _ in rows],
            **({"train_test_split.txt": [f"{n} {int(n > 2)}" for n, _, _ in rows]} if parts else {}),
        }
        for name, lines in files.items():
            (folder / name).write_text("\n".join(lines) + "\n")
        return tmp_path

    return write


@pytest.mark.parametrize("root", [".", "CUB_200_2011"])
def test_numbered_images(cub, root):
    found = opened(cub(root))
    assert found.reader == "numbered" and not found.issues
    assert {s.fields["label"] for s in found.samples} == {"001.Great Auk", "002.Laysan Albatross"}
    assert Counter(s.split for s in found.samples) == {"train": 6, "test": 2}
    assert "train_test_split.txt says, 1 is training and 0 test" in found.recognised


def test_numbered_images_without_parts(cub):
    assert {sample.split for sample in opened(cub(parts=False)).samples} == {""}


def test_what_numbers_lead_to_is_named(cub):
    data = cub()
    (data / "images/001.Bird0/b_2.jpg").unlink()
    (data / "image_class_labels.txt").write_text("1 1\n2 1\n3 2\n")
    assert Counter(issue.kind for issue in opened(data).issues) >= Counter({"missing": 1, "no_label": 5})


def pets(folder, picture, numbers="{k} {s} {i}"):
    lines = {"trainval": [], "test": []}
    for k, name in enumerate(("Abyssinian", "great_pyrenees", "pug"), 1):
        for i in range(1, 7):
            picture(folder / f"images/{name}_{i}.jpg", seed=10 * k + i)
            picture(folder / f"annotations/trimaps/{name}_{i}.png", mode="L")
            line = f"{name}_{i} " + numbers.format(k=k, s=min(k, 2), i=min(k, 2))
            lines["test" if i > 4 else "trainval"].append(line)
    for part, told in lines.items():
        (folder / f"annotations/{part}.txt").write_text("\n".join(told) + "\n")
    every = ["#Image CLASS-ID SPECIES BREED ID", "#ID: 1:37 Class ids", *lines["trainval"], *lines["test"]]
    (folder / "annotations/list.txt").write_text("\n".join(every) + "\n")


def test_names_without_suffix_and_several_numbers(tmp_path, picture):
    pets(tmp_path, picture)
    found = opened(tmp_path)
    assert found.reader == "lists" and not found.issues
    assert Counter((s.fields["label"], s.split) for s in found.samples) == {
        (name, part): count
        for name in ("Abyssinian", "great_pyrenees", "pug")
        for part, count in (("train", 4), ("test", 2))
    }
    assert all("/images/" in sample.fields["image"] for sample in found.samples)
    assert "the classes are what the files' names begin with" in found.recognised


def test_several_numbers_that_no_name_explains_are_no_class(tmp_path, picture):
    pets(tmp_path, picture, "{s} 1 {i}")
    with pytest.raises(DataError, match="must say their class"):
        opened(tmp_path)


def test_names_without_suffix_and_a_class_in_words(tmp_path, picture):
    for number in range(9):
        picture(tmp_path / f"data/images/{number:07d}.jpg", seed=number)
    lines = [f"{number:07d} {('Boeing 707', 'A320', 'DC-3')[number % 3]}\n" for number in range(9)]
    (tmp_path / "data/train.txt").write_text("".join(lines[:6]))
    (tmp_path / "data/test.txt").write_text("".join(lines[6:]))
    found = opened(tmp_path / "data")
    assert found.reader == "lists"
    assert Counter(s.split for s in found.samples) == {"train": 6, "test": 3}
    assert {s.fields["label"] for s in found.samples} == {"Boeing 707", "A320", "DC-3"}
