"""Configurations as rows of numbers: one encoding for a recipe's words and for the runs learned from."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from autoft.api import Recipe
from autoft_graybox.curve import Array

DEFAULTS: Final[Mapping[str, Any]] = Recipe().flat()

#: Columns of `encode`, in order.
COLUMNS: Final = tuple(
    "lr adaptive heavy_ball adamw adaptive*lr heavy_ball*lr lr^2 batch_size freeze head_only weight_decay dropout "
    "label_smoothing mixup cutmix warmup_epochs clipped clipped_at_1 layer_decay augmented cosine stoch_norm "
    "delta_reg bss_reg sp_reg cotuning_reg momentum".split()
)
NEIGHBOURLY: Final = tuple(COLUMNS.index(name) for name in ("lr", "adaptive", "heavy_ball", "batch_size", "freeze"))
"""Columns by which two configurations are found alike."""
SPREADS: Final = (1.0, 0.7, 0.7, 0.7, 1.0)
WARMUP: Final = COLUMNS.index("warmup_epochs")


def network(values: Mapping[str, Any]) -> str:
    """The architecture's bare name: `timm/xcit_nano@file` and `xcit_nano` are one network."""
    return re.split(r"[@:.]", str(values.get("model", "")).rpartition("/")[2])[0]


def encode(configurations: Sequence[Mapping[str, Any]], epochs: int) -> Array:
    """float64 (n, len(COLUMNS)). Keys are a recipe's; one left out has the recipe's default."""
    return np.array([_row(values, epochs) for values in configurations], np.float64).reshape(-1, len(COLUMNS))


def _row(values: Mapping[str, Any], epochs: int) -> list[float]:
    given: Mapping[str, Any] = {**DEFAULTS, **values}
    momentum = float(given["momentum"]) if given["optimizer"] == "sgd" else 0.0
    adaptive, heavy = float(given["optimizer"] != "sgd"), float(momentum > 0)
    lr = math.log10(max(float(given["lr"]), 1e-7)) + 3.5
    return [
        lr,
        adaptive,
        heavy,
        float(given["optimizer"] == "adamw"),
        adaptive * lr,
        heavy * lr,
        lr * lr,
        (math.log2(max(float(given["batch_size"]), 1.0)) - 4) / 2,
        float(given["freeze"]),
        float(given["freeze"] == 1),
        math.log10(max(float(given["weight_decay"]), 1e-6)) / 3 + 1,
        float(given["dropout"]) / 0.2 - 1,
        float(given["label_smoothing"]) * 10,
        math.log1p(float(given["mixup"])),
        math.log1p(float(given["cutmix"])),
        float(given["warmup"]) * epochs / 10,
        float(given["clip"] > 0),
        float(0 < given["clip"] <= 1),
        float(given["layer_decay"]) * 4 - 3,
        float(given["augment"] != "none"),
        float(given["schedule"] == "cosine"),
        float(given.get("stoch_norm", 0.0)),
        *(_strength(float(given.get(key, 0.0))) for key in ("delta_reg", "bss_reg", "sp_reg")),
        float(given.get("cotuning_reg", 0.0)) / 2,
        momentum * 4 - 3 if heavy else 0.0,
    ]


def _strength(value: float) -> float:
    """Of a penalty that is tried over decades: 0 (off) counts as 1e-5."""
    return math.log10(max(value, 1e-5)) / 2 + 1.5


def from_quicktune(config: Mapping[str, Any], epochs: int) -> dict[str, Any]:
    """A row of the Quick-Tune tables (Arango et al., ICLR 2024) in a recipe's words.

    What recipes do not know (`stoch_norm`, `cotuning_reg`, ...) keeps its name. AdamP counts as AdamW; a mixing
    strength is multiplied by the probability with which it was used.
    """
    optimizer = {"adamp": "adamw", "momentum": "sgd"}.get(config["opt"], config["opt"])
    return {
        "model": config["model"],
        "optimizer": optimizer,
        "lr": config["lr"],
        "momentum": config["momentum"] if config["opt"] == "momentum" else 0.0,
        "batch_size": int(config["batch_size"]),
        "freeze": config["pct_to_freeze"],
        "weight_decay": config["weight_decay"],
        "dropout": config["drop"],
        "label_smoothing": config["smoothing"],
        "mixup": config["mixup"] * config["mixup_prob"],
        "cutmix": config["cutmix"] * config["mixup_prob"],
        "warmup": config["warmup_epochs"] / epochs,
        "clip": max(config["clip_grad"], 0.0),
        "layer_decay": config["layer_decay"] if config["layer_decay"] > 0 else 1.0,
        "augment": {None: "none", "trivial_augment": "trivial"}.get(config["data_augmentation"], "strong"),
        "schedule": "cosine" if config["sched"] == "cosine" else "constant",
        **{key: config[key] for key in ("stoch_norm", "delta_reg", "bss_reg", "sp_reg", "cotuning_reg")},
    }
