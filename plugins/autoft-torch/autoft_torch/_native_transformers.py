"""Segmenters and detectors of Transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torchvision.ops import box_convert
from transformers import AutoModelForObjectDetection, AutoModelForSemanticSegmentation

from autoft.api import ModelCard, TrialFailed
from autoft_torch._native import best_first
from autoft_torch._transformers import configuration, loaded

BACKBONES = ("model.backbone", "backbone")
"""Where those networks keep their backbone that have one by that name; in others it is the base model."""


class Segmenter:
    """SegFormer (Xie et al., 2021), UperNet (Xiao et al., 2018), and others."""

    def __init__(self, net: nn.Module) -> None:
        self.net, self.body = net, _body(net)

    def maps(self, images: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.net(pixel_values=images).logits
        return found


class Detector:
    """DETR (Carion et al., 2020) and its family: YOLOS, RT-DETR, D-FINE and others.

    Each query is matched with one box in training, so nothing need be suppressed, and no more are found than there are
    queries: of most checkpoints 100 or 300.
    """

    def __init__(self, net: nn.Module, classes: int) -> None:
        self.net, self.body, self.classes = net, _body(net), classes

    def loss(self, images: torch.Tensor, rows: list[torch.Tensor]) -> torch.Tensor:
        labels = [
            {"class_labels": row[:, 4].long(), "boxes": box_convert(row[:, :4], "xyxy", "cxcywh")} for row in rows
        ]
        found: torch.Tensor = self.net(pixel_values=images, labels=labels).loss
        return found

    def found(self, images: torch.Tensor, most: int) -> torch.Tensor:
        given = self.net(pixel_values=images)
        logits = given.logits.float()
        # With a channel more than classes the last one is "nothing", and the channels exclude each other.
        chances = logits.softmax(-1)[..., :-1] if logits.shape[-1] > self.classes else logits.sigmoid()
        corners = box_convert(given.pred_boxes.float(), "cxcywh", "xyxy").clamp(0, 1)
        query = torch.arange(chances[0].numel(), device=logits.device)
        rows = [
            best_first(boxes[query // self.classes], each.flatten(), query % self.classes, most)
            for boxes, each in zip(corners, chances, strict=True)
        ]
        return torch.stack(rows)


def build(card: ModelCard, classes: int, size: int) -> Segmenter | Detector:
    """From the configuration kept in the card: no file is opened, no remote code is run."""
    try:
        net = _kind(card).from_config(_changed(card, classes), trust_remote_code=False)
    except (ValueError, KeyError, TypeError, ImportError) as error:
        raise TrialFailed(f"Transformers cannot build {card.name}: {error}") from error
    return Detector(net, classes) if "boxes" in card.native else Segmenter(net)


def read(card: ModelCard, path: Path) -> dict[str, torch.Tensor]:
    """The arrays of a folder, as `from_pretrained` adapts them.

    Raises:
        TrialFailed: they cannot be read, or some are missing.
    """
    net, lost = loaded(_kind(card), _changed(card, classes=None), path)
    if lost:
        raise TrialFailed(
            f"the weights at {path} do not fit the network: {len(lost)} arrays are missing or differ ({lost[0]}, ...)."
        )
    return dict(net.state_dict())


def _kind(card: ModelCard) -> Any:
    return AutoModelForObjectDetection if "boxes" in card.native else AutoModelForSemanticSegmentation


def _changed(card: ModelCard, classes: int | None) -> Any:
    """The configuration for so many classes; None for those that the checkpoint has."""
    config = configuration(card, classes)
    for key in ("use_pretrained_backbone", "use_auxiliary_head"):  # the first would download
        if hasattr(config, key):
            setattr(config, key, False)
    return config


def _body(net: nn.Module) -> str:
    names = {name for name, _ in net.named_modules()}
    base = str(getattr(net, "base_model_prefix", ""))
    return next((name for name in (*BACKBONES, base) if name in names), "")
