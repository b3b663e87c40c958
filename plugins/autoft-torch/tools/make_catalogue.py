"""Writes `autoft_torch/catalogue.json` from the installed timm, torchvision and Transformers.

    python tools/make_catalogue.py

Every network listed is built with random weights and run once at its smallest size and at that of its training, so
that a card never promises what the library does not keep, and its multiply-adds are counted, not copied. No
connection is opened.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import timm
import torch
import torchvision
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoConfig, AutoModelForImageClassification

from autoft.api import ModelCard
from autoft_torch import _describe_native, _trunks
from autoft_torch._describe import Facts, timm_facts, torchvision_facts
from autoft_torch._resnet import build

TARGET = Path(__file__).parents[1] / "autoft_torch" / "catalogue.json"
#: Written, with the card beside it, by `python -m tools.pretrain` in the root of the repository.
WEIGHTS = TARGET.parent / "weights" / "resnet_s.safetensors"

#: Networks under licences that allow any use; small and quick ones first.
TIMM = """
mobilenetv4_conv_small_050 mobilenetv3_small_050 mobilenetv3_small_100 mobilenetv4_conv_small
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
#: Detectors and segmenters, small ones first.
NATIVE = """
ssdlite320_mobilenet_v3_large fasterrcnn_mobilenet_v3_large_320_fpn fasterrcnn_mobilenet_v3_large_fpn fcos_resnet50_fpn
retinanet_resnet50_fpn_v2 fasterrcnn_resnet50_fpn_v2 lraspp_mobilenet_v3_large deeplabv3_mobilenet_v3_large
fcn_resnet50 deeplabv3_resnet50
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
#: About the top-1 accuracy on ImageNet-1k in percent that was published for the weights listed here; for those
#: never trained on ImageNet-1k, what a classifier on top of them reaches. Put down from memory and rounded to whole
#: percents: they order networks and are good for nothing else. A network that is not named here has 0, unknown.
#: That of autoft/resnet-s is a guess from linear probes.
PRIORS = dict(
    pair.split(":")
    for pair in """
