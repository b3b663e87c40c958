"""The network that is trained: a trunk cut into blocks, and one new head for each output of the problem."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from autoft.api import Job, Output, Recipe, TrialFailed, no_answers
from autoft_keras import _blocks, _dense, _heads, _levels, _losses, _own, _pyramid, _trunks

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = Any
HEAD = "head"
TRUNK = "trunk"
PLACED = ("dense", "boxes")
"""Heads whose outputs are places in the image."""
MIDWAY = "midway"
"""Layer of a trunk at which its input is augmented, where that cannot be done before it."""

COUNTED = "rare"
"""Layer of a trunk whose arrays are counted from the training part, never trained."""


class Net:
    """Normalised images (n, size, size, 3), or what a `Reader` makes of texts and recordings, to raw outputs by name:
    (n, size), (n, height, width, size) from dense heads, (n, frames, size) for sequences; of a network with its own
    head what that gives (`_own`). `model` is what is deployed.
    """

    def __init__(self, model: keras.Model, job: Job) -> None:
        self.model = model
        self.trunk: keras.Model = model.get_layer(TRUNK)
        self.outputs = tuple(output.name for output in job.problem.outputs)
        self.own = _own.of(job)
        self.blocks = _blocks.of(self.trunk, self.own.body(self.trunk) if self.own else None)
        self.frozen = round(job.recipe.freeze * len(self.blocks))
        self._arrays = {f"trunk.{k}": v for k, v in _blocks.named(self.trunk).items()}
        heads = [layer for layer in model.layers if layer.name.startswith(("neck.", "heads."))]
        self.placed = any(output.head in PLACED for output in job.problem.outputs)
        """Whether targets are places, which move with the image; a backend's `supports` says that all are, or none."""
        self.side = _dense.side_of(job.image_size)
        """Of dense maps."""
        self._features = None if self.placed else _heads.features(model, heads)
        self.pooled = None if self.placed else _heads.pooled(heads)
        """The symbolic features (n, width) that heads for whole samples stand on; None where others do."""
        self._arrays |= {f"{layer.name}.{v.name}": v for layer in heads for v in layer.weights}
        self.trained = self._freeze()
        """Names of the arrays that training changes, normalisation statistics left out."""
        self._dice = [layer.seed_generator for layer in model._flatten_layers() if hasattr(layer, "seed_generator")]
        self._entered: Callable[..., dict[str, Tensor]] = model

    @classmethod
    def of(cls, job: Job, *, weights: bool = True) -> Net:
        """The network of a job, with pretrained weights and new heads, or with arrays still to be filled in."""
        trunk = (_trunks.pretrained if weights else _trunks.empty)(job.card, job.image_size)
        own = _own.of(job)
        dense = not own and any(output.head == "dense" for output in job.problem.outputs)
        if dense:
            trunk = _levels.model(trunk)
        if job.recipe.pooling == "levels":
            if job.card.modality != "image" or dense or own:
                raise TrialFailed(f"pooling=levels needs pooled heads on images, but those of {job.card.name} are not.")
            trunk = _pyramid.model(trunk)
        trunk.name = TRUNK
        shape = (job.image_size, job.image_size, 3) if job.card.modality == "image" else trunk.input_shape[1:]
        inputs = keras.Input(shape, dtype=trunk.inputs[0].dtype, name=job.card.modality)
        features = trunk(inputs)
        if own:
            raw = {o.name: own.heads(features, o) for o in job.problem.outputs}
        elif dense:
            joined = _dense.neck(features, _dense.side_of(job.image_size))
            raw = {o.name: _dense.head(joined, o, job.recipe) for o in job.problem.outputs}
        else:
            raw = _heads.on(features, job.problem.outputs, job.recipe)
        return cls(keras.Model(inputs, raw, name="autoft"), job)

    def __call__(self, images: Tensor, *, training: bool) -> dict[str, Tensor]:
        return self._entered(images, training=training)

    def behind(self, rows: Tensor) -> dict[str, Tensor]:
        """Raw outputs in training, of what stands midway in the trunk (`MIDWAY`); of inputs where it has none."""
        if self._back is None:
            return self(rows, training=True)
        raw: dict[str, Tensor] = self.heads(self._back(rows, training=True), training=True)
        return raw

    @functools.cached_property
    def front(self) -> keras.Model:
        """Inputs to what stands midway in the trunk, for networks that have such a place."""
        return keras.Model(self.trunk.inputs[0], self.trunk.get_layer(MIDWAY).output, name="front")

    @functools.cached_property
    def _back(self) -> keras.Model | None:
        if MIDWAY not in [layer.name for layer in self.trunk.layers]:
            return None
        return keras.Model(self.trunk.get_layer(MIDWAY).output, self.trunk.outputs[0], name="back")

    def enter(self, rest: Callable[..., dict[str, Tensor]] | None) -> None:
        """From now on calls take what `rest` takes; None goes back to images."""
        self._entered = rest or self.model

    @functools.cached_property
    def heads(self) -> keras.Model:
        """Features (n, width) to raw outputs by name, with the layers of `model`."""
        return keras.Model(self._features, self.model.output, name="heads")

    def named(self) -> Mapping[str, Any]:
        """All arrays of trunk and heads by name."""
        return self._arrays

    def block_of(self) -> dict[str, int]:
        """Number of the block that each array belongs to; heads count as one block after the last."""
        numbers = {f"trunk.{m}": i for i, block in enumerate(self.blocks) for m in block.members}
        return {name: numbers.get(name, len(self.blocks)) for name in self._arrays}

    def block_names(self) -> tuple[str, ...]:
        return tuple(block.name for block in self.blocks)

    def seed(self, seed: int) -> None:
        """Let dropout and all else that draws within layers begin anew."""
        for number, dice in enumerate(self._dice):
            dice.state.assign([(seed + number) % 2**31, 0])

    def loss(self, output: Output, raw: Tensor, targets: Tensor, label_smoothing: float) -> Tensor:
        """The mean loss of a batch, a number: that of the vocabulary's word, or the network's own."""
        if output.loss == "native":
            return self.own.loss(raw, targets)
        return _losses.loss(output, raw, targets, label_smoothing)

    def finish(self, output: Output, raw: Tensor, size: Tensor) -> Tensor:
        """What is predicted, of raw outputs."""
        return self.own.found(raw) if output.head == "boxes" else _losses.finish(output, raw, size)

    def none(self, output: Output, side: int) -> Array:
        """What is predicted of nothing; `side` is that of indices."""
        return no_answers(output, maps=self.side, indices=side)

    def set_heads(self, values: Mapping[str, tuple[Array, Array]], recipe: Recipe) -> None:
        """Fill in linear heads, as `Cuttable.set_head` says."""
        for name, (weights, bias) in values.items():
            if name not in self.outputs:
                raise ValueError(f"an output must be one of {', '.join(self.outputs)}, but got '{name}'.")
            if recipe.head_width:
                raise ValueError(f"the head of '{name}' must be linear, but it has a hidden layer.")
            kernel, offset = (self.named()[f"heads.{name}.last.{part}"] for part in ("kernel", "bias"))
            if weights.T.shape != tuple(kernel.shape) or bias.shape != tuple(offset.shape):
                raise ValueError(
                    f"the head of '{name}' has weights {tuple(kernel.shape)[::-1]} and bias {tuple(offset.shape)}, "
                    f"but got {weights.shape} and {bias.shape}."
                )
            kernel.assign(weights.T.astype(np.float32))
            offset.assign(bias.astype(np.float32))

    def _freeze(self) -> tuple[str, ...]:
        """What lies behind the last block, such as a decoder, is never frozen."""
        self.trunk.trainable = True
        numbers = self.block_of()
        still = {id(v) for name, v in self._arrays.items() if numbers[name] < self.frozen}
        whole = self.frozen == len(self.blocks) and not self.own
        quiet = self.frozen > 0
        for layer in _blocks.leaves(self.trunk):
            if layer.weights:
                quiet = all(id(variable) in still for variable in layer.weights)
            if quiet or whole:  # a layer without arrays goes with the one before it
                layer.trainable = False
                _hold(layer)
            elif layer.name == COUNTED:
                layer.trainable = False
        kept = {id(variable) for variable in self.model.trainable_variables} - still
        return tuple(name for name, variable in self._arrays.items() if id(variable) in kept)


def _hold(layer: Any) -> None:
    """Keep a frozen layer in evaluation mode: its statistics, dropout and other draws are left alone."""
    call = layer.call
    if "training" in inspect.signature(call).parameters:
        layer.call = lambda *args, **options: call(*args, **{**options, "training": False})
