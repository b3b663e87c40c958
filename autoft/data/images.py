"""From an image file to (size, size, 3) uint8: the one decoder for search, evaluation and prediction."""

from __future__ import annotations

import logging
import os
import stat
import threading
import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import PIL
from PIL import Image, UnidentifiedImageError
from PIL.Image import Resampling, Transpose

from autoft.data import greys
from autoft.data.greys import Ends
from autoft.data.media import image_magic, is_heif

if TYPE_CHECKING:
    from autoft.contracts import Array

# Pillow loads its format modules on first use and without a lock, so threads need them loaded beforehand.
Image.init()
# Without a handler of their own, Pillow's log lines about bad files would land on the user's screen.
logging.getLogger("PIL").addHandler(logging.NullHandler())

DECODER: Final = f"1 pillow {PIL.__version__}"
"""Part of every store's key. Raise the number when the same file would give other pixels."""

FORMATS: Final = tuple(
    name for name in ("PNG", "JPEG", "WEBP", "BMP", "DIB", "TIFF", "GIF", "PPM", "AVIF") if name in Image.OPEN
)
"""A short list, because Pillow also opens formats that run programs (EPS through Ghostscript)."""

MAX_PIXELS: Final = 178_956_970
"""More than any camera gives; as in Pillow, beyond it a file is taken for a decompression bomb."""
MAX_BYTES: Final = 1 << 30

Source = str | os.PathLike[str] | bytes


