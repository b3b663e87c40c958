"""Pictures of more than 8 bits that use a small part of their range are not decoded to black."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autoft.data import images, shades
from autoft.data.forms import Squares
from autoft.data.greys import eight_bits, ends_of
from autoft.data.inspect import inspect
from autoft.records import Dataset, Decoding, Sample

CAMERA = np.linspace(800, 2400, 100).reshape(10, 10)


def test_twelve_bits_in_a_file_of_sixteen_have_their_own_black_and_white():
    ends = ends_of([(CAMERA.astype(np.uint16), False)])
    assert ends is not None and ends[0] < 800 < 2400 < ends[1]
    assert np.ptp(eight_bits(CAMERA.astype(np.uint16), False, ends)) > 200
    assert np.ptp(eight_bits(CAMERA.astype(np.uint16), False)) < 8, "as they were seen before"


@pytest.mark.parametrize(
    "pictures",
    [
        [],
        [np.array([[300, 40_000]], np.uint16)],
        [np.array([[0.0, 0.9]], np.float32)],
        [np.array([[0.0, 200.0]], np.float32)],
        [np.full((4, 4), 7, np.uint16)],
        [np.full((4, 4), np.nan, np.float32)],
    ],
)
def test_the_usual_range_is_kept_where_it_shows_enough(pictures):
    assert ends_of([(values, False) for values in pictures]) is None


def test_hot_pixels_are_no_white():
    values = np.tile(CAMERA, (20, 20)).astype(np.uint16)
    values[0, 0], values[5, 5] = 0, 65535
    ends = ends_of([(values, False)])
    assert ends is not None and ends[0] > 0 and ends[1] < 3000
    assert eight_bits(values, False, ends)[5, 5] == 255


def test_pictures_of_one_set_share_one_range():
    cold, warm = np.array([[-4.0, 9.0]], np.float32), np.array([[20.0, 31.0]], np.float32)
    ends = ends_of([(cold, False), (warm, False)])
    assert ends is not None and ends[0] < -4 and ends[1] > 31
    assert eight_bits(cold, False, ends).max() < eight_bits(warm, False, ends).min(), "stretched each for itself before"


def _tiles(low: float, high: float, kind: str = "f4", number: int = 20) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.uniform(low, high, (32, 32)).astype(kind) for _ in range(number)]


def _bordered(tiles: list[np.ndarray], value: float) -> list[np.ndarray]:
    tiles[0][:4] = value
    return tiles


def _ends(*tiles: np.ndarray) -> tuple[float, float] | None:
    return ends_of([(values, False) for values in tiles])


@pytest.mark.parametrize("nothing", [-9999, -3.4028235e38, 3.4028235e38, np.nan, 5000.0])
def test_values_for_none_in_one_picture_darken_no_other(nothing: float):
    assert _ends(*_bordered(_tiles(0, 0.6), nothing)) is None, "of reflectances the usual range shows 153 greys"
    ends = _ends(*_bordered(_tiles(-4, 31), nothing))
    assert ends is not None and -8 < ends[0] < -4 and 31 < ends[1] < 35
    assert _ends(*_bordered(_tiles(0, 250), nothing)) is None


def test_whole_numbers_and_fractions_are_not_joined():
    assert _ends(*_tiles(0, 65535, "u2", 5), *_tiles(0, 1, number=5)) is None
    assert _ends(*_tiles(800, 2400, "u2", 5), *_tiles(-4, 31, number=5)) is None


def test_what_each_picture_shows_by_its_usual_range_is_not_lost():
    assert _ends(*_tiles(0, 0.9, number=10), *_tiles(0, 200, number=10)) is None
    assert _ends(*_tiles(-4, 31, number=16), *_tiles(-32768, 31, number=4)) is None, "more than one: each for itself"
    both = _ends(*_tiles(0, 0.6, number=10), *_tiles(0, 3, number=10))
    assert both is not None and 3 < both[1] < 3.5, "reflectances above 1 are nearly black in 0 to 255"


def test_one_overexposed_picture_of_many_makes_the_others_no_darker():
    ends = _ends(*_bordered(_tiles(800, 2400, "u2"), 65535))
    assert ends is not None and ends[0] < 800 < 2400 < ends[1] < 3000


def _dataset(folder: Path) -> Dataset:
    samples = []
    for number in range(6):
        path = folder / f"{number}.tif"
        values = CAMERA.astype(np.uint16) if number else np.full((10, 10), 60_000, np.uint16)
        Image.fromarray(values).save(path)
        samples.append(Sample(id=path.name, fields={"image": str(path), "label": "a"}))
    Image.new("L", (10, 10), 90).save(folder / "plain.png")
    samples.append(Sample(id="plain.png", fields={"image": str(folder / "plain.png"), "label": "b"}))
    return Dataset(samples=tuple(samples), root=str(folder), reader="table", recognised="")


def test_a_data_set_is_looked_at_without_what_is_locked(tmp_path):
    found = inspect(_dataset(tmp_path), ("image",))
    assert found.deep == (True,) * 6 + (False,)
    assert shades.greys(found, ()) is None, "the bright one fills the range"
    ends = shades.greys(found, {"0.tif"})
    assert ends is not None and ends[1] < 3000
    assert shades.told(found, ends).startswith("6 of 7 pictures have more than 8 bits")


def test_decoding_remembers_them_and_stores_differ(tmp_path):
    samples = _dataset(tmp_path).samples
    usual, own = Squares(Decoding(size=10)), Squares(Decoding(size=10, greys=(640.0, 2560.0)))
    assert usual.key(0) != own.key(0)
    assert np.ptp(usual.row(1, samples[1]).arrays[0]) < 8 < np.ptp(own.row(1, samples[1]).arrays[0])
    assert (usual.row(6, samples[6]).arrays[0] == own.row(6, samples[6]).arrays[0]).all()


def test_a_dark_picture_is_brightened_to_draw_on(tmp_path):
    Image.fromarray(CAMERA.astype(np.uint16)).save(tmp_path / "a.png")
    assert np.ptp(np.asarray(images.picture(tmp_path / "a.png"))) > 150


def test_stacks_are_told(tmp_path):
    samples = _dataset(tmp_path).samples[:2]
    frames = [Image.fromarray(np.full((9, 9), value, np.uint8)) for value in (5, 90)]
    frames[0].save(samples[0].fields["image"], save_all=True, append_images=frames[1:])
    found = inspect(Dataset(samples=samples, root=str(tmp_path), reader="table", recognised=""), ("image",))
    assert [(issue.kind, issue.subject, issue.drops) for issue in found.issues] == [
        ("first_of_several_pictures", "0.tif", False)
    ]
