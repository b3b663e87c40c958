"""The network for recordings that has nothing to learn but its heads: they read statistics of cepstral coefficients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from autoft.api import Job, ModelCard, usual_cepstra
from autoft_keras._net import Net
from autoft_keras._rows import Reader

Array = np.ndarray[Any, np.dtype[Any]]
Tensor = Any


def build(card: ModelCard, size: int) -> keras.Model:
    """Numbers (n, width), as `autoft.data.cepstrum` gives them, to features of about one size."""
    middle, width = usual_cepstra()
    numbers = keras.Input((len(middle),), dtype="float32", name="cepstra")
    scaled = keras.layers.Normalization(name="usual")
    scaled.build((None, len(middle)))
    scaled.adapt_mean.assign(middle)
    scaled.adapt_variance.assign(width**2)
    scaled.finalize_state()
    return keras.Model(numbers, scaled(numbers), name="cepstra")


class NumberReader(Reader):
    """Passes the numbers on. Statistics are not augmented."""

    def values(self, arrays: dict[str, Array], *, cropped: bool) -> Array:
        return np.asarray(arrays["cepstra"], np.float32)

    def changed(self, values: Tensor, seed: Tensor) -> Tensor:
        return values


def reader(job: Job, net: Net, folder: Path | None) -> Reader:
    return NumberReader()
