"""A trunk cut into blocks under new heads, one for each output of the problem."""

from __future__ import annotations

import msgspec
import torch
from torch import nn

from autoft.api import Job, ModelCard, Output, Recipe, TrialFailed
from autoft_torch import _dense, _letters, _levels, _losses, _pyramid, _trunks
from autoft_torch._net import Cast, Net, Targets

#: Raw output of what is certain, beside its negative.
CERTAIN = 1e4
ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}


class Composed(Net):
    """Pooled heads stand on the trunk's features, dense ones on its levels."""

    def __init__(self, trunk: nn.Module, job: Job, width: int) -> None:
        super().__init__(trunk, "", job)
        dense = [o.name for o in job.problem.outputs if o.head == "dense"]
        self.pooled = all(output.head == "pooled" for output in job.problem.outputs)
        self.neck = _dense.Neck(_levels.channels(trunk, job.image_size)) if dense else None
        self.side = _dense.side_of(job.image_size)
        self.levels = _pyramid.find(trunk, job.image_size) if job.recipe.pooling == "levels" else ()
        self.width = width + _pyramid.width(self.levels)
        self.heads = nn.ModuleDict(
            {
                o.name: _dense.head(o, job.recipe) if o.name in dense else head(self.width, o, job.recipe)
                for o in job.problem.outputs
            }
        )

    @classmethod
    def of(cls, job: Job, *, weights: bool) -> Composed:
        """The network of a job; without `weights` its arrays are random and no file is opened."""
        if job.recipe.pooling == "levels" and job.card.modality != "image":
            raise TrialFailed(f"pooling=levels needs a network for images, but {job.card.name} is none.")
        trunk = (_trunks.pretrained if weights else _trunks.empty)(job.card, job.image_size)
        if hasattr(trunk, "follow"):
            trunk.follow(job.recipe)
        net = cls(trunk, job, _trunks.width(trunk, job.image_size))
        if spelling := getattr(trunk, "spelling", None):
            for output in job.problem.outputs:
                known = _letters.take_over(net.heads[output.name], output, spelling)
                net.spells = net.spells or known > output.size / 2
        return net

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        if self.neck is not None:
            features = self.neck(_levels.levels(self.trunk, images), self.side)
            return {name: part(features).permute(0, 2, 3, 1) for name, part in self.heads.items()}
        features = images if self.entered else self.features(images)
        if features.ndim == 3:
            return self._stepwise(features)
        return {name: part(features) for name, part in self.heads.items()}

    def features(self, values: torch.Tensor) -> torch.Tensor:
        if self.levels:
            return _pyramid.pooled(self.trunk, self.levels, values)
        found: torch.Tensor = self.trunk(values).float()
        return _mean(found) if found.ndim == 3 and self.pooled else found

    def _stepwise(self, features: torch.Tensor) -> dict[str, torch.Tensor]:
        """Outputs (n, frames, size). Where features are NaN, outside of the words, the first class is certain: a blank
        says nothing, so neither losses nor readers of these rows need to know lengths."""
        ended = features[..., :1].isnan()
        found = {name: part(features.masked_fill(ended, 0.0)) for name, part in self.heads.items()}
        return {name: torch.where(ended, _blank(raw), raw) for name, raw in found.items()}

    def loss(self, images: torch.Tensor, targets: Targets, smoothing: float, cast: Cast) -> torch.Tensor:
        with cast():
            raw = self(images)
        return _losses.total(self.outputs, raw, targets, smoothing)

    def described(self, card: ModelCard) -> ModelCard:
        return msgspec.structs.replace(card, native=())


def _mean(features: torch.Tensor) -> torch.Tensor:
    """Of the frames before each end: (n, frames, width) to (n, width)."""
    there = ~features[..., :1].isnan()
    return features.nan_to_num().sum(1) / there.sum(1).clamp(min=1)


def _blank(raw: torch.Tensor) -> torch.Tensor:
    """A row that is sure of the first class."""
    row = raw.new_full((raw.shape[-1],), -CERTAIN)
    row[0] = CERTAIN
    return row


def head(width: int, output: Output, recipe: Recipe) -> nn.Module:
    """A linear layer, or a hidden layer before it; dropout stands before the last layer."""
    parts: list[nn.Module] = []
    if recipe.head_width:
        hidden = nn.Linear(width, recipe.head_width)
        nn.init.kaiming_normal_(hidden.weight, nonlinearity="relu")
        nn.init.zeros_(hidden.bias)
        parts += [hidden, ACTIVATIONS[recipe.head_activation]()]
        width = recipe.head_width
    last = nn.Linear(width, output.size)
    if output.head != "sequence":  # small weights would keep CTC on its plateau of blanks for long
        nn.init.normal_(last.weight, std=0.01)
        nn.init.zeros_(last.bias)
    return nn.Sequential(*parts, nn.Dropout(recipe.dropout), last)
