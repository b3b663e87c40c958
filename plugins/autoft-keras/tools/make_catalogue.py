"""Writes `autoft_keras/catalogue.json` from the installed Keras and KerasHub.

    python tools/make_catalogue.py

Every network of keras.applications is built with random weights at its smallest size and at that of its training, so
that a card never promises what the library does not keep, and its multiply-adds are counted, not copied. KerasHub
keeps its configurations with its weights, so of its presets only what it lists itself is written. No connection is
opened.
"""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import keras_hub
import msgspec
import tensorflow as tf

from autoft.api import ModelCard
from autoft_keras import _applications, _trunks
from autoft_keras._describe import Facts, application, name_of, params
from autoft_keras._resnet import build

TARGET = Path(__file__).parents[1] / "autoft_keras" / "catalogue.json"
#: Written, with the card beside it, by `python -m tools.pretrain` in the root of the repository.
WEIGHTS = TARGET.parent / "weights" / "resnet_s.safetensors"

#: About the top-1 accuracy on ImageNet-1k in percent that was published for the weights listed here. Put down from
#: memory and rounded to whole percents: they order networks and are good for nothing else. A network that is not
#: named here has 0, unknown. That of autoft/resnet-s is a guess from linear probes.
PRIORS = dict(
    pair.split(":")
    for pair in """
autoft/resnet-s:30 keras/xception:79 keras/vgg16:71 keras/vgg19:71 keras/resnet50:75 keras/resnet50_v2:76
keras/resnet101:76 keras/resnet101_v2:77 keras/resnet152:77 keras/resnet152_v2:78 keras/inception_v3:78
keras/inception_resnet_v2:80 keras/mobilenet:70 keras/mobilenet_v2:71 keras/mobilenet_v3_small:68
keras/mobilenet_v3_large:76 keras/densenet121:75 keras/densenet169:76 keras/densenet201:77 keras/nasnet_mobile:74
keras/nasnet_large:82 keras/efficientnet_b0:77 keras/efficientnet_b1:79 keras/efficientnet_b2:80
keras/efficientnet_b3:82 keras/efficientnet_b4:83 keras/efficientnet_b5:84 keras/efficientnet_b6:84
keras/efficientnet_b7:84 keras/efficientnet_v2_b0:79 keras/efficientnet_v2_b1:80 keras/efficientnet_v2_b2:80
keras/efficientnet_v2_b3:82 keras/efficientnet_v2_s:84 keras/efficientnet_v2_m:85 keras/efficientnet_v2_l:86
keras/convnext_tiny:81 keras/convnext_small:82 keras/convnext_base:85 keras/convnext_large:86
keras/convnext_xlarge:87 kerashub/resnet_18_imagenet:70 kerashub/resnet_50_imagenet:80
kerashub/resnet_vd_18_imagenet:72 kerashub/resnet_vd_50_imagenet:79 kerashub/mobilenet_v3_small_050_imagenet:58
kerashub/mobilenet_v3_small_100_imagenet:68 kerashub/mobilenet_v3_large_100_imagenet:76
kerashub/efficientnet_b0_ra_imagenet:78 kerashub/efficientnet_lite0_ra_imagenet:75
kerashub/densenet_121_imagenet:75 kerashub/vit_base_patch16_224_imagenet:85 kerashub/xception_41_imagenet:79
""".split()
)


def main() -> None:
    cards = [
        own(),
        cepstra(),
        *from_scratch(),
        *map(rated_application, sorted(_applications.classes())),
        *from_kerashub(),
    ]
    if astray := PRIORS.keys() - {card["name"] for card in cards}:
        raise SystemExit(f"every name in PRIORS must be listed, but these are not: {', '.join(sorted(astray))}")
    TARGET.write_text("[\n" + ",\n".join(json.dumps(card) for card in cards) + "\n]\n", encoding="utf-8")
    print(f"{len(cards)} networks in {TARGET}")


