"""Describes torchvision's detectors and segmenters: networks that bring their own head."""

from __future__ import annotations

from typing import Any

import msgspec
import torch
import torchvision

from autoft.api import Job, ModelCard, Output, Problem, Recipe, TrialFailed
from autoft_torch import _native

Facts = dict[str, Any]

DETECTORS = ("ssd", "ssdlite", "fcos", "retinanet", "fasterrcnn")
"""How those begin that learn from boxes alone; others need masks or points of the body as well."""
SIZES = (64, 96, 128, 160, 192, 224, 256, 320)
"""Sides in pixels at which a network is tried, to find the smallest it takes."""
POSED = {
    "boxes": Output(name="boxes", head="boxes", size=2, loss="native", post="identity", target="boxes"),
    "dense": Output(name="mask", head="dense", size=2, loss="cross_entropy", post="argmax", target="mask"),
}
"""What a network is tried on, by its head."""


def names() -> dict[str, str]:
    """Name of each network -> its head: boxes or dense."""
    detectors = torchvision.models.list_models(module=torchvision.models.detection)
    segmenters = torchvision.models.list_models(module=torchvision.models.segmentation)
    boxes = {name: "boxes" for name in detectors if name.partition("_")[0].rstrip("0123456789") in DETECTORS}
    return boxes | dict.fromkeys(segmenters, "dense")


def facts(name: str) -> Facts:
    """The card of a network in `names`, with its default weights, as plain values."""
    head = names()[name]
    best = torchvision.models.get_model_weights(name).DEFAULT
    net: Any = torchvision.models.get_model(name, weights=None, weights_backbone=None)
    if head == "boxes":
        mean, std, size = net.transform.image_mean, net.transform.image_std, net.transform.min_size[0]
    else:
        shown: Any = best.transforms()
        mean, std, size = shown.mean, shown.std, shown.resize_size[0]
    found: Facts = {
        "backend": "torch",
        "modality": "image",
        "name": f"torchvision/{name}",
        "heads": [head],
        "native": [head],
        "input_size": size,
        "mean": list(mean),
        "std": list(std),
        "weights": best.url,
        "licence": "bsd-3-clause",
        "source": "torchvision",
        "summary": f"{best.name}, {len(best.meta['categories'])} classes",
        "params": sum(p.numel() for p in net.parameters()),
        "extra": {"library": "torchvision", "architecture": name},
    }
    plain = msgspec.convert({**found, "pretrained": False, "weights": ""}, ModelCard)
    found["min_size"] = next((side for side in SIZES if side <= size and takes(plain, side)), size)
    found["fixed_size"] = found["min_size"] == size
    return found


def network(card: ModelCard, side: int, *, weights: bool = False) -> _native.NativeNet:
    """The network for two classes.

    Raises:
        TrialFailed: the card's weights do not fit.
    """
    head = card.native[0]
    problem = Problem(name=head, inputs=("image",), outputs=(POSED[head],))
    return _native.network(Job(card=card, problem=problem, recipe=Recipe(), image_size=side), weights=weights)


@torch.no_grad()
def takes(card: ModelCard, side: int) -> bool:
    """Whether it gives finite outputs for images of this side."""
    try:
        found = network(card, side).eval()(torch.zeros(1, 3, side, side))
    except (RuntimeError, ValueError, AssertionError, IndexError, TrialFailed):
        return False
    return all(bool(values.isfinite().all()) for values in found.values())
