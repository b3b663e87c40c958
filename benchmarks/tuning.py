"""Fine-tuning of a whole network on a labelled set of `tools.pretrain.realdata`, for benchmarks of backbones."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from benchmarks.wholenet import Whole, probe
from tools.pretrain import probes
from tools.pretrain.realdata import Labelled

#: Of the splits by which rates are chosen, from here upwards; no value is reported for them.
APART = 1000
#: Of the head.
STARTS = ("plain", "probed")
#: Of each clip in time, by which recipes are chosen: one is held out.
STRETCHES = 4


class Recipe(NamedTuple):
    """One way to fine-tune. Both arms choose among the same ones."""

    #: The highest learning rate of the trunk's last stage.
    trunk: float
    #: How many times that the head has.
    head: float = 1.0
    #: The rate of each stage, in that of the one behind it.
    decay: float = 1.0
    #: Whether the head begins at its solution on the untrained trunk (LP-FT; Kumar et al., ICLR 2022).
    probed: bool = False
    #: Images of a step.
    batch: int = 32

    def __str__(self) -> str:
        start = "probed" if self.probed else "plain"
        return f"rate {self.trunk:g}, head times {self.head:g}, decay {self.decay:g}, {start}, batch {self.batch}"


def recipe(words: str) -> Recipe:
    """Such as 8e-3,4,0.7,probed,16; what is left out at the end stays as it is.

    Raises:
        ValueError: a value that is no number, or another start than plain and probed.
    """
    values = words.split(",")
    kinds: list[Callable[[str], Any]] = [float, float, float, STARTS.index, int]
    if len(values) > len(kinds):
        raise ValueError(f"A recipe has at most {len(kinds)} values, but {words!r} has {len(values)}.")
    trunk, *rest = [kind(value) for kind, value in zip(kinds, values, strict=False)]
    found = Recipe(trunk, *rest)
    return found._replace(probed=bool(found.probed))


class Trial(NamedTuple):
    """What recipes are chosen by: a seed, data, and the rows to learn from and to judge by."""

    seed: int
    data: Labelled
    parts: probes.Split


def tune(
    trunk: nn.Module, data: Labelled, parts: probes.Split, *, mirror: bool, seed: int, epochs: int, recipe: Recipe
) -> float:
    """AdamW over all weights, one-cycle rate, shifts by up to 4 px and mirroring; the value after the last epoch."""
    torch.manual_seed(seed)
    rows, test = parts
    model = Whole(trunk, data).to(memory_format=torch.channels_last)
    order = np.random.default_rng(seed)
    if recipe.probed:
        probe(model, data, rows, order)
    batches = math.ceil(len(rows) / recipe.batch)
    optimizer, schedule = paced(model, recipe, epochs * batches)
    model.train()
    for _ in range(epochs):
        for some in np.array_split(order.permutation(rows), batches):
            x, y = _shaken(data, some, order, mirror=mirror)
            loss = F.cross_entropy(model(x), y, ignore_index=data.void if data.dense else -100)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return _judged(model.eval(), data, test)


def paced(model: Whole, recipe: Recipe, steps: int) -> tuple[torch.optim.AdamW, torch.optim.lr_scheduler.OneCycleLR]:
    """An optimizer, and the rates of the trunk's stages and the head for each of so many steps."""
    depths = [model.trunk.stem, *model.trunk.stages] if recipe.decay != 1 else [model.trunk]
    highest = [recipe.trunk * recipe.decay**behind for behind in reversed(range(len(depths)))]
    groups = [{"params": part.parameters()} for part in (*depths, model.head)]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.02)
    highest.append(recipe.trunk * recipe.head)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, highest, total_steps=steps, pct_start=0.2)


def fitting(
    make: Callable[[int], nn.Module], trials: Sequence[Trial], choices: Iterable[Recipe], **how: Any
) -> tuple[Recipe, float]:
    """The recipe that is best in the mean over `trials`, and its value there.

    Args:
        make: gives a fresh network for a seed.
        how: what `tune` takes, beside its seed and its recipe.
    """
    found = {}
    for recipe in choices:
        values = [tune(make(t.seed), t.data, t.parts, seed=t.seed, recipe=recipe, **how) for t in trials]
        found[recipe] = float(np.mean(values))
        print(f"{recipe}: {found[recipe]:.4f} on held-out training data", file=sys.stderr, flush=True)
    best = max(found, key=lambda recipe: found[recipe])
    return best, found[best]


def held_out(data: Labelled, splits: int) -> list[Trial]:
    """A quarter of the training part held out, so many times. No value is reported for these splits.

    Frames of a clip look like their neighbours, so of each clip another stretch in time is held out each time.
    """
    trials = []
    for seed in range(APART, APART + splits):
        rows, _ = probes.split(data, seed)
        rows = np.random.default_rng(seed).permutation(rows)
        if data.clips is None:
            out = np.arange(len(rows)) < len(rows) // 4
        else:
            out = _stretches(data.clips[rows], rows) == seed % STRETCHES
        trials.append(Trial(seed, data, (rows[~out], rows[out])))
    return trials


def _stretches(clips: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which stretch of its clip each row is in, from 0 on; the clip of each row is given."""
    found = np.empty(len(rows), np.int64)
    for clip in np.unique(clips):
        here = np.flatnonzero(clips == clip)
        found[here[np.argsort(rows[here])]] = np.arange(len(here)) * STRETCHES // len(here)
    return found


def given(data: Labelled, splits: int) -> list[Trial]:
    """The same where `data` has a part of its own to choose by as its test part."""
    return [Trial(seed, data, probes.split(data, seed)) for seed in range(APART, APART + splits)]


def grid(trunk: list[float], head: list[float]) -> list[Recipe]:
    return [Recipe(*both) for both in product(trunk, head)]


def _shaken(data: Labelled, rows: NDArray[np.int64], order: np.random.Generator, *, mirror: bool) -> Any:
    x, y = probes.normal(data.images[rows]), torch.from_numpy(data.labels[rows])
    if mirror and order.random() < 0.5:
        x, y = x.flip(3), y.flip(2) if data.dense else y
    if not data.dense:
        side, (a, b) = x.shape[-1], order.integers(0, 9, 2)
        x = F.pad(x, (4, 4, 4, 4), mode="replicate")[..., a : a + side, b : b + side]
    return x.contiguous(memory_format=torch.channels_last), y[:, 2::4, 2::4] if data.dense else y


def _judged(model: nn.Module, data: Labelled, rows: NDArray[np.int64]) -> float:
    with torch.no_grad():
        said = torch.cat([model(probes.normal(data.images[k])).argmax(1) for k in np.array_split(rows, 20)]).numpy()
    wanted = data.labels[rows]
    if not data.dense:
        return float((said == wanted).mean())
    wanted = wanted[:, 2::4, 2::4]
    said[wanted >= data.void] = data.void
    classes = [c for c in np.unique(wanted) if c < data.void]
    return float(np.mean([((said == c) & (wanted == c)).sum() / ((said == c) | (wanted == c)).sum() for c in classes]))
