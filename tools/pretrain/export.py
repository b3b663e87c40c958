"""From a trained network to the file that ships, and the card that says how it came to be."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from tools.pretrain import GENERATOR_VERSION, learner, views
from tools.pretrain.bank import Bank

BATCH = 200
#: No file of weights in this distribution may be larger.
MOST_BYTES = 3_500_000


def settled(net: nn.Module, bank: Bank, side: int = 64, batches: int = 30) -> nn.Module:
    """A copy in evaluation mode whose normalisation holds the true means and variances of whole composites."""
    other = copy.deepcopy(net)
    norms = [m for m in other.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    other.train()
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for _ in range(batches):
            rows = torch.randint(0, len(bank), (min(BATCH, len(bank)),), generator=random).sort().values
            other(views.plain(bank.take(rows), side).contiguous(memory_format=torch.channels_last))
    for norm in norms:
        norm.momentum = 0.1
    return other.eval()


def arrays(net: nn.Module) -> dict[str, torch.Tensor]:
    """What ships: half precision, without counters."""
    state = net.state_dict()
    return {k: v.half().contiguous() for k, v in state.items() if not k.endswith("num_batches_tracked")}


def write(net: nn.Module, folder: Path, facts: dict[str, Any]) -> Path:
    """`resnet_s.safetensors` and `resnet_s.json` in `folder`; gives the former."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (learner.ARCHITECTURE.replace("-", "_") + ".safetensors")
    save_file(arrays(net), path, metadata={"format": "pt"})
    path.chmod(0o644)  # safetensors keeps it to its owner
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(f"the weights must take at most {MOST_BYTES} bytes, but take {size}.")
    card = {
        "architecture": learner.ARCHITECTURE,
        "sha256": digest(path),
        "bytes": size,
        "input_size": 64,
        "mean": [views.MEAN] * 3,
        "std": [views.STD] * 3,
        "generator": GENERATOR_VERSION,
        "losses": learner.WEIGHTS,
        **facts,
    }
    path.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n")
    return path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
