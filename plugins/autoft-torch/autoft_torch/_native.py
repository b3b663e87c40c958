"""Networks that bring their own head for maps or boxes: it is trained on, and only what hangs on the classes is new.

Each library has a module with `build(card, classes, size)`, which gives a `Maps` or a `Boxes` with random weights, and
`read(card, path)`, which gives the arrays of a checkpoint by the names that they have in the network.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Protocol

import msgspec
import torch
from torch import nn

from autoft.api import Job, ModelCard, Output, TrialFailed
from autoft_torch import _dense, _losses, _places, _weights, caches
from autoft_torch._net import Cast, Net, Targets
from autoft_torch.backend import NATIVES

FLOOR = 0.01
"""Scores below it are no boxes."""
OVERLAP = 0.7
"""Where a network suppresses doubles itself, it leaves boxes that overlap by less: the task suppresses the others."""


class Maps(Protocol):
    """A segmenter of a library."""

    net: nn.Module
    body: str
    """Name of the backbone in `net`: the part that is frozen."""

    def maps(self, images: torch.Tensor) -> torch.Tensor:
        """(n, classes, h, w), of any size."""
        ...


class Boxes(Protocol):
    """A detector of a library."""

    net: nn.Module
    body: str

    def loss(self, images: torch.Tensor, rows: list[torch.Tensor]) -> torch.Tensor:
        """The network's own loss; `rows` (k, 5) are x1, y1, x2, y2 in fractions and the class, for each image."""
        ...

    def found(self, images: torch.Tensor, most: int) -> torch.Tensor:
        """(n, most, 6): x1, y1, x2, y2 in fractions, score, class; best first, -1 in empty rows."""
        ...


class NativeNet(Net):
    """Has one output."""

    native = True

    def __init__(self, way: Maps | Boxes, job: Job) -> None:
        super().__init__(way.net, way.body, job)
        self.heads = nn.ModuleDict()
        self.output: Output = job.problem.outputs[0]

    def described(self, card: ModelCard) -> ModelCard:
        return msgspec.structs.replace(card, heads=(self.output.head,), native=(self.output.head,))


class MapNet(NativeNet):
    """Maps (n, height, width, classes) at stride 4, whatever the network's own stride is."""

    def __init__(self, way: Maps, job: Job) -> None:
        super().__init__(way, job)
        self.way = way
        self.side = _dense.side_of(job.image_size)
        for part in self._dropouts()[-1:]:
            part.p = job.recipe.dropout

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        return {self.output.name: _dense.sized(self.way.maps(images), self.side).permute(0, 2, 3, 1)}

    def loss(self, images: torch.Tensor, targets: Targets, smoothing: float, cast: Cast) -> torch.Tensor:
        with cast():
            raw = self(images)
        return _losses.total(self.outputs, raw, targets, smoothing)

    def _dropouts(self) -> list[nn.Dropout]:
        """Those of the head."""
        body = f"{self._body}."
        return [m for name, m in self.trunk.named_modules() if isinstance(m, nn.Dropout) and not name.startswith(body)]


class BoxNet(NativeNet):
    """Boxes (n, `Output.most`, 6), by the network's own loss and its own way from outputs to boxes."""

    def __init__(self, way: Boxes, job: Job) -> None:
        super().__init__(way, job)
        self.way = way

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        return {self.output.name: self.way.found(images, self.output.most)}

    def loss(self, images: torch.Tensor, targets: Targets, smoothing: float, cast: Cast) -> torch.Tensor:
        """Rows without area, or of a class below 0, teach nothing."""
        boxes = targets[self.output.target]
        taught = _places.real(boxes) & (boxes[..., 4] >= 0)
        with cast():
            rows = [each[kept] for each, kept in zip(boxes, taught, strict=True)]
            return self.output.weight * self.way.loss(images, rows)


def network(job: Job, *, weights: bool) -> NativeNet:
    """The network of a job; without `weights` its arrays are random and no file is opened.

    Raises:
        TrialFailed: the weights are not on this machine, or do not fit.
    """
    output, card = job.problem.outputs[0], job.card
    module = _library(card)
    way = module.build(card, output.size, job.image_size)
    if weights and card.pretrained and card.weights:
        path = caches.at_hand(card)
        if path is None:
            raise TrialFailed(f"the weights of {card.name} must be on this machine, but are not: {card.weights}.")
        state = _weights.read(path) if card.extra.get("own") else module.read(card, path)
        fresh = of_classes(module, card, job.image_size)
        kept = {name: values for name, values in state.items() if name not in fresh}
        _weights.put(way.net, kept, (), str(path), strict=bool(card.extra.get("own")), free=fresh)
    return BoxNet(way, job) if output.head == "boxes" else MapNet(way, job)


def of_classes(module: ModuleType, card: ModelCard, size: int) -> frozenset[str]:
    """Names of the arrays whose shape hangs on the number of classes: a checkpoint's are of other classes."""
    with torch.device("meta"):
        two, three = (module.build(card, classes, size).net.state_dict() for classes in (2, 3))
    return frozenset(name for name in two if two[name].shape != three[name].shape)


def _library(card: ModelCard) -> ModuleType:
    name = str(card.extra.get("library", ""))
    if name not in NATIVES:
        known = " or ".join(NATIVES)
        raise TrialFailed(f"networks with their own head must be of {known}, but {card.name} is of '{name}'.")
    try:
        return importlib.import_module(NATIVES[name])
    except ImportError as error:
        hint = "python -m pip install 'autoft-torch[hf]'" if name == "transformers" else ""
        raise TrialFailed(f"{card.name} needs {name}, which cannot be imported: {error}.", hint) from error


def best_first(boxes: torch.Tensor, scores: torch.Tensor, classes: torch.Tensor, most: int) -> torch.Tensor:
    """Rows (most, 6) of the boxes (k, 4) of one image, those with a score of at least FLOOR alone."""
    order = scores.argsort(descending=True)[:most]
    order = order[scores[order] >= FLOOR]
    rows = boxes.new_full((most, 6), -1.0, dtype=torch.float32)
    rows[: len(order)] = torch.cat([boxes[order].float(), scores[order, None].float(), classes[order, None].float()], 1)
    return rows
