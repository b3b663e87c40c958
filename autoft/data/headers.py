"""What the first bytes of an image say about it, for readers that place things on the picture.

Apart from `images`, which loads numpy and Pillow, so that plugins can name this when they are listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from autoft.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

    from autoft.data.surveys import Piece, Survey


class ImageHeader(NamedTuple):
    """Size as stored, and how the picture must be turned to stand upright."""

    width: int
    height: int
    orientation: int = 1
    """Of EXIF, 1 to 8; 1 where the picture is upright as it is stored."""

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height of the upright picture, which is what networks see."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


def open_image(path: str) -> Image:
    """The picture, RGB and upright, in its own size: to draw on.

    Raises:
        DataError: it cannot be read.
    """
    from autoft.data import images

    try:
        return images.picture(path)
    except images.BadSample as bad:
        raise DataError(f"'{path}' must be a picture, but it is {bad.kind}: {bad.detail}.") from bad


def survey_mask(path: str) -> Survey | None:
    """Which values the pixels of a mask file have, or None if it cannot be read: whoever decodes it says why."""
    from autoft.data import images, surveys

    try:
        return surveys.survey(path)
    except images.BadSample:
        return None


def survey_pieces(path: str) -> dict[int, Piece]:
    """For each value but 0 of a grey mask file how it lies in it; nothing of one that has colours or cannot be read."""
    from autoft.data import images, surveys

    try:
        return surveys.pieces(path)
    except images.BadSample:
        return {}


def image_header(path: str) -> ImageHeader | None:
    """The header of an image file, or None if it cannot be read: whoever decodes it says what is wrong with it."""
    from autoft.data import images

    try:
        return ImageHeader(*images.header(path))
    except images.BadSample:
        return None
