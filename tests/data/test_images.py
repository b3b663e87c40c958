"""Every kind of picture becomes the same uint8 square; every kind of damage has a name."""

from __future__ import annotations

import io
import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from autoft.data import images
from autoft.data.images import BadSample, Look, decode, look

SIZE = 8


def encoded(image: Image.Image, kind: str, **save) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **save)
    return buffer.getvalue()


def flat(mode: str, colour) -> Image.Image:
    return Image.new(mode, (20, 10), colour)


def halves(left=(255, 0, 0), right=(0, 0, 255)) -> Image.Image:
    image = Image.new("RGB", (40, 40), left)
    image.paste(right, (20, 0, 40, 40))
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM"])
def test_formats(kind):
    pixels = decode(encoded(flat("RGB", (200, 40, 90)), kind), SIZE)
    assert pixels.shape == (SIZE, SIZE, 3) and pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - (200, 40, 90)).max() <= 6


@pytest.mark.parametrize(
    ("image", "kind", "expected"),
    [
        (flat("L", 77), "PNG", (77, 77, 77)),
        (flat("1", 1), "PNG", (255, 255, 255)),
        (flat("RGBA", (10, 20, 30, 0)), "PNG", (255, 255, 255)),
        (flat("RGBA", (10, 20, 30, 255)), "PNG", (10, 20, 30)),
        (flat("LA", (0, 128)), "PNG", (127, 127, 127)),
        (flat("RGBA", (0, 0, 0, 0)), "WEBP", (255, 255, 255)),
        (flat("CMYK", (0, 0, 0, 255)), "JPEG", (0, 0, 0)),
        (flat("CMYK", (0, 255, 255, 0)), "TIFF", (255, 0, 0)),
        (flat("P", 0), "GIF", (0, 0, 0)),
    ],
)
def test_modes(image, kind, expected):
    pixels = decode(encoded(image, kind), SIZE)
    assert np.abs(pixels.astype(int) - expected).max() <= 2


def test_palette_with_transparency_is_laid_on_white():
    image = Image.new("P", (20, 10), 0)
    image.putpalette([0, 0, 0, 9, 9, 9])
    image.paste(1, (10, 0, 20, 10))
    pixels = decode(encoded(image, "PNG", transparency=0), 10)
    assert (pixels[:, 0] == 255).all()
    assert (pixels[:, -1] == 9).all()


def test_palette_with_transparency_by_entry():
    image = Image.new("P", (20, 10), 1)
    image.putpalette([0, 0, 0, 0, 0, 0])
    pixels = decode(encoded(image, "PNG", transparency=bytes([0, 51])), SIZE)
    assert (pixels == 204).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize(("value", "expected"), [(0, 0), (257 * 100, 100), (65535, 255)])
def test_sixteen_bits_are_divided_by_257(kind, value, expected):
    values = np.full((10, 10), value, np.uint16)
    assert (decode(encoded(Image.fromarray(values), kind), SIZE) == expected).all()


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        (np.array([[0.0, 1.0]], np.float32), 0, 255),  # fractions
        (np.array([[0.0, 200.0]], np.float32), 0, 200),  # usual range: as it is
        (np.array([[-3.0, 5.0]], np.float32), 0, 255),  # stretched
        (np.array([[np.nan, 0.5]], np.float32), 0, 128),
        (np.array([[0, 65535]], np.int32), 0, 255),
        (np.array([[-7, 1_000_000]], np.int32), 0, 255),
    ],
)
def test_wide_grey_values(values, low, high):
    pixels = decode(encoded(Image.fromarray(np.repeat(values, 16, 1).repeat(32, 0)), "TIFF"), 32)
    assert pixels[0, 0, 0] == low
    assert pixels[0, -1, 0] == high


# The colours of the four corners (top left, top right, bottom left, bottom right) after turning upright.
@pytest.mark.parametrize(
    ("orientation", "corners"),
    [(1, "rbrb"), (2, "brbr"), (3, "brbr"), (5, "rrbb"), (6, "rrbb"), (7, "bbrr"), (8, "bbrr")],
)
@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "PNG"])
def test_exif_orientation(orientation, corners, kind):
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = decode(encoded(halves(), kind, exif=exif), SIZE)
    seen = "".join("r" if pixels[y, x, 0] > 128 else "b" for y in (0, -1) for x in (0, -1))
    assert seen == corners


def test_orientation_agrees_with_pillow_on_a_picture_without_symmetry():
    from PIL import ImageOps

    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = encoded(Image.fromarray(noise), "PNG", exif=exif)
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        assert (decode(data, 16) == np.asarray(upright)).all(), orientation


