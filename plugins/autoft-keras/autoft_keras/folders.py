"""Reads what a file or folder says about its network. Files only: imports no framework."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from autoft.api import ModelCard, UsageError, json_object
from autoft_keras import caches

#: Name under which the learner puts its card into a `.keras` file, or beside weights alone.
CARD = "autoft_card.json"
CONFIG = "config.json"
#: More than this is no description of a network.
MOST_CONFIG = 64 << 20
#: Modules of Keras whose classes a file may name. What they make computes; it runs no code of the file and opens no
#: file or connection.
MODULES = (
    *("keras", "keras.layers", "keras.initializers", "keras.regularizers", "keras.constraints", "keras.activations"),
    *("keras.dtype_policies", "keras.src.models.functional", "keras.src.models.sequential"),
    "keras.src.applications.convnext",
)
OPERATIONS = "keras.src.ops."
#: Functions of Keras that it writes down as if they were Python's own.
FUNCTIONS = (
    *("elu", "exponential", "gelu", "hard_sigmoid", "hard_silu", "hard_swish", "leaky_relu", "linear", "mish", "relu"),
    *("relu6", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "swish", "tanh"),
)
#: Layers of Keras that run other programs.
REFUSED = ("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer")
#: Words of Keras for plain values, not for classes.
PLAIN = ("__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__tuple__")
#: Backbones of KerasHub that take images of any size. Others have position embeddings, or windows, for one.
ANY_SIZE = ("ResNet", "DenseNet", "EfficientNet", "MobileNet", "VGG", "Xception", "CSPNet", "HGNetV2", "MiT")
#: Those whose graph shows maps at several strides, which boxes and masks stand on.
MAPS = ("ResNet", "DenseNet", "EfficientNet", "MobileNet", "VGG", "Xception", "CSPNet", "HGNetV2", "MiT")
#: Those with a head of their own: the library that makes them, the head, and the least side that it takes.
OWN = {"DeepLabV3": ("kerashub-maps", "dense", 64), "RetinaNet": ("kerashub-boxes", "boxes", 64)}
#: What is told of a detector's head, beside its backbone.
HEAD = ("num_classes", "use_prediction_head_norm", "pre_logits_num_conv_layers", "anchor_generator")
#: Backbones that give no features of an image alone: those of other detectors, segmenters and generators.
OTHERS = (
    *("DFine", "SegFormer", "SAM", "SAM3PromptableConcept", "BASNet", "DepthAnything"),
    *("CLIP", "MetaCLIP2", "SigLIP", "BLIP2", "PARSeq", "VAE", "RQVAE", "Flux", "StableDiffusion3", "VideoPrism"),
)
#: Encoders of texts among KerasHub's backbones.
ENCODERS = ("Bert", "Roberta", "XLMRoberta", "DistilBert")
#: Width from which on such a network is large.
LARGE = 1024
#: Rates of Adam: of large ones, and of BERT and the like (Devlin et al., 2019).
SLOW, USUAL = 2e-5, 5e-5


def _member(path: Path, name: str) -> dict[str, Any]:
    """A JSON object inside a `.keras` file; empty where there is none of this name."""
    try:
        with zipfile.ZipFile(path) as archive:
            if name not in archive.namelist():
                return {}
            if archive.getinfo(name).file_size > MOST_CONFIG:
                raise ValueError(f"its {name} is larger than {MOST_CONFIG >> 20} MB")
            values = json.loads(archive.read(name))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path} must be a file that Keras 3 saved as .keras, but is not: {error}") from error
    return values if isinstance(values, dict) else {}


def own_card(path: Path) -> ModelCard | None:
    """The card in a `.keras` file that an autoft learner of this backend saved."""
    values = _member(path, CARD)
    return msgspec.convert(values, ModelCard) if values else None


def kept_card(path: Path) -> ModelCard:
    """The card beside weights that an autoft learner of this backend saved.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return msgspec.convert(json_object(path), ModelCard)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path} must hold the card of a network, but does not: {error}") from error


def keras_config(path: Path) -> dict[str, Any]:
    """The network in a `.keras` file, made of nothing but Keras' own layers.

    Raises:
        UsageError: it is no such file, or names code that is not Keras' own.
    """
    config = _member(path, CONFIG)
    if not config:
        raise UsageError(f"{path} must be a file that Keras 3 saved as .keras, but has no {CONFIG}.")
    config = {key: config[key] for key in ("module", "class_name", "config", "registered_name") if key in config}
    refuse_code(config, path)
    return config


def refuse_code(config: dict[str, Any], path: Path, *, keras_hub: bool = False) -> None:
    """
    Raises:
        UsageError: the configuration names a class that is not Keras' own (or KerasHub's, where that is allowed), or a
            layer that runs other code.
    """
    for module, name in _named(config):
        if name in REFUSED:
            raise UsageError(
                f"a network must not bring its own code, but that in {path} has a layer {name}.",
                "Save it without that layer, or its weights alone: --models keras/NAME@FILE.weights.h5",
            )
        known = module in MODULES or module.startswith(OPERATIONS) or (module == "builtins" and name in FUNCTIONS)
        if not known and not (keras_hub and module.partition(".")[0] == "keras_hub"):
            raise UsageError(
                f"a network must be made of Keras' own layers, but that in {path} names {module}.{name}.",
                "Save the weights alone and name the architecture: --models keras/NAME@FILE.weights.h5",
            )


