"""Where and how precisely to compute."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch

from autoft.api import Job, TrialFailed, to_predict
from autoft_torch._folding import Folding
from autoft_torch._kernels import Kernels

BF16 = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")
"""What instructions for it are called on x86 and on ARM."""


def device(job: Job) -> torch.device:
    """A GPU if there is one and the trial was given a part of it, else the CPU; with the threads it was given."""
    torch.set_num_threads(max(1, job.resources.threads))
    return torch.device("cuda" if job.resources.gpus > 0 and torch.cuda.is_available() else "cpu")


def layout(device: torch.device) -> torch.memory_format:
    """How maps lie in memory. On a CPU channels last is quicker. On a GPU cuDNN plans a training step of it for 7 to
    10 s, at each new size (measured with a MobileNetV2 on an H200, where channels first took 0.2 to 0.7 s and each step
    was nearly as quick)."""
    return torch.channels_last if device.type == "cpu" else torch.contiguous_format


class Precision:
    """The precision of a recipe on a device: `auto` is bf16 on a GPU (fp16 where it has no bf16), fp32 on a CPU. Where
    a CPU should compute in bf16, the recipe has that word already (`_probe`).

    Args:
        maps: whether the network computes maps, for which a CPU has quicker kernels (`_kernels`).

    Raises:
        TrialFailed: fp16 on a CPU, which has no use for it.
    """

    def __init__(self, word: str, device: torch.device, *, maps: bool) -> None:
        self.device = device
        self.quicker = maps and device.type == "cpu"
        self.folding: Folding | None = None
        """Of the network that computes, where it is known."""
        if word == "auto":
            word = "fp32" if device.type == "cpu" else ("bf16" if _has_bf16() else "fp16")
        if word == "fp16" and device.type == "cpu":
            raise TrialFailed(
                "precision fp16 needs a GPU, but this trial runs on a CPU.", "Use precision=bf16 or fp32."
            )
        self.word = word
        self.scaler = torch.amp.GradScaler(device.type) if word == "fp16" else None

    @contextmanager
    def cast(self) -> Iterator[None]:
        """For what the network computes forwards."""
        kind = torch.float16 if self.word == "fp16" else torch.bfloat16
        lower = nullcontext() if self.word == "fp32" else torch.autocast(self.device.type, dtype=kind)
        with Kernels(self.folding) if self.quicker else nullcontext(), lower:
            yield


def _has_bf16() -> bool:
    """Of GPUs before Ampere PyTorch says so as well, but they compute it by other means, slower than fp32."""
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def abilities() -> dict[str, Any]:
    """What this CPU can do, by name; empty where PyTorch does not tell."""
    return dict(getattr(torch.cpu, "get_capabilities", dict)())


def computes_bf16() -> bool:
    """Whether this CPU has instructions for bf16. Others, which oneDNN serves as well, imitate it at the cost of
    casting; older versions of PyTorch do not tell."""
    told = abilities()
    return torch.backends.mkldnn.is_available() and any(told.get(name) for name in BF16)


def usable(job: Job, device: torch.device) -> Job:
    """The job of a saved model that is to predict on this device."""
    return to_predict(job, gpu=device.type != "cpu", bf16=computes_bf16())


@contextmanager
def once() -> Iterator[None]:
    """For a size of batches that is computed once: cuDNN plans longer (see `_batches`) than other kernels compute."""
    before = torch.backends.cudnn.enabled
    torch.backends.cudnn.enabled = False
    try:
        yield
    finally:
        torch.backends.cudnn.enabled = before
