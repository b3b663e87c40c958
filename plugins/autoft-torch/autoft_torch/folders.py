"""Reads what a checkpoint folder says about its network. Files only: imports no framework."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import msgspec

from autoft.api import ModelCard, UsageError, json_object
from autoft_torch import encoders

#: Key under which the learner writes its card into a safetensors file.
CARD = "autoft_card"
#: Headers longer than this are not headers.
MOST_HEADER = 100 << 20
#: Of ImageNet, where a checkpoint does not say.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: Networks of Transformers that take images of any size. Others have position embeddings for one.
ANY_SIZE = (
    *("resnet", "convnext", "convnextv2", "mobilenet_v1", "mobilenet_v2", "mobilevit", "mobilevitv2", "efficientnet"),
    *("segformer", "regnet", "swin", "swinv2", "dinov2", "poolformer", "focalnet", "van", "bit", "levit", "cvt"),
    "pvt_v2",
    *("upernet", "detr", "conditional_detr", "dab-detr", "deformable_detr", "rt_detr", "rt_detr_v2", "d_fine", "yolos"),
    "table-transformer",
)

#: Networks of Transformers whose stages give maps.
MAPS = ("resnet", "convnext", "convnextv2", "segformer", "regnet", "swin")

#: How the classes of Transformers end that have a head for such outputs.
NATIVES = {"ForObjectDetection": "boxes", "ForSemanticSegmentation": "dense"}
#: Networks of these that can be taken for classifiers too.
CLASSIFIERS = ("segformer",)


def header(path: Path) -> dict[str, Any]:
    """Names, shapes and metadata of a safetensors file; the arrays are not read.

    Raises:
        UsageError: it is not a safetensors file.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            values = json.loads(file.read(length)) if 0 < length < MOST_HEADER else None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} must be a safetensors file, but is not: {error}") from error
    if not isinstance(values, dict):
        raise UsageError(f"{path} must be a safetensors file, but has no header.")
    return values


def own_card(path: Path) -> ModelCard | None:
    """The card in a file that an autoft learner of this backend saved."""
    text = header(path).get("__metadata__", {}).get(CARD)
    return msgspec.json.decode(text, type=ModelCard) if text else None


def count(path: Path, head: tuple[str, ...]) -> int:
    """Numbers in a safetensors file, arrays of the old head and counters left out; 0 for other files."""
    if path.suffix != ".safetensors":
        return 0
    shapes = {k: v["shape"] for k, v in header(path).items() if k != "__metadata__"}
    skipped = ("running_mean", "running_var", "num_batches_tracked")
    return sum(math.prod(s) for k, s in shapes.items() if not k.startswith(head) and not k.endswith(skipped))


def card_of_config(name: str, config: dict[str, Any], folder: Path) -> ModelCard:
    """The card that a ``config.json`` of timm or Transformers describes; its weights are not named yet.

    Raises:
        UsageError: it is of neither.
    """
    if "architecture" in config:
        return _timm(name, config)
    if "model_type" in config:
        if encoders.modality(config):
            pooling, vocabulary = _beside(folder, encoders.POOLINGS), _beside(folder, encoders.LETTERS)
            return encoders.card(name, config, _processor(folder), pooling, vocabulary, folder)
        return _transformers(name, config, _processor(folder))
    raise UsageError(
        f"the config.json of a checkpoint must name its 'architecture' (timm) or 'model_type' (Transformers), but "
        f"that of {name} has neither.",
        "Name the architecture yourself: --models timm/NAME@FILE or torchvision/NAME@FILE",
    )


def _processor(folder: Path) -> dict[str, Any]:
    """How inputs are prepared, where the folder says it; newer ones keep it below the name of what does it."""
    older, newer = (_beside(folder, name) for name in encoders.PROCESSORS)
    return older or dict(newer.get("feature_extractor") or newer.get("image_processor") or newer)


def _beside(folder: Path, name: str) -> dict[str, Any]:
    return json_object(folder / name) if (folder / name).exists() else {}


def _timm(name: str, config: dict[str, Any]) -> ModelCard:
    about = {**config, **config.get("pretrained_cfg", {})}
    size = int((about.get("input_size") or (3, 224, 224))[-1])
    extra: dict[str, Any] = {"library": "timm", "architecture": str(config["architecture"])}
    extra["arguments"] = dict(config.get("model_args") or {})
    if about.get("fixed_input_size"):
        extra["sized"] = True
    return ModelCard(
        name=name,
        backend="torch",
        modality="image",
        heads=("pooled", "dense"),
        input_size=size,
        mean=tuple(about.get("mean") or MEAN),
        std=tuple(about.get("std") or STD),
        licence=str(about.get("license") or ""),
        summary=f"{config['architecture']} of timm",
        extra=extra,
    )


def _transformers(name: str, config: dict[str, Any], processor: dict[str, Any]) -> ModelCard:
    kind = str(config["model_type"])
    size = config.get("image_size") or _processor_size(processor) or 224
    size = int(size[0] if isinstance(size, list) else size)
    fixed = kind not in ANY_SIZE
    plain = processor.get("do_normalize") is False
    own = _native(config)
    heads = own or (("pooled", "dense") if kind in MAPS else ("pooled",))
    return ModelCard(
        name=name,
        backend="torch",
        modality="image",
        heads=("pooled", *heads) if own and kind in CLASSIFIERS else heads,
        native=own,
        input_size=size,
        fixed_size=fixed,
        min_size=size if fixed else min(64, size),
        mean=(0.0,) * 3 if plain else tuple(processor.get("image_mean") or MEAN),
        std=(1.0,) * 3 if plain else tuple(processor.get("image_std") or STD),
        licence=str(config.get("license") or ""),
        summary=f"{kind} of Transformers",
        extra={"library": "transformers", "config": config},
    )


def _native(config: dict[str, Any]) -> tuple[str, ...]:
    """The outputs for which the checkpoint has a head of its own, by the class that it was saved from."""
    classes = [str(name) for name in config.get("architectures") or ()]
    return tuple(head for end, head in NATIVES.items() if any(name.endswith(end) for name in classes))


def _processor_size(processor: dict[str, Any]) -> int:
    for key in ("crop_size", "size"):
        value = processor.get(key)
        if isinstance(value, dict):
            value = value.get("height") or value.get("shortest_edge")
        if isinstance(value, int):
            return value
    return 0
