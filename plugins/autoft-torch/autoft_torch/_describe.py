"""Describes any network of timm or torchvision, in a process of its own, so that the driver stays free of torch.

    python -m autoft_torch._describe timm/resnet18
    python -m autoft_torch._describe torchvision/mobilenet_v2@weights.safetensors

Prints one line of JSON: ``{"card": {...}}``, or ``{"error": "...", "hint": "..."}`` in words for the user.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import nn

from autoft.api import AutoftError, ModelCard, UsageError, did_you_mean
from autoft_torch import _trunks

Facts = dict[str, Any]
#: Sides in pixels at which a network is tried, to find the smallest it takes.
SIZES = (32, 64, 96, 128, 160, 192, 224, 256)


def timm_facts(name: str) -> Facts:
    """The card of ``architecture`` or ``architecture.tag``, as plain values.

    Raises:
        UsageError: timm has no such network or tag.
    """
    import timm

    architecture, _, tag = name.partition(".")
    if not timm.is_model(architecture):
        raise UsageError(f"timm has no network '{architecture}'.{did_you_mean(architecture, timm.list_models())}")
    published = {n.partition(".")[2]: n for n in timm.list_pretrained(f"{architecture}.*")}
    if tag and tag not in published:
        raise UsageError(
            f"timm's {architecture} has no weights '{tag}'.{did_you_mean(tag, [*published])} "
            f"Known: {', '.join(published)}."
        )
    config = timm.get_pretrained_cfg(f"{architecture}.{tag}" if tag else architecture, allow_unregistered=True)
    if config is None:
        raise UsageError(f"timm knows no weights or input size of '{name}'.")
    weights = f"hub:{config.hf_hub_id}" if config.hf_hub_id and published else ""
    facts: Facts = {
        "name": f"timm/{name}",
        "input_size": config.input_size[-1],
        "mean": list(config.mean),
        "std": list(config.std),
        "pretrained": bool(weights),
        "weights": weights,
        "licence": config.license or "",
        "source": "timm",
        "summary": f"{config.tag}, {config.num_classes or 'no'} classes"
        if weights
        else "no published weights: trained from scratch",
        "extra": {
            "library": "timm",
            "architecture": architecture,
            "file": "model.safetensors",
            "tag": config.tag or "",
        },
    }
    return _measured(facts, sized=config.fixed_input_size)


def torchvision_facts(name: str) -> Facts:
    """The card of a network of torchvision with its default weights, as plain values.

    Raises:
        UsageError: torchvision has no such classifier, detector or segmenter.
    """
    import torchvision

    from autoft_torch import _describe_native

    if name in (own := _describe_native.names()):
        return _describe_native.facts(name)
    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known:
        raise UsageError(
            f"torchvision has no classifier, detector or segmenter '{name}'.{did_you_mean(name, [*known, *own])}"
        )
    best = torchvision.models.get_model_weights(name).DEFAULT
    chosen = best.transforms()
    facts: Facts = {
        "name": f"torchvision/{name}",
        "input_size": chosen.crop_size[0],
        "mean": list(chosen.mean),
        "std": list(chosen.std),
        "weights": best.url,
        "licence": "bsd-3-clause",
        "source": "torchvision",
        "summary": f"{best.name}, 1000 classes",
        "extra": {"library": "torchvision", "architecture": name},
    }
    return _measured(facts, sized=False)


def _measured(facts: Facts, *, sized: bool) -> Facts:
    """With parameters counted, and the smallest size tried out. `sized` networks are made anew for each size."""
    facts = {"backend": "torch", "modality": "image", **facts}
    plain = msgspec.convert({**facts, "pretrained": False, "weights": ""}, ModelCard)
    trunk = _trunks.empty(plain, plain.input_size)
    if hasattr(trunk, "forward_intermediates"):
        facts["heads"] = ["pooled", "dense"]
    facts["params"] = sum(p.numel() for p in trunk.parameters())
    if sized:
        facts["extra"] = {**facts["extra"], "sized": True}
        plain = msgspec.convert({**facts, "pretrained": False, "weights": ""}, ModelCard)
    small = next(
        (size for size in SIZES if size <= plain.input_size and _takes(plain, None if sized else trunk, size)), 0
    )
    facts["min_size"] = small or plain.input_size
    facts["fixed_size"] = not small or small == plain.input_size
    return facts


@torch.no_grad()
def _takes(card: ModelCard, trunk: nn.Module | None, size: int) -> bool:
    try:
        trunk = (trunk if trunk is not None else _trunks.empty(card, size)).eval()
        return bool(trunk(torch.zeros(1, 3, size, size)).isfinite().all())
    except (RuntimeError, ValueError, AssertionError):
        return False


LIBRARIES: dict[str, Callable[[str], Facts]] = {"timm": timm_facts, "torchvision": torchvision_facts}


def describe(name: str) -> ModelCard:
    """The card of ``library/network`` or ``library/network@file``, its weights read and compared if a file is named.

    Raises:
        UsageError: no such network. TrialFailed: the file's arrays do not fit it.
    """
    network, _, path = name.partition("@")
    library, _, rest = network.partition("/")
    facts = LIBRARIES[library](rest)
    if not path:
        return msgspec.convert(facts, ModelCard)
    facts |= {"name": name, "weights": str(Path(path).resolve()), "pretrained": True, "licence": "", "offline": True}
    facts |= {"summary": f"{network} with weights from {Path(path).name}", "extra": {**facts["extra"], "strict": True}}
    card = msgspec.convert(facts, ModelCard)
    if card.native:
        from autoft_torch import _describe_native

        _describe_native.network(card, card.input_size, weights=True)
    else:
        _trunks.pretrained(card, card.input_size)
    return card


def main(name: str) -> None:
    try:
        sys.stdout.write(json.dumps({"card": msgspec.to_builtins(describe(name))}))
    except AutoftError as error:
        sys.stdout.write(json.dumps({"error": error.message, "hint": error.hint}))


if __name__ == "__main__":
    main(sys.argv[1])
