"""Describes a network in a process of its own, so that the driver stays free of Keras and TensorFlow.

    python -m autoft_keras._describe keras/resnet50
    python -m autoft_keras._describe keras/resnet50@my.weights.h5
    python -m autoft_keras._describe ./model.keras

Prints one line of JSON: ``{"card": {...}}``, or ``{"error": "...", "hint": "..."}`` in words for the user.
"""

from __future__ import annotations

import json
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import keras
import msgspec
from keras.src.utils import file_utils  # through which Keras asks for every file it downloads

from autoft.api import AutoftError, ModelCard, TrialFailed, UsageError, did_you_mean
from autoft_keras import _applications, _trunks, catalogue
from autoft_keras.catalogue import plain

Facts = dict[str, Any]
#: Sides in pixels at which a network is tried, to find the smallest it takes.
SIZES = (32, 64, 96, 128, 160, 192, 224, 256)
#: Sides of the images of training, where they are not 224.
SIDES = {
    "InceptionV3": 299,
    "InceptionResNetV2": 299,
    "Xception": 299,
    "NASNetLarge": 331,
    **{f"EfficientNetB{n}": side for n, side in enumerate((224, 240, 260, 300, 380, 456, 528, 600))},
    **{f"EfficientNetV2B{n}": side for n, side in enumerate((224, 240, 260, 300))},
    "EfficientNetV2S": 384,
    "EfficientNetV2M": 480,
    "EfficientNetV2L": 480,
}
WORDS = ("ConvNeXt", "DenseNet", "EfficientNet", "MobileNet", "NASNet", "ResNet", "VGG")


def name_of(kind: str) -> str:
    """``EfficientNetV2B0`` is efficientnet_v2_b0, ``ResNet50V2`` is resnet50_v2."""
    for word in WORDS:
        kind = kind.replace(word, word.capitalize())
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower()


def kind_of(name: str) -> str:
    """The class of a network of keras.applications, in any spelling.

    Raises:
        UsageError: it has no such classifier.
    """
    names = {name_of(kind): kind for kind in _applications.classes()}
    found = {plain(known): kind for known, kind in names.items()}
    if plain(name) not in found:
        raise UsageError(f"keras.applications has no classifier '{name}'.{did_you_mean(name, [*names])}")
    return found[plain(name)]


def application(name: str) -> Facts:
    """The card of a classifier of keras.applications with its published weights, as plain values.

    Raises:
        UsageError: there is no such classifier.
    """
    kind = kind_of(name)
    family = _applications.family(kind)
    address, file, checksum = published(kind)
    extra = {"library": "keras", "architecture": kind, "file": file, "checksum": checksum}
    if family.normal is _applications.CAFFE:
        extra["channels"] = "bgr"
    large = kind in ("EfficientNetV2S", "EfficientNetV2M", "EfficientNetV2L")
    facts: Facts = {
        "name": f"keras/{name_of(kind)}",
        "backend": "keras",
        "modality": "image",
        "input_size": SIDES.get(kind, 224),
        **(_applications.HALF_128 if large else family.normal),
        "weights": address,
        "licence": family.licence,
        "source": "keras.applications",
        "summary": f"{kind}, 1000 classes",
        "extra": extra,
    }
    return measured(facts)


class _Asked(Exception):
    """Raised in the place of a download."""


def published(kind: str) -> tuple[str, str, str]:
    """Address, file name and checksum of a network's weights, as Keras would ask for them. Nothing is downloaded."""
    asked: list[tuple[str, str, str]] = []

    def note(fname: str, origin: str, *_: Any, file_hash: str | None = None, **__: Any) -> str:
        asked.append((origin, fname, file_hash or ""))
        raise _Asked

    real, file_utils.get_file = file_utils.get_file, note
    try:
        with warnings.catch_warnings(action="ignore"):  # that no size is named
            getattr(keras.applications, kind)(weights="imagenet", include_top=False, pooling="avg")
    except _Asked:
        pass
    finally:
        file_utils.get_file = real
    return asked[0]


def measured(facts: Facts) -> Facts:
    """With parameters counted, and the smallest size tried out."""
    plain_card = msgspec.convert({**facts, "pretrained": False, "weights": ""}, ModelCard)
    for size in SIZES:
        try:
            trunk = _trunks.empty(plain_card, size)
        except TrialFailed:
            continue
        return {**facts, "params": params(trunk), "min_size": size}
    raise UsageError(f"{facts['name']} takes images of none of the sizes {', '.join(map(str, SIZES))}.")


def params(trunk: keras.Model) -> int:
    """Numbers that training can change; statistics of normalisation are not among them."""
    return sum(int(variable.shape.num_elements()) for variable in trunk.trainable_variables)


def with_file(network: str, path: Path) -> Facts:
    """The card of a named network with the weights of a file, which are read and compared.

    Raises:
        UsageError: no such network. TrialFailed: the file's arrays do not fit it.
    """
    listed = catalogue.find(network)
    facts: Facts = msgspec.to_builtins(listed) if listed else application(network.partition("/")[2])
    facts |= {"name": f"{network}@{path}", "weights": str(path.resolve()), "offline": True, "licence": "", "prior": 0.0}
    facts |= {"summary": f"{network} with weights from {path.name}", "extra": {**facts["extra"], "foreign": True}}
    card = msgspec.convert(facts, ModelCard)
    _trunks.pretrained(card, card.min_size)
    return facts


def describe(name: str) -> ModelCard:
    network, at, path = name.partition("@")
    if at:
        return msgspec.convert(with_file(network, Path(path)), ModelCard)
    if Path(name).suffix == ".keras":
        from autoft_keras import _kerasfile

        return _kerasfile.describe(Path(name))
    return msgspec.convert(application(network.partition("/")[2]), ModelCard)


def main(name: str) -> None:
    try:
        sys.stdout.write("\n" + json.dumps({"card": msgspec.to_builtins(describe(name))}) + "\n")
    except AutoftError as error:
        sys.stdout.write("\n" + json.dumps({"error": error.message, "hint": error.hint}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
