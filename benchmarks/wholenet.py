"""Trunk and head for a labelled set of `tools.pretrain.realdata`, and the start from a linear probe."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from tools.pretrain import learner, probes
from tools.pretrain.realdata import Labelled

#: Penalty of the probe that a head may begin at, of `probes.classifier("logistic")`, over the number of rows.
PENALTY = 5.0
#: Places of each image that the probe of a dense set learns from.
PLACES = 60


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
        return self.scores(self.joined(maps))

    def joined(self, maps: list[torch.Tensor]) -> torch.Tensor:
        size = maps[0].shape[-2:]
        even = [norm(m) for norm, m in zip(self.norms, maps, strict=True)]
        return torch.cat([even[0], *(F.interpolate(m, size=size, mode="bilinear") for m in even[1:])], 1)


class Whole(nn.Module):
    """Images to scores: of pixels at stride 4 for dense sets (n, classes, h / 4, w / 4), else (n, classes)."""

    def __init__(self, trunk: nn.Module, data: Labelled) -> None:
        super().__init__()
        widths = [m.shape[1] for m in learner.maps(trunk.eval(), torch.zeros(1, 3, 64, 64))]
        classes = data.void if data.dense else int(data.labels.max()) + 1
        self.trunk, self.dense = trunk, data.dense
        self.head = Head(widths if data.dense else widths[-1:], classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores = self.head(self.maps(x))
        return scores if self.dense else scores[:, :, 0, 0]

    def maps(self, x: torch.Tensor) -> list[torch.Tensor]:
        return learner.maps(self.trunk, x) if self.dense else [self.trunk(x)[:, :, None, None]]


def probe(model: Whole, data: Labelled, rows: NDArray[np.int64], order: np.random.Generator) -> None:
    """The normalisations settle on the images, as they would in training, then the scores are solved (logistic).

    It costs two passes forward over the images, without gradients: less than an epoch.
    """
    settle(model, data, rows)
    found, labels = [], []
    with torch.no_grad():
        for some in np.array_split(rows, math.ceil(len(rows) / 64)):
            joined = model.head.joined(model.maps(probes.normal(data.images[some]))).permute(0, 2, 3, 1).flatten(1, 2)
            if data.dense:
                places = torch.from_numpy(order.integers(0, joined.shape[1], (len(some), PLACES)))
                joined = joined.gather(1, places[:, :, None].expand(-1, -1, joined.shape[2]))
                wanted = torch.from_numpy(data.labels[some][:, 2::4, 2::4]).flatten(1).gather(1, places)
            else:
                wanted = torch.from_numpy(data.labels[some])[:, None]
            found.append(joined.flatten(0, 1))
            labels.append(wanted.flatten())
    x, y = torch.cat(found), torch.cat(labels)
    known = y < data.void
    _solve(model.head.scores, x[known], y[known])


def settle(net: nn.Module, data: Labelled, rows: NDArray[np.int64]) -> None:
    """Set the statistics of the normalisations to those of some images, and the network to `eval`."""
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
    with torch.no_grad():
        for some in np.array_split(rows, math.ceil(len(rows) / 64)):
            net.train()(probes.normal(data.images[some]))
    net.eval()
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum


def _solve(scores: nn.Conv2d, x: torch.Tensor, y: torch.Tensor) -> None:
    nn.init.zeros_(scores.weight)
    nn.init.zeros_(scores.bias)
    solver = torch.optim.LBFGS(scores.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        solver.zero_grad()
        weight = scores.weight.flatten(1)
        loss = F.cross_entropy(F.linear(x, weight, scores.bias), y) + PENALTY / len(x) * weight.square().sum()
        loss.backward()
        return loss

    solver.step(closure)
    scores.zero_grad()
