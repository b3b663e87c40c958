"""The network for recordings that has nothing to learn keeps the laws of such."""

from __future__ import annotations

from autoft.testing.fixed_kit import CepstraContract
from autoft_torch import catalogue
from autoft_torch.backend import TorchBackend


class TestCepstra(CepstraContract):
    backend = TorchBackend()
    card = catalogue.find("autoft/cepstra")
