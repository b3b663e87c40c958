"""Segmenters of KerasHub: DeepLabV3 and DeepLabV3+ (Chen et al., 2017 and 2018). Encoder and decoder are the trunk."""

from __future__ import annotations

from typing import Any

import keras

from autoft.api import Job, ModelCard, Output
from autoft_keras import _dense, _kerashub
from autoft_keras._kerashub import load

__all__ = ["build", "load", "own", "trunk"]

Tensor = Any

PYRAMID = "SpatialPyramidPooling"
FINE = "decoder_relu"
"""Layer that gives the encoder's fine maps, which DeepLabV3+ joins to the pyramid's."""
DECODER = ("segmentation_head_conv", "segmentation_head_norm", "segmentation_head_relu")
"""Layers up to the decoder's maps, before they are enlarged to the size of the image."""


def build(card: ModelCard, size: int) -> keras.Model:
    """
    Raises:
        ValueError: the sides of coarse and fine maps would not fit.
    """
    _kerashub.even(size)
    return _kerashub.build(card, size)


def trunk(network: keras.Model, card: ModelCard) -> keras.Model:
    """The network up to the decoder's maps. KerasHub's pyramid is taken apart: as one layer, Keras cannot load it from
    a saved model."""
    layers = {layer.name: layer for layer in network.layers}
    (pyramid,) = (layer for layer in network.layers if type(layer).__name__ == PYRAMID)
    maps = pyramid.input
    parts = [_copy(part, f"pyramid.{number}")(maps) for number, part in enumerate(pyramid.aspp_parallel_channels)]
    parts[-1] = keras.layers.UpSampling2D(maps.shape[1:3], name="pyramid.size")(parts[-1])  # one place, the mean
    joined = _copy(pyramid.projection, "pyramid.last")(keras.layers.Concatenate(name="pyramid.joined")(parts))
    joined = layers["encoder_output_upsampling"](joined)
    if FINE in layers:
        joined = layers["encoder_decoder_concat"]([joined, layers[FINE].output])
    for name in DECODER:
        joined = layers[name](joined)
    return keras.Model(network.input, joined, name=network.name)


def _copy(part: keras.Sequential, name: str) -> keras.Sequential:
    """The same under a name of its own: arrays are called after the layers in which they were made."""
    copy = keras.Sequential.from_config({**part.get_config(), "name": name})
    copy.build(part.input_shape)
    copy.set_weights(part.get_weights())
    return copy


class Maps:
    """See `_own.Own`."""

    def __init__(self, job: Job) -> None:
        self.recipe = job.recipe
        self.side = _dense.side_of(job.image_size)

    def body(self, trunk: keras.Model) -> keras.Model:
        return _kerashub.encoder(trunk)

    def heads(self, features: Tensor, output: Output) -> Tensor:
        """Maps (n, side, side, classes) at stride 4, whatever the decoder's own stride is."""
        raw = _dense.last(features, output, self.recipe, _dense.uniform())
        return _dense.sized(raw, self.side, f"heads.{output.name}.size")

    def shape(self, output: Output) -> tuple[int | None, ...]:
        return (None, self.side, self.side, output.size)


def own(job: Job) -> Maps:
    return Maps(job)
