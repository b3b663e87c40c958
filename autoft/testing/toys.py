"""Toy data that anything can learn: coloured shapes on noise, as arrays or as a folder of real PNG files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from autoft.data import forms
from autoft.data.forms import Form
from autoft.records import Dataset, Decoding, Output, Problem, Sample

Array = np.ndarray[Any, np.dtype[Any]]

CLASSES: Final = ("blue_ring", "green_square", "red_disc", "yellow_cross")
"""In the order of their class index."""
COLOURS: Final = ((40, 60, 220), (40, 190, 60), (220, 40, 40), (220, 200, 40))


def images(count: int, size: int = 32, seed: int = 0, classes: int = len(CLASSES)) -> tuple[Array, Array]:
    """Images uint8 (count, size, size, 3) and their class indices int64 (count,), classes in turn."""
    rng = np.random.default_rng((seed, size))
    labels = np.arange(count, dtype=np.int64) % classes
    drawn = [_draw(int(label), size, rng) for label in labels]
    return np.array(drawn, np.uint8).reshape(count, size, size, 3), labels


def _draw(kind: int, size: int, rng: np.random.Generator) -> Array:
    """One shape of random place and width on dark noise."""
    canvas = rng.integers(0, 60, (size, size, 3)).astype(np.uint8)
    reach = size * rng.uniform(0.22, 0.32)
    across, down = rng.uniform(size * 0.4, size * 0.6, 2)
    draw_shape(canvas, kind, across, down, reach, rng)
    return canvas


def draw_shape(canvas: Array, kind: int, across: float, down: float, reach: float, rng: np.random.Generator) -> Array:
    """Draw the shape of class `kind` around (across, down); gives back which pixels it covers, bool (height, width)."""
    y, x = np.mgrid[: canvas.shape[0], : canvas.shape[1]]
    dx, dy = np.abs(x - across), np.abs(y - down)
    far = np.hypot(dx, dy)
    shape: Array = (
        (far < reach) & (far > reach * 0.5),
        np.maximum(dx, dy) < reach * 0.8,
        far < reach,
        (np.minimum(dx, dy) < reach * 0.3) & (np.maximum(dx, dy) < reach),
    )[kind]
    canvas[shape] = np.array(COLOURS[kind]) + rng.integers(-20, 20, 3)
    return shape


def write_image_folder(
    folder: Path,
    per_class: int = 8,
    size: int = 32,
    seed: int = 0,
    classes: int = len(CLASSES),
    splits: Sequence[str] = (),
) -> Path:
    """Class folders of PNG files below `folder`, or below each of `splits` in it; gives `folder` back."""
    from PIL import Image

    for number, split in enumerate(splits or ("",)):
        pictures, labels = images(per_class * classes, size, seed + number, classes)
        for row, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
            place = folder / split / CLASSES[label]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(place / f"{row:04d}.png")
    return folder


def pictures(size: int) -> tuple[list[Form], Decoding]:
    """What `store.build` is told to keep images as squares of `size` pixels."""
    decoding = Decoding(size=size)
    return forms.inputs("image", ["image"], decoding), decoding


def dataset(folder: Path, per_class: int = 8, size: int = 32, seed: int = 0, classes: int = len(CLASSES)) -> Dataset:
    """The toy folder as a reader would give it: samples with the fields `image` and `label`."""
    files = sorted(write_image_folder(folder, per_class, size, seed, classes).glob("*/*.png"))
    samples = tuple(
        Sample(id=f"{file.parent.name}/{file.name}", fields={"image": str(file), "label": file.parent.name})
        for file in files
    )
    return Dataset(samples=samples, reader="toy", root=str(folder), recognised=f"{len(samples)} toys in class folders")


class ArrayFeed:
    """A `Feed` over arrays in memory."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self.arrays = dict(arrays)

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    def batch(self, index: Array) -> dict[str, Array]:
        return {key: values[index] for key, values in self.arrays.items()}


def feed(problem: Problem, count: int = 32, size: int = 32, seed: int = 0) -> ArrayFeed:
    """Toy images with targets for every output of `problem`, all of which can be learned from the image."""
    classes = min(len(CLASSES), max(2, *(output.size for output in problem.outputs)))
    pictures, labels = images(count, size, seed, classes)
    targets = {output.target: targets_for(output, labels, size) for output in problem.outputs}
    return ArrayFeed({"image": pictures, **targets})


def speech(noise: float = 0.0, *, ragged: bool = False) -> ArrayFeed:
    """Three pitches, each a class: every recording has some of them, one after the other.

    Args:
        noise: its deviation; a pitch swings by 1.
        ragged: recordings end a few samples earlier, each at another length.
    """
    rng, length = np.random.default_rng(0), 16000
    audio, said, ends = np.zeros((8, length), np.int16), np.full((8, 3), -1), np.zeros(8, np.int64)
    for row in range(8):
        classes = rng.permutation(3)[: 2 + row % 2] + 1
        said[row, : len(classes)] = classes
        for place, kind in enumerate(classes):
            wave = np.sin(2 * np.pi * 400 * kind**1.5 * np.arange(4000) / 16000)
            if noise:
                wave += noise * rng.normal(size=4000)
            audio[row, place * 5000 : place * 5000 + 4000] = 9000 * wave
        ends[row] = 5000 * len(classes) - row * ragged
    return ArrayFeed({"audio": audio, "length": ends, "transcript": said})


def targets_for(output: Output, labels: Array, size: int = 32) -> Array:
    """Targets of one output: class indices for cross_entropy, else one float per channel.

    A dense head gets the same target at every position (stride 4).
    """
    inside = labels % max(2, output.size)
    if output.loss in ("cross_entropy", "ce_dice"):
        wanted = inside
    elif output.size == 1:
        wanted = (labels % 2).astype(np.float32)[:, None]
    else:
        wanted = np.eye(output.size, dtype=np.float32)[inside]
    if output.head != "dense":
        return wanted
    side = size // 4
    spread = wanted[:, None, None]
    return np.broadcast_to(spread, (len(labels), side, side, *wanted.shape[1:])).copy()


def load(paths: Sequence[str], size: int = 32) -> Array:
    """Image files as uint8 (n, size, size, 3)."""
    from PIL import Image

    return np.stack([np.asarray(Image.open(path).convert("RGB").resize((size, size)), np.uint8) for path in paths])
