"""Writes `autoft_torch/catalogue.json` from the installed timm, torchvision and Transformers.

    python tools/make_catalogue.py

Every network listed is built with random weights and run once at its smallest size, so that a card never promises
what the library does not keep. No connection is opened.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import timm
import torch
import torchvision
from transformers import AutoConfig, AutoModelForImageClassification

from autoft_torch._describe import timm_facts, torchvision_facts
from autoft_torch._resnet import build

TARGET = Path(__file__).parents[1] / "autoft_torch" / "catalogue.json"

#: Networks under licences that allow any use; small and quick ones first.
TIMM = """
test_resnet mobilenetv4_conv_small_050 mobilenetv3_small_050 mobilenetv3_small_100 mobilenetv4_conv_small
mobilenetv2_050 mobilenetv2_100 mobilenetv3_large_100 mobilenetv4_conv_medium regnety_002 regnety_004 regnety_016
ghostnet_100 resnet10t resnet14t resnet18 resnet26 resnet34 resnet50 resnetv2_50 densenet121 efficientnet_lite0
efficientnet_b0 efficientnet_b2 tf_efficientnetv2_b0 tf_efficientnetv2_s repvgg_a0 edgenext_small tiny_vit_5m_224
convnext_tiny convnext_small caformer_s18 swin_tiny_patch4_window7_224 vit_tiny_patch16_224 vit_small_patch16_224
vit_base_patch16_224 deit3_small_patch16_224 vit_small_patch14_dinov2
""".split()
TORCHVISION = """
mobilenet_v2 mobilenet_v3_small mobilenet_v3_large shufflenet_v2_x1_0 resnet18 resnet50 efficientnet_b0
efficientnet_v2_s regnet_y_400mf convnext_tiny swin_v2_t vit_b_16
""".split()
#: Hub id -> model type, what differs from the type's default configuration, licence.
HUB: dict[str, tuple[str, dict[str, Any], str]] = {
    "microsoft/resnet-50": ("resnet", {}, "apache-2.0"),
    "facebook/convnext-tiny-224": ("convnext", {}, "apache-2.0"),
    "microsoft/swin-tiny-patch4-window7-224": ("swin", {}, "apache-2.0"),
    "google/vit-base-patch16-224": ("vit", {}, "apache-2.0"),
    "facebook/dinov2-small": (
        "dinov2",
        {"hidden_size": 384, "num_attention_heads": 6, "image_size": 518, "patch_size": 14},
        "apache-2.0",
    ),
}
HUB_HALF = ("google/vit-base-patch16-224",)  # normalised with 0.5


def main() -> None:
    torch.set_grad_enabled(False)
    cards = [own(), *map(timm_facts, TIMM), *map(torchvision_facts, TORCHVISION), *map(from_hub, HUB)]
    TARGET.write_text("[\n" + ",\n".join(json.dumps(card) for card in cards) + "\n]\n", encoding="utf-8")
    print(f"{len(cards)} networks in {TARGET}")


def card(name: str, net: torch.nn.Module, **facts: Any) -> dict[str, Any]:
    params = sum(p.numel() for p in net.parameters())
    return {"name": name, "backend": "torch", "modality": "image", "params": params, **facts}


def own() -> dict[str, Any]:
    return card(
        "autoft/resnet-s",
        build("resnet-s"),
        input_size=64,
        min_size=32,
        pretrained=False,
        licence="apache-2.0",
        source="autoft",
        summary="trained from scratch: pretrained weights are not bundled yet",
        extra={"library": "autoft", "architecture": "resnet-s"},
    )


def from_hub(repo: str) -> dict[str, Any]:
    kind, changes, licence = HUB[repo]
    config = AutoConfig.for_model(kind, **changes, num_labels=0)
    net = AutoModelForImageClassification.from_config(config)
    half = repo in HUB_HALF
    fixed = kind == "vit"
    size = 224
    return card(
        f"hf/{repo}",
        net,
        input_size=size,
        fixed_size=fixed,
        min_size=size if fixed else 64,
        mean=[0.5] * 3 if half else [0.485, 0.456, 0.406],
        std=[0.5] * 3 if half else [0.229, 0.224, 0.225],
        weights=f"hub:{repo}",
        licence=licence,
        source="Hugging Face hub",
        summary=f"{kind} of Transformers",
        extra={"library": "transformers"},
    )


if __name__ == "__main__":
    print(f"timm {timm.__version__}, torchvision {torchvision.__version__}")
    main()
