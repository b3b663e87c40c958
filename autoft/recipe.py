"""`Recipe`: how one network is fine-tuned, as plain names and numbers, with the defaults of trial 0."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from autoft import vocab
from autoft.errors import UsageError

LEVELS: Final = "levels"
"""The word of `pooling` for all levels of a network for images."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One configuration. The field names are the keys of ``key=value`` on the command line."""

    model: str = ""
    """Name of the pretrained network; empty lets the search choose."""
    image_size: int = 0
    """Side in pixels to which images are resized; 0 takes what suits the data and the network."""
    freeze: float = 0.0
    """Fraction of the backbone's blocks, counted from the input, that stay as they are. 1 trains the head alone."""
    optimizer: str = "adamw"
    """adamw, adam or sgd; or solve: on a frozen backbone, the head is what head_init names, found in one epoch."""
    lr: float = 1e-3
    """Peak learning rate of the last block, and of the head. Where the network's card names a rate of its own, the head
    is faster by as much as that is below 0.001."""
    layer_decay: float = 1.0
    """Factor on the learning rate per block, counted back from the head; 1 trains all blocks alike."""
    momentum: float = 0.9
    """Momentum of sgd."""
    nesterov: bool = False
    """Nesterov momentum for sgd."""
    batch_size: int = 32
    """Samples per step."""
    epochs: int = 20
    """Passes over the training part, at most."""
    patience: int = 6
    """Epochs without a better validation score before the trial stops; 0 never stops early."""
    schedule: str = "cosine"
    """How the learning rate falls: cosine, linear or constant."""
    warmup: float = 0.05
    """Fraction of all steps over which the learning rate rises from 0."""
    clip: float = 1.0
    """Largest gradient norm; 0 does not clip."""
    weight_decay: float = 1e-2
    """L2 on weights, not on biases or normalisation: decoupled with adamw and sgd, in the gradient with adam."""
    l1: float = 0.0
    """L1 on the head's weights: each step brings them nearer to 0 by lr * l1."""
    dropout: float = 0.0
    """Dropout before the head's last layer."""
    label_smoothing: float = 0.0
    """Probability mass moved from the true class to all classes."""
    class_weights: str = "none"
    """none, or balanced: rare classes weigh more in the loss."""
    head_width: int = 0
    """Units of one hidden layer in the head; 0 is a linear head."""
    head_activation: str = "relu"
    """Activation of the hidden layer: relu, gelu or tanh."""
    head_init: str = "random"
    """What the head starts from: random, or the ridge or logistic solution on the features of the whole backbone."""
    head_strength: float = 1.0
    """L2 strength of that solution, in units of the mean squared feature; larger is a smaller head."""
    head_rows: int = 0
    """Training samples that it is found on, spread over all of them; 0 takes all."""
    norms: str = "batch"
    """What batch normalisation of trained blocks goes by: batch, the statistics of each batch, which its running ones
    follow; or kept, the running ones as they were pretrained: features stay what a head was solved on."""
    augment: str = "light"
    """Augmentation policy: none, light, trivial or strong."""
    views: int = 0
    """0 draws augmentation anew in every epoch. Above 0, each sample has that many augmented versions, drawn once, and
    epochs take turns: what frozen blocks give for them is then computed once for all trials."""
    mixup: float = 0.0
    """Alpha of mixup (Zhang et al., 2018); 0 is off."""
    cutmix: float = 0.0
    """Alpha of cutmix (Yun et al., 2019); 0 is off."""
    text_length: int = 0
    """Words or tokens of each text, at most; 0 takes what suits the network."""
    truncation: str = "end"
    """What is left out of longer texts: their end, start or middle."""
    pooling: str = "auto"
    """How the vectors of a text's tokens become one: auto, first, mean, max or last. Of images, levels: the head sees
    mean, deviation and maximum of the maps of several depths beside the last features; needs freeze=1."""
    formulation: str = ""
    """Which of the task's ways to pose the problem is trained (its losses above all); empty is the first one."""
    precision: str = "auto"
    """auto (16 bit on a GPU; on a CPU 32 bit, or bf16 where that is quicker), fp32, bf16 or fp16."""
    extra: dict[str, str | int | float | bool] = {}
    """Parameters that a plugin added with `autoft_edit_space`; unknown to core."""

    def __post_init__(self) -> None:
        for key in (*WORDS, *RANGES, "class_weights"):
            check(key, getattr(self, key))
        if self.optimizer == "solve" and (self.freeze < 1 or self.head_init == "random" or self.head_width):
            raise UsageError(
                "optimizer=solve needs a linear head on a frozen backbone: freeze=1, head_width=0 and head_init=ridge "
                f"or logistic, but got {self.freeze:g}, {self.head_width} and {self.head_init}."
            )
        if self.pooling == LEVELS and self.freeze < 1:
            raise UsageError(
                f"pooling=levels needs a frozen backbone, since a head alone sees earlier depths: freeze=1, but got "
                f"{self.freeze:g}."
            )

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Recipe:
        """A recipe from flat names and values; names that core does not know go to `extra`."""
        known = {k: v for k, v in params.items() if k in FIELDS and k != "extra"}
        extra = {k: v for k, v in params.items() if k not in FIELDS}
        try:
            return msgspec.convert({**known, "extra": {**params.get("extra", {}), **extra}}, cls, strict=False)
        except msgspec.ValidationError as error:
            raise UsageError(f"the configuration is not valid: {error}") from error

    def flat(self) -> dict[str, Any]:
        """Names and values on one level, as they stand in `trials.jsonl` and on the leaderboard."""
        values = msgspec.to_builtins(self)
        extra = values.pop("extra")
        return {**values, **extra}

    def said(self) -> dict[str, Any]:
        """As `flat`, in the form of overrides: without the model, and without empty words, which leave the choice to
        the task."""
        return {key: value for key, value in self.flat().items() if key != "model" and value != ""}