def rated_application(kind: str) -> Facts:
    facts = application(name_of(kind))
    plain = msgspec.convert({**facts, "pretrained": False, "weights": ""}, ModelCard)
    return rated(facts, _trunks.empty(plain, plain.input_size))


def rated(facts: Facts, net: keras.Model) -> Facts:
    """With its cost counted and its prior looked up."""
    rated = {**facts, "macs": macs(net), "prior": float(PRIORS.get(facts["name"], 0))}
    keras.backend.clear_session()
    print(f"{rated['name']}: {rated['params']:,} parameters, {rated['macs']} GMACs, from {rated['min_size']} px")
    return rated


def macs(net: keras.Model) -> float:
    """Giga multiply-adds for one image: those of convolutions and matrix products."""
    shape = (1, *net.input_shape[1:])
    graph = tf.function(net).get_concrete_function(tf.TensorSpec(shape, tf.float32)).graph
    return float(f"{sum(map(cost, graph.get_operations())) / 1e9:.3g}")


def cost(operation: Any) -> int:
    if operation.type not in ("Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2"):
        return 0
    first, second = (tensor.shape.as_list() for tensor in operation.inputs)
    if operation.type.startswith("Conv"):
        each = math.prod(second[:3])
    elif operation.type.startswith("Depthwise"):
        each = math.prod(second[:2])
    else:
        each = first[-1]
    return int(math.prod(operation.outputs[0].shape.as_list()) * each)


def own() -> Facts:
    told = json.loads(WEIGHTS.with_suffix(".json").read_text(encoding="utf-8"))
    net = build("resnet-s", told["input_size"])
    facts = {
        "name": "autoft/resnet-s",
        "backend": "keras",
        "modality": "image",
        "params": params(net),
        "input_size": told["input_size"],
        "min_size": 32,
        "mean": told["mean"],
        "std": told["std"],
        "weights": f"bundled:{WEIGHTS.name}",
        "licence": "apache-2.0",
        "source": "autoft",
        "summary": "bundled: pretrained by autoft on generated images alone",
        "extra": {"library": "autoft", "architecture": "resnet-s", "sha256": told["sha256"]},
    }
    return rated(facts, net)


def cepstra() -> Facts:
    """Features for recordings that nobody trained. Its rank is below that of the bundled network."""
    return {
        "name": "autoft/cepstra",
        "backend": "keras",
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
    facts = [
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
    shared = {"backend": "keras", "pretrained": False, "licence": "apache-2.0", "source": "autoft"}
    cards = [{**card, **shared} for card in facts]
    return [{**card, "params": params(_trunks.empty(msgspec.convert(card, ModelCard), 0))} for card in cards]


def from_kerashub() -> list[Facts]:
    """The image classifiers among KerasHub's presets. Sizes and normalisation come with the weights."""
    listed: dict[str, Any] = {
        name: preset
        for name, preset in keras_hub.models.ImageClassifier.presets.items()
        if not re.search(r"_ade20k_|_cityscapes_|_enc_", name)  # backbones that were trained on other tasks
    }
    cards = []
    for name, preset in sorted(listed.items(), key=lambda item: item[1]["metadata"]["params"]):
        about = preset["metadata"]
        cards.append(
            {
                "name": f"kerashub/{name}",
                "backend": "keras",
                "modality": "image",
                "params": about["params"],
                "weights": f"hub:keras/{name}",
                "source": "KerasHub",
                "summary": " ".join(about["description"].split()).partition(". ")[0].rstrip("."),
                "extra": {"library": "kerashub", "kaggle": preset["kaggle_handle"]},
                "prior": float(PRIORS.get(f"kerashub/{name}", 0)),
            }
        )
    return cards


if __name__ == "__main__":
    print(f"Keras {keras.__version__}, KerasHub {keras_hub.__version__}, TensorFlow {tf.__version__}")
    main()
