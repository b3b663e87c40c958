"""The network for recordings that has nothing to learn keeps the laws of such."""

from __future__ import annotations

from autoft.testing.fixed_kit import CepstraContract
from autoft_keras import catalogue
from autoft_keras.backend import KerasBackend


class TestCepstra(CepstraContract):
    backend = KerasBackend()
    card = catalogue.find("autoft/cepstra")
