"""Trunks of keras.applications' classifiers: `include_top=False, pooling="avg"`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import keras

from autoft.api import ModelCard, TrialFailed

IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
HALF = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
#: Pixels in 0..255 less the mean of ImageNet, blue first: as Caffe trained.
CAFFE = {"mean": [v / 255 for v in (103.939, 116.779, 123.68)], "std": [1 / 255] * 3}
#: Scaled by 1/128 instead of 1/127.5.
HALF_128 = {"mean": [128 / 255] * 3, "std": [128 / 255] * 3}


class Family(NamedTuple):
    """What the networks of one module of keras.applications share."""

    normal: dict[str, list[float]]
    licence: str
    rescales: bool = False
    """Normalises its own input, unless told not to; here the learner does it for all networks alike."""


#: Licences as the documentation of Keras states them for the published weights.
FAMILIES = {
    "convnext": Family(IMAGENET, "mit", rescales=True),
    "densenet": Family(IMAGENET, "bsd-3-clause"),
    "efficientnet": Family(IMAGENET, "apache-2.0"),  # normalises too, but cannot be told not to: see `trunk`
    "efficientnet_v2": Family(IMAGENET, "apache-2.0", rescales=True),
    "inception_resnet_v2": Family(HALF, "apache-2.0"),
    "inception_v3": Family(HALF, "apache-2.0"),
    "mobilenet": Family(HALF, "apache-2.0"),
    "mobilenet_v2": Family(HALF, "apache-2.0"),
    "mobilenet_v3": Family(HALF, "apache-2.0", rescales=True),
    "nasnet": Family(HALF, "apache-2.0"),
    "resnet": Family(CAFFE, "mit"),
    "resnet_v2": Family(HALF, "mit"),
    "vgg16": Family(CAFFE, "cc-by-4.0"),
    "vgg19": Family(CAFFE, "cc-by-4.0"),
    "xception": Family(HALF, "mit"),
}
#: The first layer of EfficientNet behind its own normalisation.
STEM = "stem_conv_pad"


def classes() -> dict[str, str]:
    """Class -> module of every classifier that the installed Keras has and whose family is known here."""
    names = [name for name in dir(keras.applications) if name[0].isupper()]
    modules = {name: getattr(keras.applications, name).__module__.rpartition(".")[2] for name in names}
    return {name: module for name, module in modules.items() if module in FAMILIES}


def family(kind: str) -> Family:
    return FAMILIES[classes()[kind]]


def build(card: ModelCard, size: int) -> keras.Model:
    kind = str(card.extra["architecture"])
    arguments: dict[str, Any] = {"include_preprocessing": False} if family(kind).rescales else {}
    make = getattr(keras.applications, kind)
    return make(weights=None, include_top=False, pooling="avg", input_shape=(size, size, 3), **arguments)


def load(network: keras.Model, card: ModelCard, path: Path) -> None:
    """Fill in the published weights.

    Raises:
        TrialFailed: the file cannot be read, or does not fit.
    """
    try:
        network.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise TrialFailed(f"the weights at {path} do not fit {card.name}: {reason}") from error


def trunk(network: keras.Model, card: ModelCard) -> keras.Model:
    """The network behind its own normalisation, which EfficientNet always has.

    Its layers divide by the square root of the deviation twice, once with an array of the weights file: together
    that is the usual normalisation of ImageNet, which stands on the card.
    """
    if classes()[str(card.extra["architecture"])] != "efficientnet":
        return network
    return keras.Model(network.get_layer(STEM).input, network.output, name=network.name)
