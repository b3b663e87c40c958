"""Predicted masks as pictures: palette PNGs whose pixels are class indices, and overlays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from autoft.api import Sample, Schema, open_image

Array = np.ndarray[Any, np.dtype[Any]]

OPACITY = 0.5
BACKGROUND = "background"


def export(
    parts: Iterable[tuple[Array, Sequence[Sample]]], names: Sequence[str], schema: Schema, folder: Path
) -> Sequence[str]:
    """`NAME_mask.png` and `NAME_overlay.jpg` at the image's own size, in the folders of the sample's id; `classes.txt`
    says what the indices mean.

    Args:
        parts: masks of some samples, and these samples. A mask of another size is read at the nearest places: edges are
            as fine as it is.
        names: ids of all of them; see `Places`.
    """
    table, places = colours(len(schema.classes)), Places(folder, names)
    for masks, samples in parts:
        for mask, sample in zip(masks, samples, strict=True):
            picture = open_image(str(sample.fields["image"]))
            index = Image.fromarray(mask).resize(picture.size, Image.Resampling.NEAREST)
            place = places.of(sample.id)
            place.parent.mkdir(parents=True, exist_ok=True)
            if mask.dtype == np.uint8:
                index.putpalette(table.tobytes(), "RGB")
            index.save(place.with_name(f"{place.name}_mask.png"))
            tinted = _overlay(picture, np.asarray(index), schema, table)
            tinted.save(place.with_name(f"{place.name}_overlay.jpg"), quality=90)
    classes = "".join(f"{number} {name}\n" for number, name in enumerate(schema.classes))
    (folder / "classes.txt").write_text(classes, encoding="utf-8")
    written = len(places.taken)
    return (f"{written} masks (*_mask.png)", f"{written} overlays (*_overlay.jpg)", "classes.txt")


class Places:
    """Paths below a folder, without suffix, one for each sample. Samples that differ in their suffix alone keep it, and
    those that have one name get a number: `x.png_mask.png`, `x.jpg_mask.png`, `x.jpg-2_mask.png`."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self.folder = folder
        self._short = Counter(_key(_safe(name).with_suffix("")) for name in names)
        self.taken: set[str] = set()

    def of(self, name: str) -> Path:
        whole = _safe(name)
        short = whole.with_suffix("")
        first = short if self._short[_key(short)] < 2 else whole
        for place in chain((first,), (whole.with_name(f"{whole.name}-{number}") for number in count(2))):
            if _key(place) not in self.taken:
                self.taken.add(_key(place))
                return self.folder / place
        raise AssertionError  # numbers do not end


def _key(path: Path) -> str:
    """Some file systems know small letters alone."""
    return str(path).casefold()


def _overlay(picture: Image.Image, index: Array, schema: Schema, table: Array) -> Image.Image:
    """The picture tinted with the colours of its classes; background stays as it is."""
    mixed = Image.blend(picture, Image.fromarray(table[index]), OPACITY)
    if BACKGROUND in schema.classes:
        plain = Image.fromarray((index == schema.classes.index(BACKGROUND)).astype(np.uint8) * 255)
        mixed.paste(picture, mask=plain)
    return mixed


def _safe(name: str) -> Path:
    """An id as a path that stays below the folder."""
    parts = [part for part in PurePosixPath(name).parts if part not in ("..", "/")]
    return Path(*parts) if parts else Path("image")


def colours(count: int) -> Array:
    """A colour for each class, uint8 (count, 3): those of Pascal VOC's palette, black first."""
    table = np.zeros((count, 3), np.int64)
    numbers = np.arange(count)
    for bit in range(8):
        for channel in range(3):
            table[:, channel] |= ((numbers >> (3 * bit + channel)) & 1) << (7 - bit)
    return table.astype(np.uint8)
