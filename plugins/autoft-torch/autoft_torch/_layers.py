"""What networks of Transformers for texts and recordings have in common: a list of layers, and what is around it."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from autoft.api import TrialFailed

CONVOLUTIONS = "net.feature_extractor."
"""Part of speech networks that makes frames of samples: a block of its own."""
SHARED = ("rel_embeddings", "rel_attn_embed")
"""Tables of distances that all layers use: part of the input, wherever they are kept."""


def groups(trunk: nn.Module, late: str = "") -> list[tuple[str, list[str]]]:
    """The blocks of a trunk by name, with the names of their arrays: what stands before the layers, each layer; what
    stands behind them is part of the last one. Convolutions over samples are the first block, with one between.
    `late` is how the names of arrays begin that stand behind the layers, though they are registered before them."""
    layers = _layers(trunk)
    names = [name for name, _ in (*trunk.named_parameters(), *trunk.named_buffers())]
    found: dict[str, list[str]] = {"convolutions": [], "embeddings": []}
    found.update({f"layer {number}": [] for number in range(len(layers))})
    last = list(found)[-1]
    behind = False
    for name in names:
        number = next((n for n, prefix in enumerate(layers) if name.startswith(prefix)), None)
        behind = behind or number is not None
        if any(part in name.split(".") for part in SHARED):
            found["embeddings"].append(name)
        elif number is not None:
            found[f"layer {number}"].append(name)
        elif name.startswith(CONVOLUTIONS):
            found["convolutions"].append(name)
        else:
            ends = (behind and "embed" not in name) or (late and name.startswith(late))
            found[last if ends else "embeddings"].append(name)
    return [(name, members) for name, members in found.items() if members]


def _layers(trunk: nn.Module) -> list[str]:
    """How the names of each layer's arrays begin: the layers are the longest list of deep modules."""
    lists = [(name, part) for name, part in trunk.named_modules() if isinstance(part, nn.ModuleList)]
    deep = [(name, part) for name, part in lists if any(list(child.children()) for child in part)]
    deep = [(name, part) for name, part in deep if not f"{name}.".startswith(CONVOLUTIONS)]
    if not deep:
        return []
    name, part = max(deep, key=lambda one: (len(one[1]), -one[0].count(".")))
    return [f"{name}.{child}." for child, _ in part.named_children()]


def put(trunk: nn.Module, other: nn.Module, lost: list[str], path: Path) -> None:
    """Copy the arrays of another trunk, of which those in `lost` (named as in its net) were not found.

    Raises:
        TrialFailed: some of the trunk's arrays were not found.
    """
    state = other.state_dict()
    missing = [name for name in lost if f"net.{name}" in state]
    if missing:
        raise TrialFailed(
            f"the weights at {path} do not fit the network: {len(missing)} arrays are missing or differ "
            f"({missing[0]}, ...)."
        )
    trunk.load_state_dict(state)
