"""Downloads, against a stand-in hub on the loopback."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from autoft.api import UsageError
from autoft_torch import hub as downloads
from autoft_torch._trunks import empty
from autoft_torch.backend import TorchBackend
from autoft_torch.sources import AutoftSource, HfSource, TimmSource, TorchvisionSource

transformers = pytest.importorskip("transformers", reason="autoft-torch is here without its extra hf")

TINY = transformers.ResNetConfig(
    embedding_size=8, hidden_sizes=[8, 16], depths=[1, 2], layer_type="basic", num_labels=3
)


def test_a_timm_network_comes_from_the_hub_once(hub, job, monkeypatch):
    source = TimmSource()
    found = source.resolve("timm/mobilenetv3_small_050")
    assert found is not None and not found.offline and source.reachable() == ""
    torch.manual_seed(1)
    wanted = empty(found, 32).state_dict()
    hub.files["timm/mobilenetv3_small_050.lamb_in1k"] = {"model.safetensors": save(wanted)}
    fetched = source.fetch(found)
    assert fetched.offline and Path(fetched.weights).is_file()

    monkeypatch.setenv("AUTOFT_OFFLINE", "1")
    asked = len(hub.asked)
    again = source.resolve("timm/mobilenetv3_small_050.lamb_in1k")
    assert again is not None and again.offline, "the cache has it now"
    assert source.fetch(again) == fetched
    arrays = TorchBackend().build(job(fetched)).arrays()
    flat = {key: values for block in arrays.values() for key, values in block.items()}
    assert all(np.array_equal(flat[f"trunk.{key}"], values.numpy()) for key, values in wanted.items())
    assert len(hub.asked) == asked, "a trial opens no connection"


def test_a_transformers_network_comes_from_the_hub(hub, job, toys):
    torch.manual_seed(2)
    net = transformers.ResNetForImageClassification(TINY)
    processor = {"image_mean": [0.4, 0.5, 0.6], "image_std": [0.1, 0.2, 0.3], "size": {"shortest_edge": 48}}
    hub.files["acme/tiny"] = {
        "config.json": TINY.to_json_string().encode(),
        "preprocessor_config.json": json.dumps(processor).encode(),
        "model.safetensors": save({k: v.contiguous() for k, v in net.state_dict().items()}),
    }
    source = HfSource()
    found = source.resolve("hf/acme/tiny")
    assert found is not None and not found.offline
    fetched = source.fetch(found)
    assert (fetched.mean, fetched.input_size, fetched.fixed_size) == ((0.4, 0.5, 0.6), 48, False)
    learner = TorchBackend().build(job(fetched, freeze=1.0))
    arrays = {key: values for block in learner.arrays().values() for key, values in block.items()}
    wanted = {f"trunk.net.{k}": v.numpy() for k, v in net.state_dict().items() if not k.startswith("classifier")}
    assert all(np.array_equal(arrays[key], values) for key, values in wanted.items())
    assert learner.predict(toys)["class"].shape == (32, 4)


def test_other_names_of_the_hub_are_refused_in_words(hub):
    with pytest.raises(UsageError, match="no repository 'acme/none'"):
        HfSource().resolve("hf/acme/none")
    hub.files["acme/strange"] = {"config.json": b'{"what": "else"}'}
    with pytest.raises(UsageError, match=r"'architecture' \(timm\) or 'model_type' \(Transformers\)"):
        HfSource().resolve("hf/acme/strange")
    with pytest.raises(UsageError, match="hf/owner/name, but got 'hf/tiny'"):
        HfSource().resolve("hf/tiny")
    hub.files["timm/resnet18.a1_in1k"] = {"README.md": b"no weights"}
    card = TimmSource().resolve("timm/resnet18")
    assert card is not None
    with pytest.raises(UsageError, match=r"none of the files model\.safetensors, pytorch_model\.bin"):
        TimmSource().fetch(card)


@pytest.mark.parametrize("name", ["AUTOFT_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_is_said_in_one_clear_message(hub, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    for source in (TimmSource(), TorchvisionSource(), HfSource()):
        assert source.reachable() == f"{name} is set"
        card = source.catalogue()[0]
        assert not card.offline
        with pytest.raises(UsageError) as caught:
            source.fetch(card)
        assert f"cannot be downloaded: {name} is set." in caught.value.message and "--models" in caught.value.hint
    assert not hub.asked
    assert AutoftSource().reachable() == "" and AutoftSource().catalogue()[0].offline


def test_a_hub_that_is_down_is_named(places, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert TimmSource().reachable().startswith("http://127.0.0.1:9 cannot be reached")


def test_a_checksum_in_the_name_is_checked(hub, places):
    body = b"weights"
    good = f"net-{hashlib.sha256(body).hexdigest()[:8]}.pth"
    hub.files["models"] = {good: body, "net-00000000.pth": body}
    path = downloads.from_address(f"{hub.address}/models/resolve/main/{good}")
    assert path.read_bytes() == body and path.parent == places / "torch" / "hub" / "checkpoints"
    with pytest.raises(UsageError, match="SHA-256 that starts with 00000000"):
        downloads.from_address(f"{hub.address}/models/resolve/main/net-00000000.pth")
    assert [p.name for p in path.parent.iterdir()] == [good], "nothing damaged or partial is left"
