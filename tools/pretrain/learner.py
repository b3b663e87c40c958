"""The network with the heads of the pretext, and what each head has to tell."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from autoft_torch import _resnet
from tools.pretrain import shapes, textures
from tools.pretrain.compose import Batch
from tools.pretrain.views import ANGLES, CELLS, View

ARCHITECTURE = "resnet-s"
#: How much each part of the loss counts.
WEIGHTS = {"category": 0.4, "surface": 1.0, "family": 0.5, "pair": 1.0, "edges": 8.0, "colours": 1.0}
TEMPERATURE = 0.15
#: A layer counts as seen from this share of the picture on.
SEEN = 0.03


def trunk() -> nn.Module:
    return _resnet.build(ARCHITECTURE)


def maps(net: nn.Module, images: Tensor) -> list[Tensor]:
    """The outputs of the stages, strides 4 to 32. A network of another make says so itself, by `maps`."""
    if hasattr(net, "maps"):
        return list(net.maps(images))
    x = net.stem(images)
    found = []
    for stage in net.stages:
        x = stage(x)
        found.append(x)
    return found


def heads() -> nn.ModuleDict:
    """Those behind two layers leave the features general; edges and colours must be linear in the features."""
    plan = _resnet.PLANS[ARCHITECTURE].stages
    width, dense = plan[-1][0], sum(channels for channels, _ in plan[1:])
    kinds = len(textures.KINDS) + len(shapes.FAMILIES) + 1

    def behind(middle: int, outputs: int) -> nn.Module:
        return nn.Sequential(nn.Linear(width, middle), nn.BatchNorm1d(middle), nn.ReLU(), nn.Linear(middle, outputs))

    return nn.ModuleDict(
        {
            "category": behind(384, shapes.CATEGORIES),
            "pair": behind(256, 96),
            "edges": nn.Linear(width, ANGLES * CELLS**2),
            "colours": nn.Linear(width, 24),
            "dense": nn.Sequential(nn.Conv2d(dense, 96, 1), nn.BatchNorm2d(96), nn.ReLU(), nn.Conv2d(96, kinds, 1)),
        }
    )


def losses(net: nn.Module, tops: nn.ModuleDict, batch: Batch, views: list[View]) -> dict[str, Tensor]:
    """The mean of each part of the loss over the views."""
    parts: dict[str, list[Tensor]] = {name: [] for name in WEIGHTS}
    projected = []
    for view in views:
        found = maps(net, view.images.contiguous(memory_format=torch.channels_last))
        pooled = found[-1].float().mean((2, 3))
        with torch.autocast("cpu", enabled=False):
            projected.append(F.normalize(tops["pair"](pooled), dim=1))
            parts["category"].append(_category(tops["category"](pooled), batch, view))
            parts["edges"].append(F.smooth_l1_loss(tops["edges"](pooled), view.edges))
            parts["colours"].append(F.smooth_l1_loss(tops["colours"](pooled), view.colours))
        surface, family = _dense(tops["dense"], found, batch, view)
        parts["surface"].append(surface)
        parts["family"].append(family)
    parts["pair"].append(_pair(projected))
    return {name: torch.stack(values).mean() for name, values in parts.items()}


def total(parts: dict[str, Tensor]) -> Tensor:
    return torch.stack([WEIGHTS[name] * value for name, value in parts.items()]).sum()


def _category(scores: Tensor, batch: Batch, view: View) -> Tensor:
    """Which shapes are seen: cross entropy against an equal share for each."""
    wanted = batch.categories[:, 1:].long()
    seen = ((view.shares[:, 1:] > SEEN) & (wanted >= 0)).float()
    chances = scores.log_softmax(1).gather(1, wanted.clamp(min=0))
    some = seen.sum(1).clamp(min=1)
    any_seen = (seen.sum(1) > 0).float()
    return -((chances * seen).sum(1) / some * any_seen).sum() / any_seen.sum().clamp(min=1)


def _dense(head: nn.Module, found: list[Tensor], batch: Batch, view: View) -> tuple[Tensor, Tensor]:
    """Kind of surface and family of shape of each cell at stride 8."""
    size = found[1].shape[-2:]
    stack = [found[1], *(F.interpolate(m, size=size, mode="nearest") for m in found[2:])]
    scores = head(torch.cat(stack, 1)).float()
    kinds = len(textures.KINDS)
    place = view.tops.flatten(1)
    kind = batch.kinds.long().gather(1, place)
    bounds = torch.tensor(shapes.FAMILIES).cumsum(0)
    families = torch.where(batch.categories < 0, 0, 1 + torch.bucketize(batch.categories.long(), bounds, right=True))
    family = families.gather(1, place)
    flat = scores.flatten(2)
    return F.cross_entropy(flat[:, :kinds], kind), F.cross_entropy(flat[:, kinds:], family)


def _pair(projected: list[Tensor]) -> Tensor:
    """Find the other view of the same composite among the batch (InfoNCE; Chen et al., SimCLR, 2020)."""
    likeness = projected[0] @ projected[1].T / TEMPERATURE
    same = torch.arange(len(likeness))
    return (F.cross_entropy(likeness, same) + F.cross_entropy(likeness.T, same)) / 2
