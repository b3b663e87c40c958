"""Reading CVAT's own XML."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autoft.api import DataError, ReadOptions
from autoft.testing import ReaderContract, scenes
from autoft_detection._cvat import CvatReader
from autoft_detection._voc import VocReader

BOXES = ReadOptions(needs=("image", "boxes"))


def write(folder: Path, subset: str = "") -> list[scenes.Scene]:
    made = scenes.scenes(9)
    files = scenes.write_pictures(folder / "images", made)
    lines = []
    for number, (file, scene) in enumerate(zip(files, made, strict=True)):
        boxes = "".join(f'<box label="{c}" xtl="{a}.0" ytl="{b}" xbr="{x}" ybr="{y}" occluded="0"></box>'
                        for a, b, x, y, c in scene.boxes)  # fmt: skip
        lines.append(f'<image id="{number}" name="{file.name}"{subset} width="64" height="48">{boxes}</image>')
    text = f'<?xml version="1.0"?>\n<annotations><version>1.1</version><meta></meta>{"".join(lines)}</annotations>'
    (folder / "annotations.xml").write_text(text)
    return made


class TestCvatReader(ReaderContract):
    reader = CvatReader
    options = BOXES
    targets = ("boxes",)

    def write(self, folder: Path) -> str:
        write(folder)
        return os.fspath(folder)

    def write_damaged(self, folder: Path) -> str:
        write(folder)
        (folder / "images" / "0003.png").unlink()
        return os.fspath(folder)

    def foreign(self, folder: Path) -> list[str]:
        (folder / "voc").mkdir()
        (folder / "voc" / "a.xml").write_text("<annotation><object/></annotation>")
        return [*super().foreign(folder), os.fspath(folder / "voc")]


def test_boxes_and_subsets(tmp_path: Path) -> None:
    made = write(tmp_path, ' subset="Train"')
    found = CvatReader().read(str(tmp_path), BOXES)
    assert [[tuple(row) for row in s.fields["boxes"]] for s in found.samples] == [scene.boxes for scene in made]
    assert {s.split for s in found.samples} == {"train"} and not VocReader().sniff(str(tmp_path), BOXES)


def test_polygons_give_the_box_around_them_and_points_none(tmp_path: Path) -> None:
    write(tmp_path)
    shapes = '<polygon label="a" points="10,10;30,12;20,40.5"/><points label="b" points="1,1"/><polygon label="c"/>'
    text = f'<annotations><image name="0000.png" width="64" height="48">{shapes}</image></annotations>'
    (tmp_path / "annotations.xml").write_text(text)
    found = CvatReader().read(str(tmp_path), BOXES)
    assert found.samples[0].fields["boxes"] == [[10, 10, 30, 40.5, "a"]]
    assert [issue.kind for issue in found.issues] == ["box_not_finite"]


def test_entities_are_refused(tmp_path: Path) -> None:
    text = '<!DOCTYPE a [<!ENTITY b "c">]><annotations><image name="&b;"/></annotations>'
    (tmp_path / "annotations.xml").write_text(text)
    with pytest.raises(DataError, match="CVAT"):
        CvatReader().read(str(tmp_path), BOXES)
