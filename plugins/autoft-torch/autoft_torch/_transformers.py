"""Trunks of Transformers: an image classifier up to its last linear layer."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForImageClassification
from transformers.utils import logging

from autoft.api import ModelCard, TrialFailed

# A worker's output belongs to autoft: bars and notes on arrays that only the old head had would say nothing new.
logging.set_verbosity_error()
logging.disable_progress_bar()

#: A number of classes that no layer has by chance, so that the old head is found by its size.
MARK = 7919


class Trunk(nn.Module):
    """Gives what the classifier's last linear layer would take in."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.net(pixel_values=x).logits
        return features

    def levels(self, images: torch.Tensor) -> list[torch.Tensor]:
        """Maps (n, channels, h, w) of the network's stages; empty where these are rows of tokens."""
        found = self.net(pixel_values=images, output_hidden_states=True)
        states = getattr(found, "reshaped_hidden_states", None) or found.hidden_states or ()
        return [state for state in states if state.ndim == 4]


def build(card: ModelCard, size: int) -> tuple[nn.Module, Collection[str]]:
    """From the configuration kept in the card: no file is opened, no remote code is run."""
    try:
        net = AutoModelForImageClassification.from_config(configuration(card, MARK), trust_remote_code=False)
    except (ValueError, KeyError, TypeError) as error:
        raise TrialFailed(f"Transformers cannot build {card.name}: {error}") from error
    return Trunk(_behead(net, card)), ()


def load(trunk: nn.Module, card: ModelCard, path: Path) -> None:
    """Weights of a folder, as `from_pretrained` adapts them.

    Raises:
        TrialFailed: they cannot be read, or arrays outside the head are missing or of another shape.
    """
    net, lost = loaded(AutoModelForImageClassification, configuration(card, MARK), path)
    head = tuple(f"{name}." for name in _heads(net))
    lost = [name for name in lost if not name.startswith(head)]
    if lost:
        raise TrialFailed(
            f"the weights at {path} do not fit the network: {len(lost)} arrays are missing or differ ({lost[0]}, ...)."
        )
    trunk.load_state_dict(Trunk(_behead(net, card)).state_dict())


def loaded(kind: Any, config: Any, path: Path) -> tuple[nn.Module, list[str]]:
    """A network of the class `kind` with the weights of a folder, and the arrays that these lack or have otherwise.

    Raises:
        TrialFailed: they cannot be read.
    """
    folder = path if path.is_dir() else path.parent
    try:
        net, report = kind.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            dtype=torch.float32,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise TrialFailed(f"Transformers cannot load {folder}: {error}") from error
    return net, [*map(str, report["missing_keys"]), *(str(key[0]) for key in report["mismatched_keys"])]


def configuration(card: ModelCard, classes: int | None) -> Any:
    """The configuration kept in the card, for so many classes; None leaves those of the checkpoint."""
    if "config" not in card.extra:
        raise TrialFailed(f"{card.name} must be fetched before it is built: its card holds no configuration yet.")
    values = dict(card.extra["config"])
    kind = values.pop("model_type")
    labels = ("num_labels", "id2label", "label2id") if classes is not None else ()
    for key in (*labels, "problem_type", "auto_map", "architectures", "torch_dtype", "dtype"):
        values.pop(key, None)
    if classes is not None:
        values["num_labels"] = classes
    return AutoConfig.for_model(kind, **values)


def _heads(net: nn.Module) -> list[str]:
    return [name for name, part in net.named_modules() if isinstance(part, nn.Linear) and part.out_features == MARK]


def _behead(net: nn.Module, card: ModelCard) -> nn.Module:
    heads = _heads(net)
    if not heads:
        raise TrialFailed(f"an image classifier must end in a linear layer, but {card.name} has none.")
    for name in heads:
        parent, _, last = name.rpartition(".")
        setattr(net.get_submodule(parent), last, nn.Identity())
    return net
