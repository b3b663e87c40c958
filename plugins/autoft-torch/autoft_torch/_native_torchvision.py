"""Segmenters and detectors of torchvision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import torchvision
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from autoft.api import ModelCard
from autoft_torch import _weights
from autoft_torch._native import FLOOR, OVERLAP, best_first

AUXILIARY = "aux_classifier."
"""A second head, of use in long trainings alone; it is left out."""


class Segmenter:
    """LR-ASPP (Howard et al., 2019), DeepLabV3 (Chen et al., 2017), FCN (Long et al., 2015)."""

    body = "backbone"

    def __init__(self, net: Any) -> None:
        self.net = net

    def maps(self, images: torch.Tensor) -> torch.Tensor:
        features = self.net.backbone(images)
        found: torch.Tensor = self.net.classifier(features.get("out", features))
        return found


class Detector:
    """SSD (Liu et al., 2016), RetinaNet (Lin et al., 2017), FCOS (Tian et al., 2019), Faster R-CNN (Ren et al., 2015).

    Class 0 is nothing, so those of the task count from 1.
    """

    def __init__(self, net: Any, size: int) -> None:
        self.net, self.size = net, size
        pyramid = hasattr(net.backbone, "body")
        self.body = "backbone.body" if pyramid else "backbone"
        # Images come normalised, and at the size that the network is to see.
        divisible = net.transform.size_divisible
        net.transform = GeneralizedRCNNTransform(
            size, size, [0.0] * 3, [1.0] * 3, size_divisible=divisible, fixed_size=(size, size)
        )
        self.judge: Any = getattr(net, "roi_heads", net)
        self.judge.score_thresh, self.judge.nms_thresh = FLOOR, OVERLAP

    def loss(self, images: torch.Tensor, rows: list[torch.Tensor]) -> torch.Tensor:
        targets = [{"boxes": row[:, :4] * self.size, "labels": row[:, 4].long() + 1} for row in rows]
        losses: dict[str, torch.Tensor] = self.net(list(images), targets)
        return torch.stack(list(losses.values())).sum()

    def found(self, images: torch.Tensor, most: int) -> torch.Tensor:
        self.judge.detections_per_img = most
        if hasattr(self.judge, "topk_candidates"):  # before doubles are suppressed; of SSD in all, of others by level
            self.judge.topk_candidates = max(self.judge.topk_candidates, 2 * most)
        return torch.stack([self._rows(one, most) for one in self.net(list(images))])

    def _rows(self, one: dict[str, torch.Tensor], most: int) -> torch.Tensor:
        real = one["labels"] > 0  # RetinaNet and FCOS could find a nothing
        boxes = (one["boxes"][real] / self.size).clamp(0, 1)
        return best_first(boxes, one["scores"][real], one["labels"][real] - 1, most)


def build(card: ModelCard, classes: int, size: int) -> Segmenter | Detector:
    plain = {"weights": None, "weights_backbone": None}
    name = str(card.extra["architecture"])
    if "boxes" in card.native:
        return Detector(torchvision.models.get_model(name, num_classes=classes + 1, **plain), size)
    return Segmenter(torchvision.models.get_model(name, num_classes=classes, **plain))


def read(card: ModelCard, path: Path) -> dict[str, torch.Tensor]:
    return {name: values for name, values in _weights.read(path).items() if not name.startswith(AUXILIARY)}
