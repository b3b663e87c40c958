"""Reading what labelling tools export: VGG Image Annotator, Supervisely, Label Studio."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from autoft.api import DataError, Dataset, ReadOptions, UsageError
from autoft.testing import ReaderContract, scenes
from autoft_detection._drawn import LabelStudioReader, SuperviselyReader, ViaReader

BOXES = ReadOptions(needs=("image", "boxes"))
SIZE = (64, 48)
"""Of the pictures."""


def rect(x1: float, y1: float, x2: float, y2: float) -> dict[str, Any]:
    return {"name": "rect", "x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1}


def region(shape: Mapping[str, Any], /, **attributes: Any) -> dict[str, Any]:
    return {"shape_attributes": shape, "region_attributes": attributes}


def entry(name: str, regions: Sequence[Any]) -> dict[str, Any]:
    return {"filename": name, "size": 99, "regions": regions, "file_attributes": {}}


def export(regions: Mapping[str, Sequence[Any]]) -> str:
    return json.dumps({f"{name}99": entry(name, found) for name, found in regions.items()})


def boxes(found: Dataset) -> list[list[list[Any]]]:
    return [sample.fields["boxes"] for sample in found.samples]


def written(folder: Path, count: int = 9) -> dict[str, list[Any]]:
    """Pictures with the boxes in each."""
    made = scenes.scenes(count)
    files = scenes.write_pictures(folder, made)
    return {file.name: [list(box) for box in scene.boxes] for file, scene in zip(files, made, strict=True)}


class TestViaReader(ReaderContract):
    reader = ViaReader
    options = BOXES
    targets = ("boxes",)

    def write(self, folder: Path) -> str:
        made = written(folder)
        regions = {name: [region(rect(*box[:4]), kind=box[4]) for box in found] for name, found in made.items()}
        (folder / "via_region_data.json").write_text(export(regions))
        return os.fspath(folder)

    def write_damaged(self, folder: Path) -> str:
        self.write(folder)
        (folder / "0003.png").unlink()
        return os.fspath(folder)

    def foreign(self, folder: Path) -> list[str]:
        (folder / "settings").mkdir()
        (folder / "settings" / "a.json").write_text('{"filename": "a", "regions": {}}')
        return [*super().foreign(folder), os.fspath(folder / "settings")]


class TestSuperviselyReader(ReaderContract):
    reader = SuperviselyReader
    options = BOXES
    targets = ("boxes",)

    def write(self, folder: Path) -> str:
        for name, found in written(folder / "ds0" / "img").items():
            supervise(folder / "ds0", name, [square(*box) for box in found])
        return os.fspath(folder)

    def write_damaged(self, folder: Path) -> str:
        self.write(folder)
        (folder / "ds0" / "img" / "0003.png").unlink()
        (folder / "ds0" / "ann" / "0002.png.json").write_text("{")
        return os.fspath(folder)


class TestLabelStudioReader(ReaderContract):
    reader = LabelStudioReader
    options = BOXES
    targets = ("boxes",)

    def write(self, folder: Path) -> str:
        tasks = [task(name, [percent(*box) for box in found]) for name, found in written(folder / "photos").items()]
        (folder / "project-1.json").write_text(json.dumps(tasks))
        return os.fspath(folder)

    def write_damaged(self, folder: Path) -> str:
        self.write(folder)
        (folder / "photos" / "0003.png").unlink()
        return os.fspath(folder)


def square(x1: float, y1: float, x2: float, y2: float, name: str) -> dict[str, Any]:
    points = {"exterior": [[x1, y1], [x2, y2]], "interior": []}
    return {"classTitle": name, "geometryType": "rectangle", "points": points}


def supervise(folder: Path, name: str, objects: list[Any], **more: Any) -> None:
    (folder / "ann").mkdir(exist_ok=True)
    content = {"size": {"width": SIZE[0], "height": SIZE[1]}, "tags": [], "objects": objects, **more}
    (folder / "ann" / f"{name}.json").write_text(json.dumps(content))


def percent(x1: float, y1: float, x2: float, y2: float, name: str) -> dict[str, Any]:
    wide, high = SIZE
    value = {"x": 100 * x1 / wide, "y": 100 * y1 / high, "width": 100 * (x2 - x1) / wide,
             "height": 100 * (y2 - y1) / high, "rotation": 0, "rectanglelabels": [name]}  # fmt: skip
    return drawn("rectanglelabels", value)


def drawn(kind: str, value: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"original_width": SIZE[0], "original_height": SIZE[1], "image_rotation": 0, "type": kind,
            "from_name": "label", "to_name": "image", "value": value, **more}  # fmt: skip


def task(name: str, results: list[Any], prefix: str = "/data/upload/1/0a1b2c3d-") -> dict[str, Any]:
    return {"id": 1, "data": {"image": prefix + name}, "annotations": [{"id": 2, "result": results}]}


def test_all_forms_of_via_say_the_same(tmp_path: Path) -> None:
    written(tmp_path, 1)
    found = [region(rect(1, 2, 6, 8), kind="a"), region({"name": "circle", "cx": 20, "cy": 20, "r": 5}, kind="b")]
    old = {"a99": {**entry("0000.png", []), "fileref": "", "regions": {str(n): each for n, each in enumerate(found)}}}
    project = {"_via_settings": {}, "_via_img_metadata": {"a99": entry("0000.png", found)}, "_via_attributes": {}}
    quoted = [[json.dumps(each[key]).replace('"', '""') for key in each] for each in found]
    rows = ["#filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"]
    rows += [f'0000.png,99,"{{}}",2,{n},"{a}","{b}"' for n, (a, b) in enumerate(quoted)]
    for name, text in {
        "new.json": json.dumps({"a99": entry("0000.png", found)}),
        "old.json": json.dumps(old),
        "project.json": json.dumps(project),
        "all.csv": "\n".join(rows),
    }.items():
        (tmp_path / name).write_text(text)
        for source in (tmp_path, tmp_path / name):
            assert ViaReader().sniff(str(source), BOXES), name
            data = ViaReader().read(str(source), BOXES)
            assert boxes(data) == [[[1, 2, 6, 8, "a"], [15, 15, 25, 25, "b"]]], name
            assert "the attribute 'kind'" in data.recognised
        (tmp_path / name).unlink()


def test_shapes_and_attributes_of_via(tmp_path: Path) -> None:
    written(tmp_path, 1)
    regions = [
        region({"name": "polygon", "all_points_x": [1, 9, 4], "all_points_y": [1, 2, 8]}, kind={"a": True, "b": False}),
        region({"name": "ellipse", "cx": 20, "cy": 20, "rx": 6, "ry": 2, "theta": 0}, kind="b"),
        region({"name": "point", "cx": 3, "cy": 3}, kind="a"),
        region({"name": "rect", "x": "?", "y": 1, "width": 2, "height": 2}, kind="a"),
        region({"name": "circle", "cx": 10**400, "cy": 1, "r": 2}, kind="a"),
        region(rect(1, 1, 5, 5), kind={"a": True, "b": True}),
        region(rect(1, 1, 1, 5), kind="a"),
    ]
    (tmp_path / "a.json").write_text(export({"0000.png": regions, "gone.png": []}))
    data = ViaReader().read(str(tmp_path), BOXES)
    assert boxes(data) == [[[1, 1, 9, 8, "a"], [14, 18, 26, 22, "b"]]]
    kinds = ["box_empty", "box_not_finite", "box_not_finite", "box_unknown_class", "missing"]
    assert sorted(issue.kind for issue in data.issues) == kinds


def test_regions_without_attributes_are_one_class(tmp_path: Path) -> None:
    written(tmp_path, 2)
    (tmp_path / "a.json").write_text(export({"0000.png": [region(rect(1, 1, 5, 5))], "0001.png": []}))
    data = ViaReader().read(str(tmp_path), BOXES)
    assert boxes(data) == [[[1, 1, 5, 5, "object"]], []]
    assert "no attributes, all are 'object'" in data.recognised


def test_several_attributes_must_be_named(tmp_path: Path) -> None:
    written(tmp_path, 1)
    one = region(rect(1, 1, 5, 5), colour="red", shape="round")
    (tmp_path / "a.json").write_text(export({"0000.png": [one]}))
    with pytest.raises(DataError, match=r"colour \(of 1\), shape \(of 1\) regions"):
        ViaReader().read(str(tmp_path), BOXES)
    named = ReadOptions(needs=("image", "boxes"), columns={"boxes": "shape"})
    assert boxes(ViaReader().read(str(tmp_path), named)) == [[[1, 1, 5, 5, "round"]]]
    with pytest.raises(UsageError, match="Did you mean 'colour'"):
        ViaReader().read(str(tmp_path), ReadOptions(needs=("image", "boxes"), columns={"boxes": "color"}))
    one["region_attributes"]["label"] = "cat"
    (tmp_path / "a.json").write_text(export({"0000.png": [one]}))
    assert boxes(ViaReader().read(str(tmp_path), BOXES)) == [[[1, 1, 5, 5, "cat"]]], "a usual name decides"


def test_two_files_of_via_may_not_differ(tmp_path: Path) -> None:
    written(tmp_path, 1)
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(export({"0000.png": [region(rect(1, 1, 5, 5))]}))
    assert len(ViaReader().read(str(tmp_path), BOXES).samples) == 1
    (tmp_path / "b.json").write_text(export({"0000.png": [region(rect(1, 1, 6, 5))]}))
    with pytest.raises(DataError, match="annotated once"):
        ViaReader().read(str(tmp_path), BOXES)


def test_parts_of_supervisely_are_folders_or_tags(tmp_path: Path) -> None:
    written(tmp_path / "ds0" / "img", 3), written(tmp_path / "test" / "img", 1)
    supervise(tmp_path / "ds0", "0000.png", [square(1, 1, 5, 5, "a")], tags=[{"name": "train"}, {"name": "night"}])
    supervise(tmp_path / "ds0", "0001.png", [{"classTitle": "a", "geometryType": "point"}], tags=["val"])
    supervise(tmp_path / "test", "0000.png", [square(9, 9, 5, 5, "b")])
    data = SuperviselyReader().read(str(tmp_path), BOXES)
    assert [(s.id, s.split, s.fields["boxes"]) for s in data.samples] == [
        ("ds0/img/0000.png", "train", [[1, 1, 5, 5, "a"]]),
        ("test/img/0000.png", "test", [[5, 5, 9, 9, "b"]]),
    ]
    assert [(issue.kind, issue.subject) for issue in data.issues] == [
        ("no_annotation", "ds0/img/0002.png"), ("unlabelled_part", "val"),
    ]  # fmt: skip


def test_other_forms_of_label_studio(tmp_path: Path) -> None:
    written(tmp_path / "photos", 5)
    turned = {"x": 50, "y": 50, "width": 25, "height": 25, "rotation": 90, "rectanglelabels": ["a"]}
    round_ = {"x": 50, "y": 50, "radiusX": 25, "radiusY": 25, "rotation": 0, "ellipselabels": ["b"]}
    corners = {"points": [[0, 0], [50, 0], [50, 50]], "polygonlabels": ["c"]}
    bare = {"x": 0, "y": 0, "width": 50, "height": 50, "rotation": 0}
    tasks = [
        task("0000.png", [drawn("rectanglelabels", turned), drawn("ellipselabels", round_)]),
        task("0001.png", [drawn("polygonlabels", corners)], "/data/local-files/?d=other/"),
        task("0002.png", [drawn("rectangle", bare, id="r"), drawn("labels", {**bare, "labels": ["d"]}, id="r")]),
        {**task("0003.png", []), "annotations": []},
        {**task("0004.png", []), "annotations": [{"was_cancelled": True, "result": []}]},
        task("gone.png", []),
    ]
    (tmp_path / "all.json").write_text(json.dumps(tasks))
    data = LabelStudioReader().read(str(tmp_path), BOXES)
    assert boxes(data) == [
        [[20, 24, 32, 40, "a"], [16, 12, 48, 36, "b"]], [[0, 0, 32, 24, "c"]], [[0, 0, 32, 24, "d"]],
    ]  # fmt: skip
    assert sorted(issue.kind for issue in data.issues) == ["missing", "no_annotation", "no_annotation"]


def test_the_short_form_of_label_studio(tmp_path: Path) -> None:
    written(tmp_path, 1)
    one = percent(16, 12, 32, 24, "a")
    short = {"image": "/data/upload/1/0a1b2c3d-0000.png", "id": 1, "annotator": 1,
             "label": [{**one["value"], "original_width": SIZE[0], "original_height": SIZE[1]}]}  # fmt: skip
    quoted = json.dumps(short["label"]).replace('"', '""')
    csv = f'annotation_id,annotator,id,image,label\n1,1,1,{short["image"]},"{quoted}"\n'
    for name, text in (("min.json", json.dumps([short])), ("all.csv", csv)):
        (tmp_path / name).write_text(text)
        assert LabelStudioReader().sniff(str(tmp_path), BOXES)
        assert boxes(LabelStudioReader().read(str(tmp_path), BOXES)) == [[[16, 12, 32, 24, "a"]]]
        (tmp_path / name).unlink()


def test_of_several_annotations_the_ground_truth_counts(tmp_path: Path) -> None:
    written(tmp_path, 1)
    made = [{"result": [percent(1, 1, 5, 5, name)], "ground_truth": name == "b"} for name in "ab"]
    (tmp_path / "a.json").write_text(json.dumps([{**task("0000.png", []), "annotations": made}]))
    data = LabelStudioReader().read(str(tmp_path), BOXES)
    assert [row[4] for row in boxes(data)[0]] == ["b"] and "1 task has several annotations" in data.recognised


def test_an_upload_is_found_by_its_first_name_where_that_is_the_only_one(tmp_path: Path) -> None:
    written(tmp_path / "a", 1), written(tmp_path / "b", 1)
    (tmp_path / "all.json").write_text(json.dumps([task("0000.png", [percent(1, 1, 5, 5, "a")])]))
    data = LabelStudioReader().read(str(tmp_path), BOXES)
    assert not data.samples and "missing" in {issue.kind for issue in data.issues}, "either could be meant"


def test_what_was_read_before_goes_before_exports(tmp_path: Path) -> None:
    TestViaReader().write(tmp_path)
    assert ViaReader().sniff(str(tmp_path), BOXES)
    (tmp_path / "boxes.csv").write_text("filename,class,xmin,ymin,xmax,ymax\n0000.png,a,1,1,5,5\n")
    assert not ViaReader().sniff(str(tmp_path), BOXES)
