"""The shipped list of networks: what it promises is what Keras does."""

from __future__ import annotations

import json
import subprocess
import sys

import keras
import msgspec
import numpy as np
import pytest

from autoft.api import UsageError
from autoft_keras import _describe, _trunks, catalogue
from autoft_keras.sources import AutoftSource, KerasHubSource, KerasSource

PROGRAM = """
import json, sys
from autoft_keras.sources import AutoftSource, KerasHubSource, KerasSource
count = [len(source().catalogue()) for source in (AutoftSource, KerasSource, KerasHubSource)]
heavy = {"huggingface_hub", "kagglehub", "keras", "keras_hub", "numpy", "tensorflow"} & set(sys.modules)
print(json.dumps([count, sorted(heavy)]))
"""
IMAGES = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.float32)


def of(name):
    card = catalogue.find(name)
    assert card is not None
    return card


def scratch(name):
    return msgspec.structs.replace(of(name), pretrained=False, weights="")


def normalised(name):
    """What the learner gives to the network: values in the card's units."""
    card = of(name)
    images = IMAGES[..., ::-1] if card.extra.get("channels") == "bgr" else IMAGES
    return ((images / 255 - np.array(card.mean)) / np.array(card.std)).astype(np.float32)


@pytest.mark.parametrize("card", catalogue.listed(), ids=lambda card: card.name)
def test_every_card_can_be_ranked(card):
    assert card.backend == "keras" and (card.params > 0 or card.fixed)
    if card.name.startswith("keras/"):
        assert 0 < card.macs < 100 and 65 <= card.prior <= 90
        assert card.weights.startswith("https:") and card.extra["file"].endswith(".h5")
        assert len(card.extra["checksum"]) in (0, 32, 64)


def test_every_classifier_of_keras_is_listed_once():
    names = [card.name for card in catalogue.listed()]
    assert len(names) == len(set(names))
    known = {card.extra["architecture"] for card in KerasSource().catalogue()}
    assert known == {name for name in dir(keras.applications) if name[0].isupper()}


@pytest.mark.parametrize("name", ["resnet50", "ResNet50", "RESNET_50"])
def test_names_in_any_spelling(name):
    card = KerasSource().resolve(f"keras/{name}")
    assert card is not None and card.name == "keras/resnet50"
    assert (card.input_size, card.params) == (224, 23_534_592)


def test_misspelt_names_meet_the_nearest(monkeypatch):
    monkeypatch.setattr("autoft_keras.sources.missing", lambda: "")  # names are known without the extra, too
    for name, near in (("resnet5", "resnet50"), ("MobilNetV2", "mobilenet_v2")):
        with pytest.raises(UsageError, match=f"Did you mean '{near}'"):
            _describe.application(name)
    with pytest.raises(UsageError, match="Did you mean 'autoft/resnet-s'"):
        AutoftSource().resolve("autoft/resnet")
    with pytest.raises(UsageError, match="Did you mean 'kerashub/resnet_18_imagenet'"):
        KerasHubSource().resolve("kerashub/resnet_18_imagnet")
    assert KerasSource().resolve("timm/resnet50") is None and KerasSource().resolve("keras/resnet50@x.h5") is None


def test_listing_imports_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    counts, heavy = json.loads(done.stdout)
    assert counts[:2] == [5, 40] and heavy == []


def test_kerashub_is_an_extra(monkeypatch):
    monkeypatch.setattr("autoft_keras.sources.missing", lambda: "it is not installed")
    assert KerasHubSource().catalogue() == ()
    with pytest.raises(UsageError, match="needs KerasHub: it is not installed") as caught:
        KerasHubSource().resolve("kerashub/resnet_18_imagenet")
    assert "autoft-keras[hub]" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("keras/resnet50", keras.applications.resnet),
        ("keras/vgg16", keras.applications.vgg16),
        ("keras/resnet50_v2", keras.applications.resnet_v2),
        ("keras/mobilenet_v2", keras.applications.mobilenet_v2),
        ("keras/nasnet_mobile", keras.applications.nasnet),
        ("keras/xception", keras.applications.xception),
        ("keras/densenet121", keras.applications.densenet),
    ],
)
def test_images_are_normalised_as_keras_does(name, module):
    assert np.allclose(normalised(name), module.preprocess_input(IMAGES.copy()), atol=2e-5)


@pytest.mark.parametrize("kind", ["MobileNetV3Small", pytest.param("EfficientNetV2B0", marks=pytest.mark.slow)])
def test_networks_that_normalise_themselves_are_told_not_to(kind):
    """The learner normalises for all networks alike; the outcome is that of Keras' own preprocessing."""
    card = scratch(f"keras/{kind}")
    trunk = _trunks.empty(card, 32)
    whole = getattr(keras.applications, kind)(weights=None, include_top=False, pooling="avg", input_shape=(32, 32, 3))
    whole.set_weights([*whole.get_weights()[: len(whole.weights) - len(trunk.weights)], *trunk.get_weights()])
    assert np.allclose(trunk(normalised(card.name)), whole(IMAGES), atol=1e-4)


def test_efficientnet_is_taken_behind_its_own_normalisation():
    card = scratch("keras/efficientnet_b0")
    keras.utils.set_random_seed(1)
    trunk = _trunks.empty(card, 32)
    assert not [
        layer for layer in trunk.layers if isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization))
    ]
    keras.utils.set_random_seed(1)
    whole = keras.applications.EfficientNetB0(weights=None, include_top=False, pooling="avg", input_shape=(32, 32, 3))
    # Without the arrays of the published file, its normalisation is a division by 255 and nothing else.
    assert np.allclose(trunk(IMAGES / 255), whole(IMAGES), atol=1e-5)
    assert trunk.output_shape == (None, 1280)


def test_addresses_and_checksums_are_those_of_keras():
    card = of("keras/mobilenet_v3_small")
    assert _describe.published("MobileNetV3Small") == (card.weights, card.extra["file"], card.extra["checksum"])
