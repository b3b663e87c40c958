"""`KerasBackend`: what autoft sees of Keras. Importing this module imports no framework."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoft.api import Job, Learner, ModelCard, Output, Problem, TrialFailed, missing_word

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

LOSSES = (
    *("cross_entropy", "binary_cross_entropy", "focal", "heatmap", "dice", "ce_dice", "mse", "mae", "huber"),
    *("ctc", "native"),
)
HEADS = ("pooled", "dense", "boxes", "sequence")
POSTS = ("softmax", "sigmoid", "identity", "argmax")
MODALITIES = ("image", "audio", "text", "cepstra")


class KerasBackend:
    """Trains networks of keras.applications, KerasHub and autoft with Keras on TensorFlow."""

    name = "keras"
    distributions = ("keras", "tensorflow", "keras-hub")
    abilities = ("cut", "features", "inherit", "levels")

    def supports(self, problem: Problem, card: ModelCard) -> str:
        if card.backend != self.name:
            return f"{card.name} is a network of the backend '{card.backend}'"
        return missing_word(problem, card, modalities=MODALITIES, heads=HEADS, losses=LOSSES, posts=POSTS)

    def build(self, job: Job) -> Learner:
        prepare()
        from autoft_keras._learner import KerasLearner

        return KerasLearner.start(job)

    def load(self, job: Job, folder: Path) -> Learner:
        prepare()
        from autoft_keras._learner import KerasLearner

        return KerasLearner.restore(job, folder)

    def loss(self, output: Output, raw: Array, targets: Array, label_smoothing: float = 0.0) -> float:
        prepare()
        from autoft_keras._losses import evaluate

        return evaluate(output, raw, targets, label_smoothing)


def prepare() -> None:
    """Import Keras on TensorFlow in this process, without the notes that TensorFlow prints.

    Raises:
        TrialFailed: something in this process has imported Keras on another framework.
    """
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # errors come as exceptions, too
        with _quiet():
            importlib.import_module("keras")
    found = sys.modules["keras"].config.backend()
    if found != "tensorflow":
        raise TrialFailed(
            f"Keras must run on TensorFlow, but this process has imported it on '{found}'.",
            "Unset KERAS_BACKEND, and import no Keras before autoft does.",
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what is printed to standard error; show it after all if there is an error.

    TensorFlow's first lines come before its own log level holds.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
