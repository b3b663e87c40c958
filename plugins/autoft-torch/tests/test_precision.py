"""Which precision `auto` comes to."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from msgspec.structs import replace

from autoft.api import Job, Resources
from autoft_torch import _precision
from autoft_torch._precision import Precision


@pytest.mark.parametrize(("major", "word"), [(7, "fp16"), (8, "bf16")])
def test_gpus_that_only_imitate_bf16_compute_in_fp16(monkeypatch: pytest.MonkeyPatch, major: int, word: str) -> None:
    def supported(including_emulation: bool = True) -> bool:
        return including_emulation or major >= 8

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    monkeypatch.setattr(torch.amp, "GradScaler", lambda device: device)
    assert Precision("auto", torch.device("cuda"), maps=False).word == word


def test_a_trial_on_a_gpu_has_its_threads_as_well(monkeypatch: pytest.MonkeyPatch, card: Any, job: Any) -> None:
    told: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    wanted: Job = job(card("autoft", "resnet-s"))
    assert _precision.device(replace(wanted, resources=Resources(gpus=1.0, threads=3))).type == "cuda"
    assert _precision.device(replace(wanted, resources=Resources(gpus=0.0, threads=2))).type == "cpu"
    assert told == [3, 2]