def _named(value: Any) -> Iterator[tuple[str, str]]:
    """Module and name of all classes and functions in a configuration."""
    if isinstance(value, dict):
        name = value.get("class_name")
        module = str(value.get("module") or "")
        package = str(value.get("registered_name") or "").rpartition(">")[0]
        if isinstance(name, str) and name not in PLAIN:
            yield module or package, str(value.get("config")) if name == "function" else name
            if package and package != module.partition(".")[0]:  # by which Keras would find it first
                yield package, name
        for part in value.values():
            yield from _named(part)
    elif isinstance(value, list):
        for part in value:
            yield from _named(part)


def card_of_preset(name: str, folder: Path) -> ModelCard:
    """The card that a folder with a KerasHub preset describes; its weights are not named yet.

    Raises:
        UsageError: it is none, or names code that is not KerasHub's own.
    """
    path = folder / CONFIG
    config = json_object(path)
    kind = str(config.get("class_name", ""))
    package = str(config.get("registered_name", "")).partition(">")[0]
    if package != "keras_hub" or not kind.endswith("Backbone"):
        raise UsageError(
            f"the config.json of a preset must describe a backbone of KerasHub, but that of {name} describes "
            f"{kind or 'nothing that Keras knows'}.",
            "Name the architecture yourself: --models keras/NAME@FILE",
        )
    refuse_code(config, path, keras_hub=True)
    about = json_object(folder / "metadata.json") if (folder / "metadata.json").is_file() else {}
    params = int(about.get("parameter_count") or 0)
    if {"vocabulary_size", "vocab_size"} & config.get("config", {}).keys():
        return _card_of_encoder(name, kind.removesuffix("Backbone"), config, params, folder)
    family = kind.removesuffix("Backbone")
    if family in OTHERS:
        raise UsageError(
            f"a network of KerasHub for images must be an image encoder, or one of {', '.join(OWN)} with its own head, "
            f"but {name} is a {family}.",
            "PyTorch takes more networks with heads of their own: autoft-torch. See docs/backends.md.",
        )
    library, head, least = OWN.get(family, ("kerashub", "pooled", 32))
    shape = config.get("config", {}).get("image_shape") or [None, None, 3]
    any_size = family in ANY_SIZE or shape[0] is None or family in OWN
    converter = _converter(folder)
    size = int((converter.get("image_size") or [shape[0] or 224])[0])
    mean, std = _normal(converter)
    return ModelCard(
        name=name,
        backend="keras",
        modality="image",
        heads=(head, "dense") if family in MAPS else (head,),
        native=(head,) if family in OWN else (),
        params=params,
        input_size=size,
        fixed_size=not any_size,
        min_size=min(least, size) if any_size else size,
        mean=mean,
        std=std,
        summary=f"{kind} of KerasHub",
        extra={"library": library, "config": config, **({"head": _head(folder)} if head == "boxes" else {})},
    )


def _head(folder: Path) -> dict[str, Any]:
    """What a preset says of its head; nothing where it is a backbone alone."""
    path = folder / caches.TASK
    told = json_object(path).get("config", {}) if path.is_file() else {}
    found = {key: told[key] for key in HEAD if key in told}
    refuse_code(found, path, keras_hub=True)
    return found


def _card_of_encoder(name: str, kind: str, config: dict[str, Any], params: int, folder: Path) -> ModelCard:
    if kind == "DebertaV3":
        raise UsageError(
            f"a model must be loaded again as it was saved, but KerasHub cannot do that with DeBERTa v3: {name}.",
            "Take it from Transformers, on PyTorch: autoft-torch.",
        )
    if kind not in ENCODERS:
        raise UsageError(
            f"a text network of KerasHub must be one of {', '.join(ENCODERS)}, but {name} is a {kind}.",
            "PyTorch takes more of them, from Transformers: autoft-torch.",
        )
    if not (folder / caches.TOKENIZER).is_file():
        raise UsageError(
            f"a text network needs its tokenizer, but {name} has no {caches.TOKENIZER}.",
            "Save it beside the weights: tokenizer.save_to_preset(FOLDER)",
        )
    large = int(config["config"].get("hidden_dim") or 0) >= LARGE
    return ModelCard(
        name=name,
        backend="keras",
        modality="text",
        params=params,
        lr=SLOW if large else USUAL,
        summary=f"{kind} of KerasHub",
        folder=str(folder.resolve()),
        files=caches.TOKENIZER_FILES,
        extra={"library": "kerashub-text", "config": config},
    )


def _converter(folder: Path) -> dict[str, Any]:
    """How a preset takes its images."""
    for name in caches.CONVERTERS:
        if (folder / name).is_file():
            values = json_object(folder / name).get("config", {})
            found: dict[str, Any] = (values.get("image_converter") or {}).get("config", values)
            if "scale" in found or "image_size" in found:
                return found
    return {}


def _normal(converter: dict[str, Any]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """``pixel * scale + offset`` as a mean and a deviation in units of 0..1. Without a scale, pixels stay 0..255."""
    scale, offset = _three(converter.get("scale"), 1.0), _three(converter.get("offset"), 0.0)
    std = tuple(1 / (255 * value) for value in scale)
    return tuple(-shift * deviation for shift, deviation in zip(offset, std, strict=True)), std


def _three(value: Any, default: float) -> list[float]:
    values = value if isinstance(value, list) else [default if value is None else value] * 3
    return [float(v) for v in values]
