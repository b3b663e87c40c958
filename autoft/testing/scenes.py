"""Toy pictures with several things in each: coloured shapes on noise, the box of each, and a mask."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autoft.records import Dataset, Mask, Sample, to_plain
from autoft.testing import toys

Array = np.ndarray[Any, np.dtype[Any]]


class Scene(NamedTuple):
    """One picture."""

    picture: Array
    """uint8 (height, width, 3)."""
    boxes: list[tuple[int, int, int, int, str]]
    """x1, y1, x2, y2 in pixels (the right and lower edges excluded), class name. They do not overlap."""
    mask: Array
    """uint8 (height, width): 0 where nothing is, else 1 + the number of the class."""


def scenes(
    count: int, width: int = 64, height: int = 48, seed: int = 0, most: int = 3, classes: int = 3
) -> list[Scene]:
    """Pictures with 0 to `most` shapes each, at least one wherever the number of the picture is not a multiple of 8."""
    rng = np.random.default_rng((seed, width, height))
    return [_scene(number, width, height, most, classes, rng) for number in range(count)]


def _scene(number: int, width: int, height: int, most: int, classes: int, rng: np.random.Generator) -> Scene:
    canvas = rng.integers(0, 60, (height, width, 3)).astype(np.uint8)
    taken, mask = np.zeros((height, width), bool), np.zeros((height, width), np.uint8)
    boxes: list[tuple[int, int, int, int, str]] = []
    wanted = 0 if number % 8 == 7 else int(rng.integers(1, most + 1))
    for _ in range(20 * wanted):
        if len(boxes) == wanted:
            break
        kind, reach = int(rng.integers(classes)), min(width, height) * rng.uniform(0.1, 0.22)
        across, down = rng.uniform(reach, width - reach), rng.uniform(reach, height - reach)
        around = np.s_[
            max(0, int(down - reach) - 1) : int(down + reach) + 2,
            max(0, int(across - reach) - 1) : int(across + reach) + 2,
        ]
        if taken[around].any():
            continue
        taken[around] = True
        covered = toys.draw_shape(canvas, kind, across, down, reach, rng)
        mask[covered] = 1 + kind
        rows, columns = np.nonzero(covered.any(axis=1))[0], np.nonzero(covered.any(axis=0))[0]
        box = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
        boxes.append((*box, toys.CLASSES[kind]))
    return Scene(canvas, boxes, mask)


def write_pictures(folder: Path, pictures: list[Scene], suffix: str = "png") -> list[Path]:
    """The pictures as files `0000.png`, ... in `folder`, which is made."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{number:04d}.{suffix}" for number in range(len(pictures))]
    for file, scene in zip(files, pictures, strict=True):
        Image.fromarray(scene.picture).save(file)
    return files


def dataset(
    folder: Path, count: int = 24, width: int = 64, height: int = 48, seed: int = 0, classes: int = 3
) -> Dataset:
    """Scenes as a reader would give them: samples with the fields `image`, `boxes` and `size`."""
    made = scenes(count, width, height, seed, classes=classes)
    samples = tuple(
        Sample(
            id=file.name,
            fields={"image": str(file), "boxes": [list(box) for box in scene.boxes], "size": [width, height]},
        )
        for file, scene in zip(write_pictures(folder, made), made, strict=True)
    )
    return Dataset(samples=samples, reader="toy", root=str(folder), recognised=f"{count} scenes of toys")


def write_masks(folder: Path, count: int = 24, width: int = 64, height: int = 48, classes: int = 3) -> list[Scene]:
    """Scenes in `images/` below a folder and their masks as index PNG in `masks/`."""
    from PIL import Image

    made = scenes(count, width, height, classes=max(1, classes))
    for file, scene in zip(write_pictures(folder / "images", made), made, strict=True):
        (folder / "masks").mkdir(exist_ok=True)
        Image.fromarray(scene.mask if classes else np.zeros_like(scene.mask)).save(folder / "masks" / file.name)
    return made


def masked(folder: Path, count: int = 24, width: int = 64, height: int = 48, classes: int = 3) -> Dataset:
    """Scenes as a reader would give them: samples with the fields `image` and `mask`."""
    write_masks(folder, count, width, height, classes)
    values = {str(number): name for number, name in enumerate(("background", *toys.CLASSES[:classes]))}
    samples = tuple(
        Sample(
            id=file.name,
            fields={
                "image": str(file),
                "mask": to_plain(Mask(path=str(folder / "masks" / file.name), values=values)),
            },
        )
        for file in sorted((folder / "images").iterdir())
    )
    return Dataset(samples=samples, reader="toy", root=str(folder), recognised=f"{count} scenes of toys with masks")