def check(key: str, value: Any) -> None:
    """Whether a field may have this value, whatever the others have: its word is known, or its number in range.

    Raises:
        UsageError: it may not.
    """
    if key in WORDS:
        vocab.check(WORDS[key], value)
    elif key in RANGES:
        low, high = RANGES[key]
        if not (math.isfinite(value) and low <= value <= high):
            raise UsageError(f"{key} must lie in [{low:g}, {high:g}], but got {value:g}.")
    elif key == "class_weights" and value not in ("none", "balanced"):
        raise UsageError(f"class_weights must be none or balanced, but got '{value}'.")


FIELDS: Final = Recipe.__struct_fields__

WORDS: Final = {
    "optimizer": "optimizer",
    "schedule": "schedule",
    "augment": "augment",
    "head_activation": "activation",
    "head_init": "head_init",
    "norms": "norms",
    "precision": "precision",
    "truncation": "truncation",
    "pooling": "pooling",
}

RANGES: Final = {
    "image_size": (0, 4096),
    "freeze": (0.0, 1.0),
    "lr": (0.0, 100.0),
    "layer_decay": (0.0, 1.0),
    "momentum": (0.0, 1.0),
    "batch_size": (1, 1 << 20),
    "epochs": (1, 100_000),
    "patience": (0, 100_000),
    "warmup": (0.0, 1.0),
    "clip": (0.0, 1e9),
    "weight_decay": (0.0, 1e3),
    "l1": (0.0, 1e3),
    "dropout": (0.0, 0.95),
    "label_smoothing": (0.0, 0.95),
    "head_width": (0, 1 << 16),
    "head_strength": (0.0, 1e12),
    "head_rows": (0, 1 << 40),
    "views": (0, 64),
    "mixup": (0.0, 100.0),
    "cutmix": (0.0, 100.0),
    "text_length": (0, 1 << 20),
}
