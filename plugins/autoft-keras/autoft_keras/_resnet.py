"""The compact residual networks that autoft itself brings, in Keras: the same arithmetic as in PyTorch.

Plain parts only (3x3 and 1x1 convolutions, batch normalisation, ReLU, addition). Layers bear the names that the
parts have in the weights file, so that weights carry over array by array.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from autoft.api import TrialFailed

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = Any

#: As in PyTorch; Keras' own default is 1e-3.
EPSILON = 1e-5
#: Counters that no computation depends on.
IGNORED = ("num_batches_tracked",)
#: How the file calls the arrays of a normalisation.
NORM = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


@dataclass(frozen=True)
class Plan:
    """Channels of the stem, then channels and blocks of each stage. Strides are 4, 8, 16 and 32."""

    stem: int
    stages: tuple[tuple[int, int], ...]


PLANS = {"resnet-s": Plan(stem=24, stages=((32, 2), (64, 2), (128, 2), (160, 1)))}


def convolution(x: Tensor, outputs: int, size: int, stride: int, name: str) -> Tensor:
    """Padded by size // 2 on all sides. For stride 2 that is another place than TensorFlow's "same"."""
    if stride != 1 and size > 1:
        x = keras.layers.ZeroPadding2D(size // 2, name=f"{name}.pad")(x)
    start = keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")  # He initialisation
    padding = "same" if stride == 1 else "valid"
    layer = keras.layers.Conv2D(outputs, size, stride, padding, use_bias=False, kernel_initializer=start, name=name)
    return layer(x)


def norm(x: Tensor, name: str, *, scale: str = "ones") -> Tensor:
    layer = keras.layers.BatchNormalization(epsilon=EPSILON, momentum=0.9, gamma_initializer=scale, name=name)
    return layer(x)


def relu(x: Tensor, name: str) -> Tensor:
    return keras.layers.Activation("relu", name=name)(x)


def residual(x: Tensor, outputs: int, stride: int, name: str) -> Tensor:
    """Two 3x3 convolutions beside a shortcut (He et al., 2015, basic block).

    The last normalisation starts at 0, so that blocks start as identities.
    """
    y = relu(norm(convolution(x, outputs, 3, stride, f"{name}.conv1"), f"{name}.norm1"), f"{name}.relu1")
    y = norm(convolution(y, outputs, 3, 1, f"{name}.conv2"), f"{name}.norm2", scale="zeros")
    if stride != 1 or x.shape[-1] != outputs:
        x = norm(convolution(x, outputs, 1, stride, f"{name}.shortcut.0"), f"{name}.shortcut.1")
    return relu(keras.layers.Add(name=f"{name}.add")([y, x]), f"{name}.relu2")


def stem(x: Tensor, middle: int, outputs: int) -> Tensor:
    """Two 3x3 convolutions of stride 2: to a quarter of the side."""
    x = relu(norm(convolution(x, middle, 3, 2, "stem.conv1"), "stem.norm1"), "stem.relu1")
    return relu(norm(convolution(x, outputs, 3, 2, "stem.conv2"), "stem.norm2"), "stem.relu2")


def build(architecture: str, size: int) -> keras.Model:
    """Normalised images (n, size, size, 3) to pooled features (n, channels of the last stage), random weights."""
    plan = PLANS[architecture]
    images = keras.Input((size, size, 3), name="image")
    x = stem(images, plan.stem, plan.stages[0][0])
    for number, (width, depth) in enumerate(plan.stages):
        for place in range(depth):
            x = residual(x, width, 2 if number and not place else 1, f"stages.{number}.{place}")
    return keras.Model(images, keras.layers.GlobalAveragePooling2D(name="pool")(x), name=architecture)


def variables(model: keras.Model) -> dict[str, Any]:
    """The variables by the names that their arrays have in the weights file."""
    found = {}
    for layer in model.layers:
        for variable in layer.weights:
            found[f"{layer.name}.{NORM.get(variable.name, 'weight')}"] = variable
    return found


def fill(model: keras.Model, arrays: Mapping[str, Array], where: str) -> None:
    """Copy the arrays of the weights file into the network; convolutions are (out, in, height, width) in the file.

    Raises:
        TrialFailed: arrays are missing, unknown or of another shape.
    """
    wanted = variables(model)
    given = {name: array for name, array in arrays.items() if not name.endswith(IGNORED)}
    if odd := sorted(wanted.keys() ^ given.keys()):
        raise TrialFailed(
            f"the weights at {where} do not fit {model.name}: {len(odd)} arrays are missing or unknown "
            f"({', '.join(odd[:3])}{', ...' if len(odd) > 3 else ''})."
        )
    for name, variable in wanted.items():
        array = given[name]
        if array.ndim == 4:
            array = array.transpose(2, 3, 1, 0)
        if array.shape != tuple(variable.shape):
            raise TrialFailed(
                f"the weights at {where} do not fit {model.name}: {name} must have the shape "
                f"{tuple(variable.shape)}, but has {array.shape}."
            )
        variable.assign(array.astype(np.float32))
