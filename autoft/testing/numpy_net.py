"""The network of the numpy backend: a small perceptron over pooled pixels, with its gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from autoft.recipe import LEVELS
from autoft.records import Job

Array = np.ndarray[Any, np.dtype[Any]]
Blocks = dict[str, dict[str, Array]]

GRID: Final = 8
"""Images are averaged down to GRID x GRID pixels."""
WIDTHS: Final = {"stem": 64, "body1": 48, "body2": 32}
"""Units of each block, from input to head."""


def start(job: Job) -> Blocks:
    """Fresh arrays by block. The backbone is the same for every seed, as if pretrained; the head is not."""
    blocks: Blocks = {}
    rng, inside = np.random.default_rng(1), GRID * GRID * 3
    for name, width in WIDTHS.items():
        blocks[name] = {"weight": _draw(rng, inside, width), "bias": np.zeros(width, np.float32)}
        inside = width
    inside = sum(WIDTHS.values()) if job.recipe.pooling == LEVELS else inside
    blocks["stem"] |= {"mean": np.zeros(1, np.float32), "variance": np.ones(1, np.float32)}
    rng, head = np.random.default_rng(job.seed + 2), {}
    if job.recipe.head_width:
        head["hidden.weight"] = _draw(rng, inside, job.recipe.head_width)
        head["hidden.bias"] = np.zeros(job.recipe.head_width, np.float32)
        inside = job.recipe.head_width
    for output in job.problem.outputs:
        head[f"{output.name}.weight"] = _draw(rng, inside, output.size)
        head[f"{output.name}.bias"] = np.zeros(output.size, np.float32)
    blocks["head"] = head
    return blocks


def _draw(rng: np.random.Generator, inside: int, outside: int) -> Array:
    return rng.normal(0, np.sqrt(2 / inside), (inside, outside)).astype(np.float32)


def pool(images: Array, mean: tuple[float, ...], std: tuple[float, ...]) -> Array:
    """uint8 images (n, height, width, 3) as normalised features (n, GRID * GRID * 3)."""
    count, height, width, _ = images.shape
    rows, columns = (np.arange(GRID) * side // GRID for side in (height, width))
    sums = np.add.reduceat(np.add.reduceat(images.astype(np.float32), rows, axis=1), columns, axis=2)
    areas = np.diff(np.append(rows, height))[:, None] * np.diff(np.append(columns, width))[None]
    grid = sums / areas[..., None] / 255
    normal = (grid - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return np.asarray(normal.reshape(count, GRID * GRID * 3), np.float32)


def observe(blocks: Blocks, features: Array, rate: float = 0.3) -> None:
    """Move the running statistics of the stem towards this batch, as batch normalisation does."""
    stem = blocks["stem"]
    stem["mean"] = ((1 - rate) * stem["mean"] + rate * features.mean()).astype(np.float32)
    stem["variance"] = ((1 - rate) * stem["variance"] + rate * features.var()).astype(np.float32)


def prefix(blocks: Blocks, features: Array, depths: Sequence[int]) -> list[Array]:
    """What stands behind the first 1, 2, ... blocks, for each of `depths`."""
    way = Pass(blocks, features, "relu")
    return [way.seen[depth] for depth in depths]


def levels(blocks: Blocks, features: Array) -> Array:
    """What stands behind every block, the last one first."""
    *earlier, last = prefix(blocks, features, range(1, len(WIDTHS) + 1))
    return np.concatenate([last, *earlier], axis=1)


class Pass:
    """One way forward through the network, kept for the way back.

    It begins at pooled pixels, or, with `depth`, at what stands behind that many blocks.
    """

    def __init__(
        self,
        blocks: Blocks,
        features: Array,
        activation: str,
        dropout: float = 0.0,
        rng: Any = None,
        depth: int = 0,
    ) -> None:
        self.blocks, self.activation, self.depth = blocks, activation, depth
        stem = blocks["stem"]
        self.before: list[Array] = []
        self.seen = [features if depth else (features - stem["mean"]) / np.sqrt(stem["variance"] + np.float32(1e-5))]
        for block, prefix, word in self._layers():
            arrays = blocks[block]
            raw = self.seen[-1] @ arrays[prefix + "weight"] + arrays[prefix + "bias"]
            self.before.append(raw)
            self.seen.append(bend(word, raw)[0])
        self.kept = np.float32(1)
        if dropout:
            self.kept = ((rng.random(self.seen[-1].shape) >= dropout) / (1 - dropout)).astype(np.float32)
        self.last = self.seen[-1] * self.kept

    def _layers(self) -> list[tuple[str, str, str]]:
        hidden = [("head", "hidden.", self.activation)] if "hidden.weight" in self.blocks["head"] else []
        return [(name, "", "relu") for name in list(WIDTHS)[self.depth :]] + hidden

    def raw(self, name: str) -> Array:
        """Raw values (n, size) of one output."""
        head = self.blocks["head"]
        values: Array = self.last @ head[f"{name}.weight"] + head[f"{name}.bias"]
        return values

    def back(self, gradients: dict[str, Array]) -> Blocks:
        """Gradients of all trained arrays from those of the raw outputs."""
        found: Blocks = {name: {} for name in self.blocks}
        flow = np.zeros_like(self.last)
        for name, pull in gradients.items():
            found["head"] |= {f"{name}.weight": self.last.T @ pull, f"{name}.bias": pull.sum(0)}
            flow = flow + pull @ self.blocks["head"][f"{name}.weight"].T
        flow = flow * self.kept
        for level, (block, prefix, word) in reversed(list(enumerate(self._layers()))):
            flow = flow * bend(word, self.before[level])[1]
            found[block] |= {prefix + "weight": self.seen[level].T @ flow, prefix + "bias": flow.sum(0)}
            flow = flow @ self.blocks[block][prefix + "weight"].T
        return found


def bend(word: str, raw: Array) -> tuple[Array, Array]:
    """An activation and its slope; gelu by its sigmoid form (Hendrycks and Gimpel, 2016)."""
    if word == "relu":
        return np.maximum(raw, 0), (raw > 0).astype(raw.dtype)
    if word == "tanh":
        bent = np.tanh(raw)
        return bent, 1 - bent**2
    gate = (1 + np.tanh(0.851 * raw)) / 2
    return raw * gate, gate + 1.702 * raw * gate * (1 - gate)
