"""Finds the function that `Problem.encoder` names."""

from __future__ import annotations

import functools
import importlib

from autoft.contracts import Encoder
from autoft.errors import TrialFailed


@functools.cache
def encoder(target: str) -> Encoder:
    """The function `package.module:name`. For training alone: a model that predicts needs none.

    Raises:
        TrialFailed: there is no such function.
    """
    module, _, name = target.partition(":")
    try:
        found: Encoder = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise TrialFailed(
            f"the encoder must be a function of the task's package, but '{target}' is not: {error}."
        ) from error
    return found