class BadSample(Exception):
    """A file that gives no pixels. `kind` is one of the words of `Issue.kind`."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(kind, detail)
        self.kind = kind
        self.detail = detail


def decode(source: Source, size: int, ends: Ends | None = None) -> Array:
    """Pixels (size, size, 3), uint8, RGB, of a file or of its bytes.

    The picture is squashed to a square with an antialiased bilinear filter, turned upright by its EXIF
    orientation, and laid on white where it is transparent. Of an animation it is the first frame.
    The same bytes give the same pixels wherever this is called.

    Args:
        ends: what becomes black and white in pictures of more than 8 bits, see `greys.ends_of`.

    Raises:
        BadSample: missing, unreadable, empty, huge, truncated, corrupt or not_an_image.
    """
    with _quiet:
        image = _open(source)
        try:
            image.draft(None, (2 * size, 2 * size))  # JPEG: decode at 1/2, 1/4 or 1/8 where that is enough
            image.load()
            small = _rgb(image, ends).resize((size, size), Resampling.BILINEAR, reducing_gap=2.0)
            return np.array(_upright(small, image))
        except Exception as error:  # Pillow's plugins raise whatever their parsers stumble over
            raise _why(error) from error


class Facts(NamedTuple):
    """Pixels of a mask as they are stored."""

    pixels: Array
    """Palette indices or grey values (height, width), or RGB (height, width, 3) uint8."""
    palette: tuple[int, ...]
    """Colours by index, 0xRRGGBB; empty without a palette."""
    lossy: bool
    """The format does not keep pixels exactly."""
    alpha: Array | None = None
    """The alpha channel (height, width) uint8, if there is one."""


def facts(source: Source) -> Facts:
    """Pixels as they are stored, neither turned nor mixed.

    Raises:
        BadSample: as `decode`.
    """
    with _quiet:
        image = _open(source)
        try:
            image.load()
            lossy = image.format in ("JPEG", "MPO") or (image.format in ("WEBP", "AVIF") and image.mode != "P")
            if image.mode == "P":
                table = np.array(image.getpalette("RGB"), np.int64).reshape(-1, 3) @ np.array([65536, 256, 1])
                return Facts(np.array(image), tuple(table.tolist()), lossy)
            if image.mode == "L" or image.mode.startswith("I"):
                return Facts(np.array(image), (), lossy)
            grey = image.mode in ("1", "LA", "F")
            alpha = np.array(image.getchannel("A")) if image.mode in ("LA", "RGBA") else None
            # Pillow drops the alpha channel here: it mixes no colours.
            return Facts(np.array(image.convert("L" if grey else "RGB")), (), lossy, alpha)
        except Exception as error:
            raise _why(error) from error


def plain(source: Source, colours: bool, alpha: bool = False) -> Array:
    """Pixels of a mask: RGB (height, width, 3) uint8 where colours mean something, else palette indices or grey values
    (height, width), or those of the alpha channel.

    Raises:
        BadSample: as `decode`, or there is no alpha channel.
    """
    found = facts(source)
    pixels = found.pixels
    if alpha:
        if found.alpha is None:
            raise BadSample("mask_size", "it has no alpha channel, as other masks have")
        return found.alpha
    if not colours:
        return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., 0])
    if pixels.ndim == 3:
        return pixels
    if not found.palette:
        return np.repeat(pixels.astype(np.uint8)[..., None], 3, axis=2)
    table = np.zeros((256, 3), np.uint8)
    codes = np.array(found.palette, np.int64)
    table[: len(codes)] = np.stack([codes >> 16 & 255, codes >> 8 & 255, codes & 255], 1)
    return np.asarray(table[pixels])


def turned(pixels: Array, orientation: int) -> Array:
    """Pixels turned upright by an EXIF orientation."""
    turn = _TURNS.get(orientation)
    return pixels if turn is None else np.array(Image.fromarray(pixels).transpose(turn))


class Look(NamedTuple):
    """What the header of a file says."""

    width: int
    height: int
    """In pixels as stored."""
    deep: bool = False
    """It has grey values of more than 8 bits."""
    several: bool = False
    """It holds further pictures: an animation, or a stack of TIFF. Not those that cameras put behind a photo."""


def look(source: Source) -> Look:
    """From the header alone.

    Raises:
        BadSample: as `decode`; damage behind the header goes unseen.
    """
    with _quiet:
        image = _open(source)
        several = bool(getattr(image, "is_animated", False)) and image.format != "MPO"
        return Look(*image.size, _is_deep(image), several)


def header(source: Source) -> tuple[int, int, int]:
    """Width and height in pixels as stored, and the EXIF orientation (1 to 8), without decoding.

    Raises:
        BadSample: as `dimensions`.
    """
    with _quiet:
        image = _open(source)
        # A PNG that has its EXIF data behind the pixels would have to be decoded for them.
        late = image.format == "PNG" and "exif" not in image.info
        turn = 1 if late else _orientation(image)
        # Pillow gives the size of a TIFF as it will be once turned.
        width, height = image.size[::-1] if image.format == "TIFF" and turn >= 5 else image.size
        return width, height, turn


def deep(source: Source) -> tuple[Array, bool] | None:
    """Grey values as stored of a picture of more than 8 bits, and whether its file holds 16 at most; None of any other.

    Raises:
        BadSample: as `decode`.
    """
    with _quiet:
        image = _open(source)
        if not _is_deep(image):
            return None
        try:
            image.load()
            return np.asarray(image), image.format == "PNG"
        except Exception as error:  # Pillow's plugins raise whatever their parsers stumble over
            raise _why(error) from error


def picture(source: Source) -> Image.Image:
    """The whole picture, RGB and upright, in its own size: to draw on. One that would be nearly black is brightened.

    Raises:
        BadSample: as `decode`.
    """
    with _quiet:
        image = _open(source)
        try:
            image.load()
            ends = greys.ends_of([(np.asarray(image), image.format == "PNG")]) if _is_deep(image) else None
            return _upright(_rgb(image, ends), image)
        except Exception as error:  # Pillow's plugins raise whatever their parsers stumble over
            raise _why(error) from error


def read(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a regular file.

    Raises:
        BadSample: missing, unreadable, empty or huge (over 1 GiB).
    """
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise BadSample("unreadable", "it is a folder")
        if not stat.S_ISREG(status.st_mode):
            raise BadSample("unreadable", "it is not a regular file")
        if status.st_size > MAX_BYTES:
            raise BadSample("huge", f"{status.st_size / 1e9:.1f} GB")
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError as error:
        raise BadSample("missing", "there is no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        raise BadSample("unreadable", getattr(error, "strerror", None) or str(error)) from error
    if not data:
        raise BadSample("empty", "0 bytes")
    return data


def _open(source: Source) -> Image.Image:
    data = source if isinstance(source, bytes) else read(source)
    if not data:
        raise BadSample("empty", "0 bytes")
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise _unidentified(data) from error
    except Exception as error:
        raise _why(error) from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise BadSample("huge", f"{width} x {height} pixels")
    return image


def _is_deep(image: Image.Image) -> bool:
    """Whether it has grey values of more than 8 bits."""
    return image.mode.startswith("I") or image.mode == "F"


def _rgb(image: Image.Image, ends: Ends | None = None) -> Image.Image:
    if _is_deep(image):
        return Image.fromarray(greys.eight_bits(np.asarray(image), image.format == "PNG", ends)).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


_TURNS: Final = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


def _upright(small: Image.Image, original: Image.Image) -> Image.Image:
    """Turned after resizing, which is cheaper and, for a square, the same. Pillow itself turns TIFF on loading."""
    turn = _TURNS.get(_orientation(original))
    return small.transpose(turn) if turn is not None else small


def _orientation(image: Image.Image) -> int:
    try:
        found = image.getexif().get(0x0112, 1)
    except Exception:  # damaged EXIF says nothing about the pixels, which are whole
        return 1
    return found if found in _TURNS else 1


def _unidentified(data: bytes) -> BadSample:
    if is_heif(data):
        return BadSample("not_an_image", "HEIC pictures cannot be read; convert them to JPEG or PNG")
    if image_magic(data[:16]):
        return BadSample("truncated" if len(data) < 64 else "corrupt", "the header cannot be read")
    return BadSample("not_an_image", "its content is none of " + ", ".join(FORMATS))


def _why(error: Exception) -> BadSample:
    if isinstance(error, BadSample):
        return error
    if isinstance(error, Image.DecompressionBombError | MemoryError):
        return BadSample("huge", str(error) or "it does not fit into memory")
    words = str(error).lower()
    short = any(sign in words for sign in ("truncat", "premature", "eof", "not enough image data", "unexpected end"))
    detail = f"{error}" or type(error).__name__
    return BadSample("truncated" if short else "corrupt", detail[:200])


class _Quiet:
    """Mutes Python warnings while any thread decodes.

    `warnings.catch_warnings` is not safe with threads, so the first to enter installs one and the last removes it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._caught: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._caught = warnings.catch_warnings()
                self._caught.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._caught.__exit__(None, None, None)


_quiet = _Quiet()