autoft/resnet-s:30 timm/mobilenetv4_conv_small_050:64 timm/mobilenetv3_small_050:58 timm/mobilenetv3_small_100:68
timm/mobilenetv4_conv_small:74 timm/mobilenetv2_050:66 timm/mobilenetv2_100:73 timm/mobilenetv3_large_100:76
timm/mobilenetv4_conv_medium:80 timm/regnety_002:70 timm/regnety_004:76 timm/regnety_016:81 timm/ghostnet_100:74
timm/resnet10t:68 timm/resnet14t:72 timm/resnet18:71 timm/resnet26:75 timm/resnet34:76 timm/resnet50:80
timm/resnetv2_50:80 timm/densenet121:76 timm/efficientnet_lite0:75 timm/efficientnet_b0:78 timm/efficientnet_b2:80
timm/tf_efficientnetv2_b0:78 timm/tf_efficientnetv2_s:85 timm/repvgg_a0:72 timm/edgenext_small:81
timm/tiny_vit_5m_224:81 timm/convnext_tiny:84 timm/convnext_small:85 timm/caformer_s18:84
timm/swin_tiny_patch4_window7_224:81 timm/vit_tiny_patch16_224:75 timm/vit_small_patch16_224:81
timm/vit_base_patch16_224:85 timm/deit3_small_patch16_224:81 timm/vit_small_patch14_dinov2:81
torchvision/mobilenet_v2:72 torchvision/mobilenet_v3_small:68 torchvision/mobilenet_v3_large:75
torchvision/shufflenet_v2_x1_0:69 torchvision/resnet18:70 torchvision/resnet50:81 torchvision/efficientnet_b0:78
torchvision/efficientnet_v2_s:84 torchvision/regnet_y_400mf:76 torchvision/convnext_tiny:83 torchvision/swin_v2_t:82
torchvision/vit_b_16:81 hf/microsoft/resnet-50:80 hf/facebook/convnext-tiny-224:82
hf/microsoft/swin-tiny-patch4-window7-224:81 hf/google/vit-base-patch16-224:82 hf/facebook/dinov2-small:81
torchvision/ssdlite320_mobilenet_v3_large:75 torchvision/fasterrcnn_mobilenet_v3_large_320_fpn:75
torchvision/fasterrcnn_mobilenet_v3_large_fpn:75 torchvision/fcos_resnet50_fpn:76
torchvision/retinanet_resnet50_fpn_v2:80 torchvision/fasterrcnn_resnet50_fpn_v2:80
torchvision/lraspp_mobilenet_v3_large:75 torchvision/deeplabv3_mobilenet_v3_large:75 torchvision/fcn_resnet50:76
torchvision/deeplabv3_resnet50:76
""".split()
)
HUB_HALF = ("google/vit-base-patch16-224",)  # normalised with 0.5


def main() -> None:
    torch.set_grad_enabled(False)
    torch.backends.mha.set_fastpath_enabled(False)  # its one large operation is not counted
    cards = [
        own(),
        cepstra(),
        *from_scratch(),
        *map(timm_card, TIMM),
        *map(torchvision_card, TORCHVISION),
        *map(native_card, NATIVE),
        *map(from_hub, HUB),
    ]
    if astray := PRIORS.keys() - {card["name"] for card in cards}:
        raise SystemExit(f"every name in PRIORS must be listed, but these are not: {', '.join(sorted(astray))}")
    TARGET.write_text("[\n" + ",\n".join(json.dumps(card) for card in cards) + "\n]\n", encoding="utf-8")
    print(f"{len(cards)} networks in {TARGET}")


def timm_card(name: str) -> Facts:
    return rated(timm_facts(name))


def torchvision_card(name: str) -> Facts:
    return rated(torchvision_facts(name))


def native_card(name: str) -> Facts:
    """Its prior is that of its backbone: what its head is worth, core adds itself."""
    facts = torchvision_facts(name)
    plain = msgspec.convert({**facts, "pretrained": False, "weights": ""}, ModelCard)
    return rated(facts, _describe_native.network(plain, plain.input_size))


def rated(facts: Facts, net: torch.nn.Module | None = None) -> Facts:
    """With its cost counted and its prior looked up."""
    if net is None:
        plain = msgspec.convert({**facts, "pretrained": False, "weights": ""}, ModelCard)
        net = _trunks.empty(plain, plain.input_size)
    return {**facts, "macs": macs(net, facts["input_size"]), "prior": float(PRIORS.get(facts["name"], 0))}


def macs(net: torch.nn.Module, side: int) -> float:
    """Giga multiply-adds for one image: those of convolutions, linear layers and attention."""
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        net.eval()(torch.zeros(1, 3, side, side))
    return float(f"{counter.get_total_flops() / 2e9:.3g}")


def card(name: str, net: torch.nn.Module, **facts: Any) -> Facts:
    params = sum(p.numel() for p in net.parameters())
    return rated({"name": name, "backend": "torch", "modality": "image", "params": params, **facts}, net)


def own() -> Facts:
    told = json.loads(WEIGHTS.with_suffix(".json").read_text(encoding="utf-8"))
    return card(
        "autoft/resnet-s",
        build("resnet-s"),
        input_size=told["input_size"],
        min_size=32,
        mean=told["mean"],
        std=told["std"],
        weights=f"bundled:{WEIGHTS.name}",
        licence="apache-2.0",
        source="autoft",
        summary="bundled: pretrained by autoft on generated images alone",
        extra={"library": "autoft", "architecture": "resnet-s", "sha256": told["sha256"]},
    )


def cepstra() -> Facts:
    """Features for recordings that nobody trained. Its rank is below that of the bundled network."""
    return {
        "name": "autoft/cepstra",
        "backend": "torch",
        "modality": "cepstra",
        "prior": 20.0,
        "fixed": True,
        "licence": "apache-2.0",
        "source": "autoft",
        "summary": "statistics of cepstral coefficients: nothing is learned but the head",
        "extra": {"library": "cepstra", "architecture": "cepstra"},
    }


def from_scratch() -> list[Facts]:
    """Networks for texts and for speech, without weights."""
    facts: list[Facts] = [
        {
            "name": "autoft/text-hash",
            "modality": "text",
            "summary": "hashed words and their pieces, trained from scratch, any language",
            "extra": {"library": "hashing", "architecture": "text-hash", "buckets": 65536, "width": 48},
        },
        {
            "name": "autoft/ctc-conv",
            "modality": "audio",
            "heads": ["sequence"],
            "summary": "convolutions that hear about half a second of speech at a time, trained from scratch",
            "extra": {"library": "ctc-conv", "architecture": "ctc-conv", "channels": 96, "kernel": 5, "depth": 3},
        },
        {
            "name": "autoft/ctc-s",
            "modality": "audio",
            "heads": ["sequence"],
            "summary": "convolutions and recurrent layers for speech, trained from scratch",
            "extra": {"library": "ctc", "architecture": "ctc-s", "channels": 96, "hidden": 96},
        },
    ]
    shared = {"backend": "torch", "pretrained": False, "licence": "apache-2.0", "source": "autoft"}
    cards = [{**card, **shared} for card in facts]
    nets = [_trunks.empty(msgspec.convert(card, ModelCard), 0) for card in cards]
    return [{**card, "params": sum(p.numel() for p in net.parameters())} for card, net in zip(cards, nets, strict=True)]


def from_hub(repo: str) -> Facts:
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
