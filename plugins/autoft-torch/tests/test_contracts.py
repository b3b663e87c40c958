"""The contract kits, as any plugin's tests inherit them."""

from __future__ import annotations

import pytest

from autoft.api import ModelCard
from autoft.testing import BackendContract, PluginContract
from autoft_torch.backend import TorchBackend
from autoft_torch.sources import AutoftSource


class TestPlugin(PluginContract):
    plugin = "autoft_torch.plugin"
    distribution = "autoft-torch"


class TestResnet(BackendContract):
    backend = TorchBackend
    card = AutoftSource().catalogue()[0]


@pytest.mark.slow
class TestTransformer(BackendContract):
    """A network without batch normalisation, of a library."""

    backend = TorchBackend
    card = ModelCard(
        name="timm/test_vit",
        backend="torch",
        modality="image",
        pretrained=False,
        extra={"library": "timm", "architecture": "test_vit", "sized": True},
    )
