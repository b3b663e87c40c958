"""Reading CVAT's own XML."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autoft.api import DataError, ReadOptions
from autoft.testing import ReaderContract, scenes
from autoft_detection._drawn import CvatReader
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
    kinds = [issue.kind for issue in found.issues]
    assert sorted({*kinds}) == ["box_not_finite", "no_annotation", "shape_without_area"]
    assert next(i.detail for i in found.issues if i.kind == "shape_without_area") == "1 points"


def shapes(tmp_path: Path, *drawn: str) -> list[list[object]]:
    write(tmp_path)
    text = f'<image name="0000.png" width="64" height="48">{"".join(drawn)}</image>'
    (tmp_path / "annotations.xml").write_text(f"<annotations>{text}</annotations>")
    (sample,) = CvatReader().read(str(tmp_path), BOXES).samples
    return [[round(side) for side in row[:4]] + row[4:] for row in sample.fields["boxes"]]


def test_ellipses_masks_and_turned_boxes_have_boxes_around_them(tmp_path: Path) -> None:
    """They vanished, and their pictures were learned as empty ones."""
    assert shapes(
        tmp_path,
        '<box label="a" xtl="10" ytl="20" xbr="50" ybr="30" rotation="90.0"/>',
        '<ellipse label="b" cx="30" cy="20" rx="10" ry="8"/>',
        '<ellipse label="c" cx="30" cy="20" rx="10" ry="8" rotation="90"/>',
        '<mask label="d" rle="0, 3, 4, 2" left="5" top="6" width="3" height="3"/>',
    ) == [[25, 5, 35, 45, "a"], [20, 12, 40, 28, "b"], [22, 10, 38, 30, "c"], [5, 6, 8, 9, "d"]]


@pytest.mark.parametrize("named", ["frame_{:06d}", "bee {}"])
def test_tracks_of_a_video(tmp_path: Path, named: str) -> None:
    """One that is outside is not to be seen; a frame without tracks is an image without boxes."""
    for number, file in enumerate(scenes.write_pictures(tmp_path / "images", scenes.scenes(11))):
        file.rename(file.with_name(f"{named.format(number)}.png"))
    boxes = "".join(
        f'<box frame="{n}" outside="{int(n == 3)}" xtl="{n}" ytl="2" xbr="{n + 9}" ybr="8"/>' for n in range(1, 5)
    )
    cells = '<polygon frame="10" outside="0" points="1,1;5,1;5,9"/>'
    meta = (
        "<meta><task><size>11</size><original_size><width>64</width><height>48</height></original_size></task></meta>"
    )
    tracks = f'<track id="0" label="bee">{boxes}</track><track id="1" label="cell">{cells}</track>'
    (tmp_path / "annotations.xml").write_text(f"<annotations>{meta}{tracks}</annotations>")
    found = CvatReader().read(str(tmp_path), BOXES)
    rows = {Path(s.id).stem: s.fields["boxes"] for s in found.samples}
    assert len(rows) == 11 and not found.issues
    assert {name for name, boxes in rows.items() if boxes} == {named.format(n) for n in (1, 2, 4, 10)}
    assert rows[named.format(4)] == [[4, 2, 13, 8, "bee"]] and rows[named.format(10)] == [[1, 1, 5, 9, "cell"]]


@pytest.mark.parametrize(
    "drawn",
    [
        '<mask label="a" rle="1, 200" left="5" top="6" width="3" height="3"/>',
        '<mask label="a" rle="1, x" left="5" top="6" width="3" height="3"/>',
        '<mask label="a" rle="1" left="5" top="6" width="99999999" height="99999999"/>',
        '<ellipse label="a" cx="nan" cy="20" rx="10" ry="8"/>',
        '<box label="a" xtl="1" ytl="2" xbr="3"/>',
    ],
)
def test_damaged_shapes_are_named(tmp_path: Path, drawn: str) -> None:
    assert shapes(tmp_path, drawn) == []
    assert "box_not_finite" in [issue.kind for issue in CvatReader().read(str(tmp_path), BOXES).issues]


def test_entities_are_refused(tmp_path: Path) -> None:
    text = '<!DOCTYPE a [<!ENTITY b "c">]><annotations><image name="&b;"/></annotations>'
    (tmp_path / "annotations.xml").write_text(text)
    with pytest.raises(DataError, match="CVAT"):
        CvatReader().read(str(tmp_path), BOXES)