def test_first_frame_of_an_animation():
    frames = [flat("RGB", (250, 0, 0)), flat("RGB", (0, 250, 0))]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(data, SIZE)[0, 0, 0] > 200


def test_path_and_bytes_give_the_same_pixels_in_every_thread(tmp_path, picture):
    path = picture(tmp_path / "a.jpg", size=(300, 200))
    expected = decode(path, 32)
    assert (decode(path.read_bytes(), 32) == expected).all()
    with ThreadPoolExecutor(8) as pool:
        assert all((pixels == expected).all() for pixels in pool.map(decode, [path] * 64, [32] * 64))


def test_large_jpeg_is_antialiased(tmp_path):
    stripes = np.zeros((1024, 1024, 3), np.uint8)
    stripes[:, ::2] = 255
    pixels = decode(encoded(Image.fromarray(stripes), "JPEG", quality=95), 32)
    assert np.abs(pixels.astype(int) - 127).max() <= 4


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG of a few bytes that claims to be enormous."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def noisy(kind: str) -> bytes:
    return encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)), kind)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (b"These are words, not pixels.", "not_an_image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not_an_image"),
        (b"\0\0\0\x18ftypheic" + bytes(100), "not_an_image"),
        (bomb(), "huge"),
        (noisy("PNG")[:2000], "truncated"),
        (noisy("JPEG")[:1500], "truncated"),
        (noisy("PNG")[:20], "truncated"),
        (noisy("BMP")[:3000], "truncated"),
        (noisy("PNG")[:100] + bytes(500) + noisy("PNG")[600:], "corrupt"),
        (b"\xff\xd8\xff" + bytes(range(256)) * 4, "corrupt"),
    ],
)
def test_damage_has_a_name(data, kind):
    with pytest.raises(BadSample) as caught:
        decode(data, SIZE)
    assert caught.value.kind == kind
    assert caught.value.detail


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "JPEG", "PNG", "BMP"])
def test_any_cut_or_flip_gives_pixels_or_a_bad_sample(kind):
    whole = noisy(kind)
    rng = np.random.default_rng(1)
    for cut in rng.integers(1, len(whole), 25):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 8):
            damaged[place] ^= 0xFF
        for data in (whole[:cut], bytes(damaged)):
            try:
                assert decode(data, SIZE).shape == (SIZE, SIZE, 3)
            except BadSample as bad:
                assert bad.kind in {"truncated", "corrupt", "not_an_image", "huge"}


def test_huge_is_seen_in_the_header_alone():
    with pytest.raises(BadSample, match="huge"):
        look(bomb())
    assert look(encoded(flat("RGB", 0), "PNG")) == Look(20, 10)


def test_a_large_photo_makes_no_warning(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 150)  # 200 pixels: Pillow warns, which pytest turns into an error
    assert decode(encoded(flat("RGB", (1, 2, 3)), "PNG"), SIZE).shape == (SIZE, SIZE, 3)


def test_nothing_is_printed(capfd):
    for data in (noisy("TIFF")[:900], noisy("TIFF")[:200] + b"\xff" * 8000, noisy("WEBP")[:100]):
        with pytest.raises(BadSample):
            decode(data, SIZE)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("prepare", "kind"),
    [
        (lambda p: None, "missing"),
        (lambda p: p.mkdir(), "unreadable"),
        (lambda p: p.touch(), "empty"),
        (os.mkfifo, "unreadable"),  # opening it would wait for ever
    ],
)
def test_paths_that_are_no_files(tmp_path, prepare, kind):
    path = tmp_path / "x.png"
    prepare(path)
    with pytest.raises(BadSample) as caught:
        decode(path, SIZE)
    assert caught.value.kind == kind


def test_unreadable_file(tmp_path, picture, not_root):
    path = picture(tmp_path / "x.png")
    path.chmod(0)
    with pytest.raises(BadSample) as caught:
        images.read(path)
    assert caught.value.kind == "unreadable"


@pytest.mark.parametrize("name", ["a\0b.png", "x" * 5000 + ".png"])
def test_impossible_names(name):
    with pytest.raises(BadSample) as caught:
        images.read(name)
    assert caught.value.kind == "unreadable"


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PNG", "WEBP"])
def test_files_with_several_pictures_are_told(kind):
    frames = [flat("RGB", (value, 0, 0)) for value in (10, 90, 200)]
    assert look(encoded(frames[0], kind, save_all=True, append_images=frames[1:])).several
    assert not look(encoded(frames[0], kind)).several
    assert not look(encoded(frames[0], "MPO", save_all=True, append_images=frames[1:])).several, "a camera's preview"
