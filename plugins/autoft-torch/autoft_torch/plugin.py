"""What this distribution offers to autoft. Imported on every start, so it imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterable

from autoft.api import Entry, hookimpl


@hookimpl
def autoft_backends() -> Iterable[Entry]:
    yield Entry(name="torch", target="autoft_torch.backend:TorchBackend", summary="PyTorch")


@hookimpl
def autoft_models() -> Iterable[Entry]:
    yield Entry(name="autoft", target="autoft_torch.sources:AutoftSource", summary="Small networks of autoft itself")
    yield Entry(name="timm", target="autoft_torch.sources:TimmSource", summary="Networks of timm, weights from the hub")
    yield Entry(
        name="torchvision",
        target="autoft_torch.sources:TorchvisionSource",
        summary="Networks of torchvision, weights from download.pytorch.org",
    )
    yield Entry(name="hf", target="autoft_torch.sources:HfSource", summary="Networks of the Hugging Face hub")
    yield Entry(name="local", target="autoft_torch.local:LocalSource", summary="A checkpoint folder, or NAME@FILE")
