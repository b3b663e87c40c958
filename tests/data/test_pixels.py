"""Tables that hold pictures as numbers: a column for each pixel, or all of them in one cell."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from autoft.data import rasters, readers
from autoft.errors import DataError
from autoft.options import DataOptions
from autoft.registry import load

RNG = np.random.default_rng(0)


def opened(data, target="label", labelled=True, **options):
    task = SimpleNamespace(inputs=("image",), targets=(target,))
    return readers.open_dataset(load(), DataOptions(data=str(data), **options), task, labelled=labelled)


def pictures(found):
    return np.stack([np.asarray(Image.open(sample.fields["image"])) for sample in found.samples])


def lines(labels, flat, last=False):
    rows = [(*row, label) if last else (label, *row) for label, row in zip(labels, flat, strict=True)]
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


PIXELS = RNG.integers(0, 256, (20, 81))
LABELS = [place % 4 for place in range(20)]
NAMES = ["pixel{}", "pixel_{}", "px{}", "{}", "1x{}", "PIXEL {}"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("last", [False, True])
def test_a_column_for_each_pixel(tmp_path, name, last):
    names = [name.format(place) for place in range(81)]
    head = ",".join([*names, "label"] if last else ["label", *names]) + "\n"
    (tmp_path / "train.csv").write_text(head + lines(LABELS, PIXELS, last))
    found = opened(tmp_path / "train.csv")
    assert [sample.fields["label"] for sample in found.samples] == [str(label) for label in LABELS]
    assert np.array_equal(pictures(found), PIXELS.reshape(20, 9, 9))
    assert "each row a picture of 9 x 9" in found.recognised
    assert found.columns == {"image": "pixels", "label": "label"}


@pytest.mark.parametrize("head", ["", ",".join(map(str, range(82))) + "\n"])
@pytest.mark.parametrize("last", [False, True])
def test_without_names_the_classes_are_first_or_last(tmp_path, head, last):
    (tmp_path / "mnist.csv").write_text(head + lines(LABELS, PIXELS, last))
    found = opened(tmp_path)
    assert [sample.fields["label"] for sample in found.samples] == [str(label) for label in LABELS]
    assert np.array_equal(pictures(found), PIXELS.reshape(20, 9, 9))


def test_without_names_two_columns_of_classes_are_refused(tmp_path):
    pixels = PIXELS.copy()
    pixels[:, -1] = [place % 5 for place in range(20)]
    (tmp_path / "mnist.csv").write_text(lines(LABELS, pixels))
    with pytest.raises(DataError, match="it cannot be told which"):
        opened(tmp_path)


def test_words_parts_and_other_columns_beside_pixels(tmp_path):
    head = "id,label," + ",".join(f"pixel{place}" for place in range(81)) + "\n"
    rows = "".join(f'{i},"a, {i % 2}",' + ",".join(map(str, row)) + "\n" for i, row in enumerate(PIXELS))
    (tmp_path / "train.csv").write_text(head + rows)
    (tmp_path / "test.csv").write_text((head + rows).replace('"a, 0"', "").replace('"a, 1"', ""))
    found = opened(tmp_path)
    assert Counter((s.split, s.fields["label"]) for s in found.samples) == {
        ("train", "a, 0"): 10,
        ("train", "a, 1"): 10,
    }
    assert "test.csv" in found.recognised and "left out" in found.recognised


def test_fractions_and_sixteen_shades(tmp_path):
    head = "label," + ",".join(f"pixel{place}" for place in range(81)) + "\n"
    (tmp_path / "a.csv").write_text(head + lines(LABELS, PIXELS / 255))
    assert np.array_equal(pictures(opened(tmp_path)), PIXELS.reshape(20, 9, 9))
    (tmp_path / "a.csv").write_text(head + lines(LABELS, PIXELS // 16))
    assert np.abs(pictures(opened(tmp_path)) - (PIXELS // 16 * 255 / 16).reshape(20, 9, 9)).max() <= 0.5


@pytest.mark.parametrize("planes", [False, True])
def test_colours_pixel_by_pixel_or_as_planes(tmp_path, planes):
    shade = np.linspace(0, 200, 12)
    smooth = [np.add.outer(shade, shade * k)[..., None] / (1 + k) + np.array([0, 25, 50]) for k in (0.1, 0.5, 0.9, 0.3)]
    whole = np.rint(np.stack(smooth)).astype(np.uint8)
    flat = (whole.transpose(0, 3, 1, 2) if planes else whole).reshape(4, -1)
    head = ",".join(f"pixel{place:04}" for place in range(432)) + ",label\n"
    (tmp_path / "hmnist.csv").write_text(head + lines("abab", flat, last=True))
    assert np.array_equal(pictures(opened(tmp_path)), whole)


def test_a_bad_row_is_left_out(tmp_path):
    head = "label," + ",".join(f"pixel{place}" for place in range(81)) + "\n"
    more = "1," + ",".join(["7"] * 80) + ",x\n" + "1,2,3\n"
    (tmp_path / "a.csv").write_text(head + lines(LABELS, PIXELS) + more)
    found = opened(tmp_path)
    assert len(found.samples) == 20
    assert [(issue.kind, issue.subject) for issue in found.issues] == [
        ("not_pixels", "a.csv line 22"),
        ("not_pixels", "a.csv line 23"),
    ]


@pytest.mark.parametrize("cell", [" ".join, ", ".join, lambda words: f"[{','.join(words)}]"])
def test_all_pixels_in_one_cell(tmp_path, cell):
    rows = [
        f'{i % 3},"{cell([str(value) for value in row])}",{"Training" if i < 14 else "PublicTest"}\n'
        for i, row in enumerate(PIXELS)
    ]
    (tmp_path / "fer2013.csv").write_text("emotion,pixels,Usage\n" + "".join(rows) + '1,"1 2 x",Training\n')
    found = opened(tmp_path)
    assert np.array_equal(pictures(found), PIXELS.reshape(20, 9, 9))
    assert [issue.kind for issue in found.issues] == ["not_pixels"]
    assert {sample.fields["label"] for sample in found.samples} == {"0", "1", "2"}


def test_flags_beside_paths_are_no_pixels(tmp_path, picture):
    for place in range(20):
        picture(tmp_path / f"{place}.png", seed=place)
    head = "file," + ",".join(f"x{place}" for place in range(64)) + "\n"
    flags = RNG.integers(0, 2, (20, 64))
    (tmp_path / "a.csv").write_text(head + lines([f"{place}.png" for place in range(20)], flags))
    assert opened(tmp_path, "labels").samples[0].fields["image"] == str(tmp_path / "0.png")


def test_to_predict_pixels_alone_will_do(tmp_path):
    head = ",".join(f"pixel{place}" for place in range(81)) + "\n"
    (tmp_path / "test.csv").write_text(head + "".join(",".join(map(str, row)) + "\n" for row in PIXELS))
    assert len(opened(tmp_path / "test.csv", labelled=False).samples) == 20


@pytest.mark.parametrize(
    ("text", "between"),
    [("1,2,300", ","), ("1 2  3", ""), ("[1,\n2, 3]", ""), ("1.5,2,3e1", ","), ("70000,1,999999", ",")],
)
def test_numbers_are_those_that_a_plain_reader_finds(text, between):
    plain = [float(word) for word in text.translate(str.maketrans("[],\n", "    ")).split()]
    assert rasters.numbers(text, len(plain), between).tolist() == plain


@pytest.mark.parametrize("text", ["1,,2", "1,2", "1,2,3,4", "1,2,x", "1 2,3", "é,1,2"])
def test_other_numbers_of_numbers_are_refused(text):
    with pytest.raises(ValueError, match=r"."):
        rasters.numbers(text, 3, ",")
