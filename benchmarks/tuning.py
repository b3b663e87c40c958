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

from tools.pretrain import learner, probes
from tools.pretrain.realdata import Labelled

#: Of the splits by which rates are chosen, from here upwards; no value is reported for them.
APART = 1000
BATCH = 32


class Rates(NamedTuple):
    """The highest learning rate of the trunk, and how many times that the head has."""

    trunk: float
    head: float


class Trial(NamedTuple):
    """What rates are chosen by: a seed, data, and the rows to learn from and to judge by."""

    seed: int
    data: Labelled
    parts: probes.Split


class Head(nn.Module):
    """Standardises each map for itself, joins them at the size of the first, and scores every place.

    Trained weights give features of very different sizes; the linear probe standardises them, too. For pooled
    features the only map is (n, width, 1, 1).
    """

    def __init__(self, widths: list[int], classes: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths)
        self.scores = nn.Conv2d(sum(widths), classes, 1)

    def forward(self, maps: list[torch.Tensor]) -> torch.Tensor:
        size = maps[0].shape[-2:]
        even = [norm(m) for norm, m in zip(self.norms, maps, strict=True)]
        joined = [even[0], *(F.interpolate(m, size=size, mode="bilinear") for m in even[1:])]
        return self.scores(torch.cat(joined, 1))


class Whole(nn.Module):
    """Images to scores: of pixels at stride 4 for dense sets (n, classes, h / 4, w / 4), else (n, classes)."""

    def __init__(self, trunk: nn.Module, data: Labelled) -> None:
        super().__init__()
        widths = [m.shape[1] for m in learner.maps(trunk.eval(), torch.zeros(1, 3, 64, 64))]
        classes = data.void if data.dense else int(data.labels.max()) + 1
        self.trunk, self.dense = trunk, data.dense
        self.head = Head(widths if data.dense else widths[-1:], classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.dense:
            return self.head(learner.maps(self.trunk, x))
        return self.head([self.trunk(x)[:, :, None, None]])[:, :, 0, 0]


def tune(
    trunk: nn.Module, data: Labelled, parts: probes.Split, *, mirror: bool, seed: int, epochs: int, rates: Rates
) -> float:
    """AdamW over all weights, one-cycle rate, shifts by up to 4 px and mirroring; the value after the last epoch."""
    torch.manual_seed(seed)
    rows, test = parts
    model = Whole(trunk, data).to(memory_format=torch.channels_last)
    order = np.random.default_rng(seed)
    batches = math.ceil(len(rows) / BATCH)
    optimizer, schedule = paced(model, rates, epochs * batches)
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


def paced(model: Whole, rates: Rates, steps: int) -> tuple[torch.optim.AdamW, torch.optim.lr_scheduler.OneCycleLR]:
    """An optimizer, and the rates of trunk and head for each of so many steps."""
    groups = [{"params": part.parameters()} for part in (model.trunk, model.head)]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.02)
    highest = [rates.trunk, rates.trunk * rates.head]
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, highest, total_steps=steps, pct_start=0.2)


def fitting(
    make: Callable[[int], nn.Module], trials: Sequence[Trial], choices: Iterable[Rates], **how: Any
) -> tuple[Rates, float]:
    """The rates that are best in the mean over `trials`, and their value there.

    Args:
        make: gives a fresh network for a seed.
        how: what `tune` takes, beside its seed and its rates.
    """
    found = {}
    for rates in choices:
        values = [tune(make(t.seed), t.data, t.parts, seed=t.seed, rates=rates, **how) for t in trials]
        found[rates] = float(np.mean(values))
        words = f"rate {rates.trunk:g}, head times {rates.head:g}: {found[rates]:.4f} on held-out training data"
        print(words, file=sys.stderr, flush=True)
    best = max(found, key=lambda rates: found[rates])
    return best, found[best]


def held_out(data: Labelled, splits: int) -> list[Trial]:
    """A quarter of the training part held out, so many times. No value is reported for these splits."""
    trials = []
    for seed in range(APART, APART + splits):
        rows, _ = probes.split(data, seed)
        rows = np.random.default_rng(seed).permutation(rows)
        trials.append(Trial(seed, data, (rows[len(rows) // 4 :], rows[: len(rows) // 4])))
    return trials


def given(data: Labelled, splits: int) -> list[Trial]:
    """The same where `data` has a part of its own to choose by as its test part."""
    return [Trial(seed, data, probes.split(data, seed)) for seed in range(APART, APART + splits)]


def grid(trunk: list[float], head: list[float]) -> list[Rates]:
    return [Rates(*both) for both in product(trunk, head)]


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
