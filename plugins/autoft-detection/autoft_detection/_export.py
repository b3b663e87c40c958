"""Predictions as files: COCO JSON, a table with a row for each box, and pictures with the boxes drawn in."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import ImageDraw, ImageFont
from PIL.Image import Image

from autoft.api import Sample, Schema, image_header, open_image

Array = np.ndarray[Any, np.dtype[Any]]

COLOURS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#9a6324", "#808000", "#f032e6", "#000075")
COLUMNS = ("file", "class", "score", "x1", "y1", "x2", "y2")


class Found(NamedTuple):
    """One predicted box, in pixels of the upright picture."""

    name: str
    kind: int
    score: float
    box: tuple[float, float, float, float]


def export(parts: Iterable[tuple[Array, Sequence[Sample]]], schema: Schema, folder: Path) -> list[str]:
    """`coco.json`, `boxes.csv` and `pictures/`; a word about each.

    Args:
        parts: boxes (n, k, 6) in fractions, -1 in empty rows, and their samples.
    """
    pictures = folder / "pictures"
    pictures.mkdir(exist_ok=True)
    entries: list[dict[str, Any]] = []
    rows: list[list[Any]] = []
    images: list[dict[str, Any]] = []
    pairs = (pair for boxes, samples in parts for pair in zip(boxes, samples, strict=True))
    for number, (found, sample) in enumerate(pairs, 1):
        picture = open_image(str(sample.fields["image"]))
        images.append({"id": number, "file_name": sample.id, "width": picture.width, "height": picture.height})
        here = list(in_pixels(found, schema, picture.size))
        entries += [_entry(len(entries) + place, number, one) for place, one in enumerate(here, 1)]
        rows += [[_plain(sample.id), _plain(one.name), round(one.score, 4), *one.box] for one in here]
        draw(picture, here).save(pictures / f"{number:05d}-{_file_name(sample.id)}.jpg", quality=90)
    categories = [{"id": number, "name": name} for number, name in enumerate(schema.classes, 1)]
    content = {"images": images, "annotations": entries, "categories": categories}
    (folder / "coco.json").write_text(json.dumps(content), encoding="utf-8")
    with (folder / "boxes.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return [
        f"coco.json: {len(entries)} boxes",
        "boxes.csv: a row for each",
        f"pictures: {len(images)} with boxes drawn",
    ]


def items(boxes: Array, sample: Sample, schema: Schema) -> list[dict[str, Any]]:
    """The boxes of one picture as records, in pixels of the upright picture, the surest first."""
    header = image_header(str(sample.fields["image"]))
    size = header.upright if header else open_image(str(sample.fields["image"])).size
    corners = ("x1", "y1", "x2", "y2")
    return [
        {"class": one.name, "confidence": one.score, **dict(zip(corners, one.box, strict=True))}
        for one in in_pixels(boxes, schema, size)
    ]


def draw(picture: Image, boxes: Sequence[Found]) -> Image:
    """The picture with each box in its class's colour, and the class and score above it."""
    pen = ImageDraw.Draw(picture)
    line = max(2, round(min(picture.size) / 200))
    font = ImageFont.load_default(max(10, round(min(picture.size) / 30)))
    for one in reversed(boxes):  # the surest last, on top
        colour = COLOURS[one.kind % len(COLOURS)]
        pen.rectangle(one.box, outline=colour, width=line)
        words = f"{one.name} {one.score:.2f}"
        left, top, right, bottom = pen.textbbox((one.box[0], one.box[1]), words, font=font)
        up = min(bottom - top + 2 * line, one.box[1])
        pen.rectangle((left, top - up, right + line, bottom - up + line), fill=colour)
        pen.text((one.box[0] + line / 2, one.box[1] - up), words, fill="white", font=font)
    return picture


def in_pixels(boxes: Array, schema: Schema, size: tuple[int, int]) -> Iterator[Found]:
    """Boxes (k, 6) in fractions, -1 in empty rows, on a picture of this size."""
    width, height = size
    for x1, y1, x2, y2, score, kind in boxes[boxes[:, 5] >= 0].tolist():
        corners = (round(x1 * width, 2), round(y1 * height, 2), round(x2 * width, 2), round(y2 * height, 2))
        yield Found(schema.classes[int(kind)], int(kind), score, corners)


def _entry(number: int, image: int, found: Found) -> dict[str, Any]:
    x1, y1, x2, y2 = found.box
    width, height = round(x2 - x1, 2), round(y2 - y1, 2)
    return {
        "id": number,
        "image_id": image,
        "category_id": found.kind + 1,
        "bbox": [x1, y1, width, height],
        "area": round(width * height, 2),
        "iscrowd": 0,
        "score": round(found.score, 5),
    }


def _plain(text: str) -> str:
    """A cell that a spreadsheet would run as a formula gets an apostrophe in front."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _file_name(name: str) -> str:
    """A sample's name as one part of a path."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", Path(name).stem)[-60:]
