"""Downloads, against a stand-in server on the loopback."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import h5py
import keras
import msgspec
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from autoft.api import TrialFailed, UsageError
from autoft.testing.standin import stand_in
from autoft_keras import _trunks, caches, catalogue
from autoft_keras import hub as downloads
from autoft_keras.sources import AutoftSource, KerasHubSource, KerasSource

NAME = "keras/mobilenet_v3_small"
PRESET = "kerashub/resnet_18_imagenet"


@pytest.fixture
def places(monkeypatch, tmp_path):
    """Empty caches of Keras and of the hubs, and no ban on connections to this machine."""
    for name in ("AUTOFT_OFFLINE", "HF_HUB_OFFLINE", "HF_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, folder in (("HF_HUB_CACHE", "hub"), ("KERAS_HOME", "keras"), ("KAGGLEHUB_CACHE", "kaggle")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    return tmp_path


@pytest.fixture
def server(monkeypatch, places):
    """Answers until the test ends, in the place of all servers."""
    with stand_in() as there:
        monkeypatch.setenv("HF_ENDPOINT", there.address)
        monkeypatch.setattr(downloads, "KERAS", there.address)
        yield there


def published(server, body, checksum):
    """The card of a network of Keras whose weights the stand-in has."""
    card = catalogue.find(NAME)
    server.files["weights"] = {"file.h5": body}
    address = f"{server.address}/weights/resolve/main/file.h5"
    return msgspec.structs.replace(card, weights=address, extra={**card.extra, "checksum": checksum})


def test_a_network_of_keras_comes_from_its_address_once(server, places, tmp_path, monkeypatch):
    network = keras.applications.MobileNetV3Small(
        weights=None, include_top=False, input_shape=(64, 64, 3), include_preprocessing=False
    )
    with h5py.File(tmp_path / "made.h5", "w") as file:  # the layout of the published files
        legacy_h5_format.save_weights_to_hdf5_group(file, network)
    body = (tmp_path / "made.h5").read_bytes()
    source = KerasSource()
    card = published(server, body, hashlib.md5(body).hexdigest())
    assert source.reachable() == "" and not source.resolve(NAME).offline
    fetched = source.fetch(card)
    assert fetched.offline and Path(fetched.weights) == places / "keras" / "models" / card.extra["file"]

    monkeypatch.setenv("AUTOFT_OFFLINE", "1")
    asked = len(server.asked)
    again = source.resolve("keras/MobileNetV3Small")
    assert again.offline, "Keras' own cache has it now"
    assert source.fetch(again).weights == fetched.weights
    trunk = _trunks.pretrained(fetched, 32)
    assert all(np.array_equal(a, b) for a, b in zip(trunk.get_weights(), network.get_weights(), strict=True))
    assert len(server.asked) == asked, "a trial opens no connection"

    with h5py.File(fetched.weights, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    with pytest.raises(TrialFailed, match="do not fit keras/mobilenet_v3_small"):
        _trunks.pretrained(fetched, 32)
    Path(fetched.weights).unlink()
    with pytest.raises(TrialFailed, match="must be on this machine"):
        _trunks.pretrained(fetched, 32)


@pytest.mark.parametrize("kind", ["md5", "sha256"])
def test_the_checksum_is_checked(server, places, kind):
    good = hashlib.new(kind, b"weights").hexdigest()
    with pytest.raises(UsageError, match=f"{kind.upper()} {good}, but the download has"):
        KerasSource().fetch(published(server, b"other", good))
    folder = places / "keras" / "models"
    assert list(folder.iterdir()) == [], "nothing damaged or partial is left"
    fetched = KerasSource().fetch(published(server, b"weights", good))
    assert Path(fetched.weights).read_bytes() == b"weights"


def preset(folder):
    """A tiny backbone as KerasHub saves it, with the way it takes its images."""
    keras_hub = pytest.importorskip("keras_hub", reason="autoft-keras is here without its extra hub")
    backbone = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64, 16],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
    )
    converter = keras_hub.layers.ResNetImageConverter(image_size=(48, 48), scale=[1 / 63.75] * 3, offset=[-2.0] * 3)
    backbone.save_to_preset(folder)
    converter.save_to_preset(folder)
    return backbone, {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_preset_comes_from_the_hub(server, tmp_path, monkeypatch):
    backbone, server.files["keras/resnet_18_imagenet"] = preset(tmp_path / "made")
    source = KerasHubSource()
    found = source.resolve(PRESET)
    assert found is not None and not found.offline and source.reachable() == ""
    fetched = source.fetch(found)
    assert fetched.offline and (fetched.input_size, fetched.prior) == (48, 70.0)
    assert np.allclose(fetched.mean, 0.5) and np.allclose(fetched.std, 0.25)
    monkeypatch.setenv("AUTOFT_OFFLINE", "1")
    asked = len(server.asked)
    assert source.resolve(PRESET).offline
    trunk = _trunks.pretrained(fetched, 32)
    images = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    assert np.allclose(trunk(images), np.mean(backbone(images), (1, 2)), atol=1e-5)
    assert len(server.asked) == asked


def test_other_repositories_of_the_hub(server, tmp_path):
    _, server.files["acme/tiny"] = preset(tmp_path / "made")
    found = KerasHubSource().resolve("kerashub/acme/tiny")
    assert found is not None and not found.offline and found.weights == "hub:acme/tiny"
    assert KerasHubSource().fetch(found).params > 0
    with pytest.raises(UsageError, match="no repository 'acme/none'"):
        KerasHubSource().resolve("kerashub/acme/none")
    server.files["acme/text"] = {"config.json": b'{"class_name": "BertBackbone", "registered_name": "other>Bert"}'}
    with pytest.raises(UsageError, match="must describe a backbone of KerasHub, but that of kerashub/acme/text"):
        KerasHubSource().resolve("kerashub/acme/text")


def test_a_detector_comes_with_its_head(server):
    pytest.importorskip("keras_hub", reason="autoft-keras is here without its extra hub")
    server.files["acme/boxes"] = {
        "config.json": b'{"class_name": "RetinaNetBackbone", "registered_name": "keras_hub>RetinaNetBackbone"}',
        "task.json": b'{"class_name": "RetinaNetObjectDetector", "config": {"num_classes": 7, "other": 1}}',
        "model.weights.h5": b"backbone",
        "task.weights.h5": b"head",
    }
    found = KerasHubSource().resolve("kerashub/acme/boxes")
    assert found is not None and found.native == ("boxes",) and not found.offline
    fetched = KerasHubSource().fetch(found)
    assert fetched.extra["head"] == {"num_classes": 7}
    assert (Path(fetched.weights) / "task.weights.h5").read_bytes() == b"head"


def test_what_kagglehub_brought_is_found(places):
    card = catalogue.find(PRESET)
    folder = places / "kaggle" / "models" / card.extra["kaggle"].removeprefix("kaggle://")
    assert not card.offline
    preset(places / "made")
    shutil.copytree(places / "made", folder)
    assert caches.at_hand(card) == folder and catalogue.find(PRESET).offline
    assert KerasHubSource().fetch(card).weights == str(folder)


@pytest.mark.parametrize("name", ["AUTOFT_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_is_said_in_one_clear_message(server, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    for source in (KerasSource(), KerasHubSource()):
        assert source.reachable() == f"{name} is set"
        for card in source.catalogue()[:1]:
            assert not card.offline
            with pytest.raises(UsageError) as caught:
                source.fetch(card)
            assert f"cannot be downloaded: {name} is set." in caught.value.message and "--models" in caught.value.hint
    assert not server.asked
    assert AutoftSource().reachable() == "" and AutoftSource().catalogue()[0].offline


def test_a_server_that_is_down_is_named(places, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(downloads, "KERAS", "http://127.0.0.1:9")
    for source in (KerasSource(), KerasHubSource()):
        assert source.reachable().startswith("http://127.0.0.1:9 cannot be reached")
