"""Predicted masks as pictures: palette PNGs whose pixels are class indices, and overlays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from autoft.api import Sample, Schema, open_image

Array = np.ndarray[Any, np.dtype[Any]]

OPACITY = 0.5
BACKGROUND = "background"


def export(masks: Array, samples: Sequence[Sample], schema: Schema, folder: Path) -> Sequence[str]:
    """`NAME_mask.png` and `NAME_overlay.jpg` at the image's own size, in the folders of the sample's id; `classes.txt`
    says what the indices mean."""
    table = colours(len(schema.classes))
    for mask, sample in zip(masks, samples, strict=True):
        picture = open_image(str(sample.fields["image"]))
        index = Image.fromarray(mask).resize(picture.size, Image.Resampling.NEAREST)
        place = folder / _safe(sample.id)
        place.parent.mkdir(parents=True, exist_ok=True)
        if mask.dtype == np.uint8:
            index.putpalette(table.tobytes(), "RGB")
        index.save(place.with_name(f"{place.name}_mask.png"))
        _overlay(picture, np.asarray(index), schema, table).save(
            place.with_name(f"{place.name}_overlay.jpg"), quality=90
        )
    names = "".join(f"{number} {name}\n" for number, name in enumerate(schema.classes))
    (folder / "classes.txt").write_text(names, encoding="utf-8")
    return (f"{len(samples)} masks (*_mask.png)", f"{len(samples)} overlays (*_overlay.jpg)", "classes.txt")


def _overlay(picture: Image.Image, index: Array, schema: Schema, table: Array) -> Image.Image:
    """The picture tinted with the colours of its classes; background stays as it is."""
    mixed = Image.blend(picture, Image.fromarray(table[index]), OPACITY)
    if BACKGROUND in schema.classes:
        plain = Image.fromarray((index == schema.classes.index(BACKGROUND)).astype(np.uint8) * 255)
        mixed.paste(picture, mask=plain)
    return mixed


def _safe(name: str) -> Path:
    """An id as a path that stays below the folder, without the file's suffix."""
    parts = [part for part in PurePosixPath(name).parts if part not in ("..", "/")]
    path = Path(*parts) if parts else Path("image")
    return path.with_suffix("")


def colours(count: int) -> Array:
    """A colour for each class, uint8 (count, 3): those of Pascal VOC's palette, black first."""
    table = np.zeros((count, 3), np.int64)
    numbers = np.arange(count)
    for bit in range(8):
        for channel in range(3):
            table[:, channel] |= ((numbers >> (3 * bit + channel)) & 1) << (7 - bit)
    return table.astype(np.uint8)
