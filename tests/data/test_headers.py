"""What readers learn of an image without decoding it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageOps

from autoft.data.headers import ImageHeader, image_header, open_image
from autoft.errors import DataError


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 99])
def test_size_as_stored_and_the_turn(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    path = tmp_path / f"a.{suffix}"
    Image.new("RGB", (40, 20)).save(path, exif=exif)
    found = image_header(str(path))
    assert found == ImageHeader(40, 20, orientation if orientation < 9 else 1)
    with Image.open(path) as image:
        assert found.upright == ImageOps.exif_transpose(image).size
    assert open_image(str(path)).size == found.upright


def test_what_cannot_be_read_has_none(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG and nothing more")
    assert image_header(str(tmp_path / "a.png")) is None
    assert image_header(str(tmp_path / "absent.png")) is None
    with pytest.raises(DataError, match="absent"):
        open_image(str(tmp_path / "absent.png"))
