"""Reads weights from files that nobody vouches for, and puts them into a network, or says in words why not."""

from __future__ import annotations

import pickle
from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from torch import nn

from autoft.api import TrialFailed

#: Keys under which training scripts keep the weights among other things.
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "module")
#: Counters that no computation depends on.
IGNORED = ("num_batches_tracked",)
State = dict[str, torch.Tensor]


def read(path: Path) -> State:
    """The arrays of a safetensors or torch file by name, half precision widened to float32.

    Torch files are unpickled with ``weights_only=True``: code in them does not run.

    Raises:
        TrialFailed: the file is absent, damaged, or holds anything but arrays.
    """
    values = _tensors(path)
    return {name: widen(tensor) for name, tensor in strip(values).items()}


def widen(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16, torch.float64) else tensor


def strip(state: Mapping[str, torch.Tensor]) -> State:
    """Without the prefix that DataParallel or an autoft learner puts before the names, and without autoft's heads."""
    for prefix in ("module.", "trunk."):
        if any(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)}
    return dict(state)


def _tensors(path: Path) -> State:
    if not path.is_file():
        raise TrialFailed(f"the weights must be a file, but there is none at {path}.")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise TrialFailed(
            f"a weights file must hold arrays alone, but {path} holds other objects, which could run code.",
            "Save its state_dict with torch.save or safetensors and name that file.",
        ) from error
    except Exception as error:
        raise TrialFailed(f"the weights at {path} cannot be read: {type(error).__name__}: {error}") from error
    for key in WRAPPERS:
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    arrays = {str(k): v for k, v in loaded.items() if isinstance(v, torch.Tensor)} if isinstance(loaded, dict) else {}
    if not arrays:
        raise TrialFailed(f"a weights file must hold named arrays (a state_dict), but {path} holds none.")
    return arrays


def put(
    trunk: nn.Module,
    state: State,
    head: Collection[str],
    where: str,
    *,
    strict: bool,
    free: Collection[str] = (),
) -> None:
    """Copy `state` into `trunk`. Names that start with one of `head` are the old head's and left out.

    Args:
        strict: arrays that the trunk does not know are an error too; off for the publisher's own files, which
            may carry auxiliary parts.
        free: arrays of the trunk that need not be there.

    Raises:
        TrialFailed: arrays of the trunk are missing, of another shape, or unknown; the message counts and names them.
    """
    wanted = {k: v for k, v in trunk.state_dict().items() if not k.endswith(IGNORED) and k not in free}
    missing = [k for k in wanted if k not in state]
    other = [k for k in wanted if k in state and state[k].shape != wanted[k].shape]
    unknown = [k for k in state if k not in wanted and not k.endswith(IGNORED) and not k.startswith(tuple(head))]
    faults = []
    if missing:
        faults.append(f"{len(missing)} of its {len(wanted)} arrays are missing ({_few(missing)})")
    if other:
        shapes = f"{tuple(state[other[0]].shape)} for {tuple(wanted[other[0]].shape)}"
        faults.append(f"{len(other)} have another shape ({_few(other)}: {shapes})")
    if unknown and strict:
        faults.append(f"{len(unknown)} arrays of the file are unknown to it ({_few(unknown)})")
    if faults:
        raise TrialFailed(
            f"the weights at {where} do not fit the network: {'; '.join(faults)}.",
            "Name the architecture that the weights were saved from, as NAME@FILE.",
        )
    known = trunk.state_dict()
    trunk.load_state_dict({k: v for k, v in state.items() if k in known}, strict=False)


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
