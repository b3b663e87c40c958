"""Tiny networks with their own head, saved as a user has them: folders of Transformers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import transformers as hf

from autoft.api import Job, ModelCard, Output, Problem, Recipe
from autoft.testing import scenes, toys

SIDE = 64
CLASSES = 3
OLD = 5
"""Classes that the checkpoints have."""

BOXES = Problem(
    name="boxes",
    inputs=("image",),
    outputs=(Output(name="boxes", head="boxes", size=CLASSES, loss="native", post="identity", target="boxes"),),
)
MAPS = Problem(
    name="dense",
    inputs=("image",),
    outputs=(Output(name="mask", head="dense", size=CLASSES + 1, loss="ce_dice", post="argmax", target="mask"),),
)
STAGES: dict[str, Any] = {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1], "num_labels": OLD}
DETR: dict[str, Any] = {
    "d_model": 32,
    "num_queries": 20,
    "decoder_layers": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "num_labels": OLD,
}


def segformer() -> Any:
    return hf.SegformerForSemanticSegmentation(
        hf.SegformerConfig(**STAGES, decoder_hidden_size=16, num_attention_heads=[1, 1, 2, 2])
    )


def upernet() -> Any:
    stages = ["stage1", "stage2", "stage3", "stage4"]
    backbone = hf.ConvNextConfig(hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], out_features=stages)
    config = hf.UperNetConfig(
        backbone_config=backbone, hidden_size=16, auxiliary_in_channels=24, auxiliary_channels=8, num_labels=OLD
    )
    return hf.UperNetForSemanticSegmentation(config)


def yolos() -> Any:
    return hf.YolosForObjectDetection(
        hf.YolosConfig(
            hidden_size=32,
            num_hidden_layers=3,
            num_attention_heads=2,
            intermediate_size=32,
            image_size=[SIDE, SIDE],
            num_detection_tokens=10,
            num_labels=OLD,
        )
    )


def rt_detr() -> Any:
    backbone = hf.RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 16, 24, 32],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    sizes = {"encoder_in_channels": [16, 24, 32], "encoder_hidden_dim": 32, "decoder_in_channels": [32, 32, 32]}
    return hf.RTDetrForObjectDetection(hf.RTDetrConfig(backbone_config=backbone, **sizes, **DETR))


def d_fine() -> Any:
    net = rt_detr()
    sizes = {"encoder_in_channels": [16, 24, 32], "encoder_hidden_dim": 32, "decoder_in_channels": [32, 32, 32]}
    return hf.DFineForObjectDetection(hf.DFineConfig(backbone_config=net.config.backbone_config, **sizes, **DETR))


def detr() -> Any:
    backbone = hf.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", out_features=["stage2"]
    )
    plain = {"use_timm_backbone": False, "use_pretrained_backbone": False, "backbone": None, "encoder_layers": 1}
    return hf.DetrForObjectDetection(hf.DetrConfig(backbone_config=backbone, **plain, **DETR))


SEGMENTERS: dict[str, Callable[[], Any]] = {"segformer": segformer, "upernet": upernet}
DETECTORS: dict[str, Callable[[], Any]] = {"yolos": yolos, "rt_detr": rt_detr, "d_fine": d_fine, "detr": detr}


def saved(kind: str, folder: Path) -> dict[str, np.ndarray]:
    """Writes a checkpoint with random weights; gives its arrays by the names that they have in the network (files keep
    older names)."""
    folder.mkdir(parents=True, exist_ok=True)
    net = {**SEGMENTERS, **DETECTORS}[kind]()
    net.save_pretrained(folder)
    return {name: values.numpy() for name, values in net.state_dict().items() if "auxiliary_head" not in name}


def problem(card: ModelCard) -> Problem:
    return BOXES if "boxes" in card.native else MAPS


def job(card: ModelCard, side: int = SIDE, **recipe: Any) -> Job:
    plain = {"lr": 1e-3, "batch_size": 8, "epochs": 10, "augment": "none", "warmup": 0.0}
    return Job(card=card, problem=problem(card), recipe=Recipe.of({**plain, **recipe}), image_size=side)


def feed(count: int = 16, side: int = SIDE) -> toys.ArrayFeed:
    """Scenes with masks, and boxes padded with -1; the last picture has none."""
    made = scenes.scenes(count, side, side)
    boxes = np.full((count, 3, 5), -1, np.float32)
    for row, scene in enumerate(made):
        for place, (*corners, name) in enumerate(scene.boxes):
            boxes[row, place] = [*(corner / side for corner in corners), toys.CLASSES.index(name)]
    pictures, masks = np.stack([scene.picture for scene in made]), np.stack([scene.mask for scene in made])
    return toys.ArrayFeed({"image": pictures, "mask": masks, "boxes": boxes})
