"""Toy jobs, and networks that need no download."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autoft.api import Job, ModelCard, Output, Problem, Recipe
from autoft.testing.toys import ArrayFeed, feed
from autoft_keras.backend import prepare
from autoft_keras.sources import AutoftSource

prepare()  # before a test imports keras

PROBLEM = Problem(
    name="toy",
    inputs=("image",),
    outputs=(Output(name="class", head="pooled", size=4, loss="cross_entropy", post="softmax", target="label"),),
)


@pytest.fixture(scope="module")
def hub_encoder() -> Any:
    """A small network of KerasHub with random weights."""
    import keras
    import keras_hub

    keras.utils.set_random_seed(0)
    return keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 16, 16, 16],
        stackwise_num_blocks=[1, 1, 1, 1],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block",
    )


@pytest.fixture
def toys() -> ArrayFeed:
    """32 images of 32 px in 4 classes."""
    return feed(PROBLEM)


@pytest.fixture(scope="session")
def bundled() -> ModelCard:
    """The network that autoft brings, with its weights."""
    return AutoftSource().catalogue()[0]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> ModelCard:
    """A network in a `.keras` file that has what the bundled one lacks.

    Layers without names, dropout between blocks, normalisation without a scale, depthwise convolutions, attention,
    and normalisation over channels.
    """
    import keras
    from keras import layers

    from autoft_keras import _kerasfile

    keras.utils.set_random_seed(0)
    images = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, 2, "same", use_bias=False)(images)
    x = layers.Activation("relu")(layers.BatchNormalization(scale=False)(x))
    x = layers.SeparableConv2D(16, 3, 2, "same")(layers.Dropout(0.2)(x))
    x = layers.Activation("relu")(layers.BatchNormalization(momentum=0.999)(x))
    x = layers.Conv2D(16, 3, 2, "same")(layers.Dropout(0.2)(x))
    rows = layers.LayerNormalization()(layers.Reshape((16, 16))(x))
    rows = layers.Add()([rows, layers.MultiHeadAttention(2, 8, dropout=0.1)(rows, rows)])
    x = layers.GlobalAveragePooling2D()(layers.Reshape((4, 4, 16))(rows))
    path = tmp_path_factory.mktemp("tiny") / "tiny.keras"
    keras.Model(images, layers.Dense(5)(x), name="tiny").save(path)
    return _kerasfile.describe(path)


@pytest.fixture
def job() -> Callable[..., Job]:
    """A job for the toys; further names go into the recipe."""

    def make(card: ModelCard, size: int = 32, seed: int = 0, **recipe: object) -> Job:
        plain = {"augment": "none", "batch_size": 8, "epochs": 4}
        return Job(card=card, problem=PROBLEM, recipe=Recipe.of({**plain, **recipe}), image_size=size, seed=seed)

    return make


@pytest.fixture
def weights() -> Path:
    """The file of the bundled network."""
    import autoft_keras

    return Path(autoft_keras.__file__).parent / "weights" / "resnet_s.safetensors"
