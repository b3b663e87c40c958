"""Masks: what their pixels mean, and where they end up in the store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autoft.data import forms, images, masks, store, surveys
from autoft.data.feed import DecodedFeed, StoreFeed
from autoft.records import Dataset, Decoding, Mask, Sample, Shape, to_plain
from autoft.testing import toys

CLASSES = ("sky", "road", "car")
GREY = np.array([[0, 0, 7, 7], [0, 0, 7, 7], [9, 9, 255, 3], [9, 9, 255, 3]], np.uint8)
VALUES = {"0": "sky", "7": "road", "9": "car", "255": ""}


def picture(folder: Path, name: str = "image.png", size: tuple[int, int] = (4, 4), **keep: object) -> str:
    Image.new("RGB", size, (200, 10, 10)).save(folder / name, **keep)
    return str(folder / name)


def read(mask: Mask, image: str, size: int = 4) -> masks.Decoded:
    return masks.decode(0, masks.Labels((mask,), CLASSES), size, image)


def test_grey_values_become_class_indices(tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "mask.png")
    found = read(Mask(path=str(tmp_path / "mask.png"), values=VALUES), picture(tmp_path))
    assert found.pixels.dtype == np.uint8
    assert found.pixels.tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 255, 255], [2, 2, 255, 255]]
    assert found.remark == "unknown values 3 in 12.5% of its pixels"


def test_palette_indices_count_not_their_colours(tmp_path: Path) -> None:
    mask = Image.fromarray(GREY, "L").copy()
    mask.putpalette([value for index in range(256) for value in (255 - index, index, 0)])
    assert mask.mode == "P"
    mask.save(tmp_path / "mask.png")
    survey = surveys.survey(str(tmp_path / "mask.png"))
    assert set(survey.values) == {0, 3, 7, 9, 255} and survey.palette[7] == 0xF80700 and not survey.colours
    found = read(Mask(path=str(tmp_path / "mask.png"), values=VALUES), picture(tmp_path))
    assert found.pixels[0].tolist() == [0, 0, 1, 1]
    coloured = Mask(path=str(tmp_path / "mask.png"), values={"#f80700": "car"})
    assert read(coloured, picture(tmp_path)).pixels[0].tolist() == [255, 255, 2, 2]


def test_colours_are_looked_up_or_taken_as_the_nearest(tmp_path: Path) -> None:
    pixels = np.array([[[255, 128, 0], [250, 120, 3]], [[0, 0, 64], [0, 0, 64]]], np.uint8)
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    exact = Mask(path=str(tmp_path / "mask.png"), values={"#ff8000": "road", "#000040": "car"})
    near = Mask(path=str(tmp_path / "mask.png"), values={"#ff8000": "road", "#000040": "car"}, nearest=True)
    image = picture(tmp_path, size=(2, 2))
    found = read(exact, image, 2)
    assert found.pixels.tolist() == [[1, 255], [2, 2]] and "#fa7803" in found.remark
    assert read(near, image, 2)[:2] == (pytest.approx(np.array([[1, 1], [2, 2]])), "")


def test_shapes_are_drawn_one_over_the_other(tmp_path: Path) -> None:
    square = Shape(name="road", polygons=((0, 0, 3, 0, 3, 3, 0, 3),))
    # Column by column: 4 pixels outside, the first two of the second column inside.
    runs = Shape(name="car", runs=(4, 2, 10))
    crowd = Shape(name="", runs=(15, 1))
    found = read(Mask(background="sky", shapes=(square, runs, crowd)), picture(tmp_path)).pixels
    assert found[:, 1].tolist() == [2, 2, 1, 0] and found[3, 3] == 255
    assert found[:, 0].tolist() == [1, 1, 1, 0], "3 pixels, for 3 of length"
    with pytest.raises(images.BadSample, match="mask_size"):
        read(Mask(shapes=(Shape(name="car", runs=(3,)),)), picture(tmp_path))


def test_another_size_is_told_and_another_shape_refused(tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "mask.png")
    mask = Mask(path=str(tmp_path / "mask.png"), values=VALUES)
    assert "4 x 4 pixels, its image 8 x 8" in read(mask, picture(tmp_path, size=(8, 8))).remark
    with pytest.raises(images.BadSample) as caught:
        read(mask, picture(tmp_path, size=(8, 4)))
    assert caught.value.kind == "mask_size"


def test_a_mask_stored_as_its_turned_image_is_turned(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = picture(tmp_path, "turned.jpg", (4, 2), exif=exif)
    Image.fromarray(np.array([[0, 7, 9, 9], [0, 7, 9, 9]], np.uint8)).save(tmp_path / "mask.png")
    found = read(Mask(path=str(tmp_path / "mask.png"), values=VALUES), image)
    assert found.pixels[:, 0].tolist() == [0, 1, 2, 2], "the picture is 2 wide and 4 high once upright"


def dataset(folder: Path) -> Dataset:
    samples = []
    for number in range(4):
        mask = folder / f"{number}_mask.png"
        Image.fromarray(np.roll(GREY, number, axis=0)).save(mask)
        fields = {"image": picture(folder, f"{number}.png"), "mask": to_plain(Mask(path=str(mask), values=VALUES))}
        samples.append(Sample(id=str(number), fields=fields))
    return Dataset(samples=tuple(samples), reader="test", root=str(folder), recognised="four")


def labels(data: Dataset, classes: tuple[str, ...] = CLASSES) -> masks.Labels:
    return masks.labels([sample.fields["mask"] for sample in data.samples], classes)


def both(size: int, wanted: masks.Labels | None) -> tuple[list[forms.Form], Decoding]:
    """Images, and their masks where there are any."""
    inputs, decoding = toys.pictures(size)
    return [*inputs, *([forms.Masks(wanted, decoding)] if wanted else [])], decoding


def test_the_store_holds_masks_beside_images(tmp_path: Path) -> None:
    data = dataset(tmp_path)
    (tmp_path / "3_mask.png").write_bytes(b"no image")
    digests = ["a", "b", "c", "d"]
    built, issues = store.build(data, digests, *both(8, labels(data)), tmp_path)
    assert built.arrays["mask"].shape == (4, 8, 8) and built.arrays["image"].shape == (4, 8, 8, 3)
    assert [issue.kind for issue in issues if issue.drops] == ["not_an_image"]
    assert [issue.subject for issue in issues if issue.kind == "mask_remark"] == ["0", "1", "2"]
    feed = StoreFeed(built.arrays, np.array([2, 0]))
    batch = feed.batch(np.array([1]))
    assert batch["mask"][0, 0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert (feed.truth(np.array([1]))["mask"] == batch["mask"]).all()
    assert store.Store.open(built.folder).arrays["mask"].dtype == np.uint8


def test_the_key_follows_masks_and_classes(tmp_path: Path) -> None:
    data, digests = dataset(tmp_path), ["a", "b", "c", "d"]

    def key(wanted: masks.Labels | None) -> str:
        return store.build(data, digests, *both(4, wanted), tmp_path)[0].fingerprint

    first = key(labels(data))
    assert first == key(labels(data)) and first != key(None) and first != key(labels(data, CLASSES[::-1]))
    Image.fromarray(GREY[::-1].copy()).save(tmp_path / "0_mask.png")
    assert key(labels(data)) != first


def test_decoded_feeds_give_the_truth_of_the_store(tmp_path: Path) -> None:
    data = dataset(tmp_path)
    built, _ = store.build(data, ["a", "b", "c", "d"], *both(4, labels(data)), tmp_path)
    feed = DecodedFeed(data.samples, toys.pictures(4)[0], truths=[forms.Masks(labels(data), Decoding(size=4))])
    assert (feed.truth(np.arange(4))["mask"] == built.arrays["mask"]).all()
    assert "mask" not in feed.batch(np.arange(4)), "a prediction needs no masks"


def test_surveys_count_exactly_and_see_pieces(tmp_path: Path) -> None:
    pixels = np.zeros((9, 12), np.uint8)
    pixels[1:4, 1:4] = pixels[5:8, 1:3] = 1
    pixels[2:6, 3] = 2
    Image.fromarray(pixels).save(tmp_path / "grey.png")
    found = surveys.survey(str(tmp_path / "grey.png"))
    assert found.values == {value: int((pixels == value).sum()) for value in range(3)}
    one = surveys.pieces(str(tmp_path / "grey.png"))[1]
    assert (one.pixels, one.largest) == (13, 7) and set(surveys.pieces(str(tmp_path / "grey.png"))) == {1, 2}
    assert surveys.pieces(str(tmp_path / "grey.png"))[2].touching == 4
    noise = np.random.default_rng(0).integers(0, 3, (9, 12, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "rgb.png")
    codes, counts = np.unique(noise.astype(int) @ [65536, 256, 1], return_counts=True)
    coloured = surveys.survey(str(tmp_path / "rgb.png"))
    assert coloured.colours and coloured.values == dict(zip(codes.tolist(), counts.tolist(), strict=True))


def test_a_feed_keeps_what_is_wrong_with_masks(tmp_path: Path) -> None:
    data = dataset(tmp_path)
    (inputs, truths), _ = both(8, labels(data))
    feed = DecodedFeed(data.samples, [inputs], truths=[truths])
    feed.batch(np.arange(4))
    assert not feed.remarks
    feed.truth(np.arange(4))
    assert sorted(feed.remarks) == [0, 1, 2, 3] and feed.remarks[0][0][0] == "mask_remark"
