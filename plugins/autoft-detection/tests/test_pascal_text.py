"""PASCAL's annotations of before its XML."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoft.api import DataError, ReadOptions
from autoft.testing import scenes
from autoft_detection._pascaltext import PascalTextReader
from autoft_detection._yolo import YoloReader

BOXES = ReadOptions(needs=("image", "boxes"))
PENN = """# Compatible with PASCAL Annotation Version 1.00
Image filename : "PennFudanPed/PNGImages/0000.png"
Image size (X x Y x C) : 64 x 48 x 3
Objects with ground truth : 2 { "PASpersonWalking" "PASpersonWalking" }
# Details for pedestrian 1 ("PASpersonWalking")
Original label for object 1 "PASpersonWalking" : "PennFudanPed"
Bounding box for object 1 "PASpersonWalking" (Xmin, Ymin) - (Xmax, Ymax) : (1, 2) - (30, 43)
Pixel mask for object 1 "PASpersonWalking" : "PennFudanPed/PedMasks/0000_mask.png"
Bounding box for object 2 "PASpersonWalking" (Xmin, Ymin) - (Xmax, Ymax) : (41, 6) - (64, 48)
"""


def test_pascals_text_files_of_penn_fudan(tmp_path: Path) -> None:
    for number, file in enumerate(scenes.write_pictures(tmp_path / "PNGImages", scenes.scenes(2))):
        (tmp_path / "Annotation").mkdir(exist_ok=True)
        (tmp_path / "Annotation" / f"{file.stem}.txt").write_text(PENN if not number else PENN.split("# Details")[0])
    (tmp_path / "Annotation" / "gone.txt").write_text(PENN.replace("0000", "gone"))
    (tmp_path / "readme.txt").write_text("of people who walk")
    assert PascalTextReader().sniff(str(tmp_path), BOXES) and not YoloReader().sniff(str(tmp_path), BOXES)
    found = PascalTextReader().read(str(tmp_path), BOXES)
    assert [s.fields["boxes"] for s in found.samples] == [
        [[0, 1, 30, 43, "personWalking"], [40, 5, 64, 48, "personWalking"]],
        [],
    ]
    assert [(issue.kind, issue.subject) for issue in found.issues] == [("missing", "gone.txt")]
    with pytest.raises(DataError, match="PASCAL"):
        PascalTextReader().read(str(tmp_path / "PNGImages"), BOXES)
