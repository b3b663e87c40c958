"""The bank of composites: made once from a seed, then read through memory maps."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from torch import Tensor

from tools.pretrain import GENERATOR_VERSION, compose, shapes, textures

CHUNK = 50
FIELDS_OF_A_KIND = 40
FIELD_SIDE = 128
MASK_SIDE = 80


@dataclass(frozen=True)
class Bank:
    """Composites and their truth, see `compose.Batch`."""

    images: NDArray[np.uint8]
    tops: NDArray[np.uint8]
    categories: NDArray[np.int16]
    kinds: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: Tensor) -> compose.Batch:
        where = rows.numpy()
        return compose.Batch(*(torch.from_numpy(np.ascontiguousarray(a[where])) for a in self.arrays()))

    def arrays(self) -> tuple[NDArray[np.generic], ...]:
        return self.images, self.tops, self.categories, self.kinds


NAMES = ("images", "tops", "categories", "kinds")


def prepare(folder: Path, count: int, seed: int, say: Callable[[str], None] = print) -> Bank:
    """The bank of this seed and size in `folder`, made where it is absent or of another generator."""
    facts = {"generator": GENERATOR_VERSION, "count": count, "seed": seed}
    note = folder / "bank.json"
    if not note.is_file() or json.loads(note.read_text()) != facts:
        start = time.perf_counter()
        folder.mkdir(parents=True, exist_ok=True)
        note.unlink(missing_ok=True)
        _make(folder, count, seed)
        note.write_text(json.dumps(facts))
        say(f"bank: {count} composites in {time.perf_counter() - start:.0f} s")
    return Bank(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in NAMES))


def stock(seed: int, fields: int = FIELDS_OF_A_KIND) -> compose.Stock:
    """All masks and fields of a seed."""
    rng = np.random.default_rng(seed)
    return compose.Stock.of(shapes.bank(MASK_SIDE, rng), *textures.bank(fields, FIELD_SIDE, rng))


def _make(folder: Path, count: int, seed: int) -> None:
    material = stock(seed, min(FIELDS_OF_A_KIND, max(2, count // 20)))
    random = torch.Generator().manual_seed(seed)
    coarse = compose.SIDE // compose.COARSE
    parts: list[tuple[type[np.generic], tuple[int, ...]]] = [
        (np.uint8, (3, compose.SIDE, compose.SIDE)),
        (np.uint8, (coarse, coarse)),
        (np.int16, (compose.LAYERS + 1,)),
        (np.uint8, (compose.LAYERS + 1,)),
    ]
    arrays = [
        open_memmap(folder / f"{name}.npy", "w+", kind, (count, *shape))
        for name, (kind, shape) in zip(NAMES, parts, strict=True)
    ]
    for start in range(0, count, CHUNK):
        batch = compose.compose(min(CHUNK, count - start), material, random)
        made = (batch.images, batch.tops, batch.categories, batch.kinds)
        for array, values in zip(arrays, made, strict=True):
            array[start : start + CHUNK] = values.numpy()
    for array in arrays:
        array.flush()
