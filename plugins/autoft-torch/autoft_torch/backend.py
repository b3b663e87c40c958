"""`TorchBackend`: what autoft sees of PyTorch. Importing this module imports no framework."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoft.api import Job, Learner, ModelCard, Output, Problem, missing_word

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
TRUNKS = {
    "autoft": "autoft_torch._resnet_trunk",
    "cepstra": "autoft_torch._cepstra",
    "hashing": "autoft_torch._hashing",
    "ctc": "autoft_torch._ctc",
    "ctc-conv": "autoft_torch._ctcconv",
    "timm": "autoft_torch._timm",
    "torchvision": "autoft_torch._torchvision",
    "transformers": "autoft_torch._transformers",
    "transformers-text": "autoft_torch._transformers_text",
    "transformers-audio": "autoft_torch._transformers_audio",
}
"""Library of a network -> module that makes its trunk."""
NATIVES = {
    "torchvision": "autoft_torch._native_torchvision",
    "transformers": "autoft_torch._native_transformers",
}
"""Library of a network with its own head -> module that makes it."""


class TorchBackend:
    """Trains networks of timm, torchvision, Transformers and autoft with PyTorch."""

    name = "torch"
    distributions = ("torch", "torchvision", "timm", "transformers")
    abilities = ("cut", "features", "inherit", "levels")

    def supports(self, problem: Problem, card: ModelCard) -> str:
        if card.backend != self.name:
            return f"{card.name} is a network of the backend '{card.backend}'"
        return missing_word(problem, card, modalities=MODALITIES, heads=HEADS, losses=LOSSES, posts=POSTS)

    def modules(self, card: ModelCard) -> tuple[str, ...]:
        library = str(card.extra.get("library", ""))
        trunk = [table[library] for table in (TRUNKS, NATIVES if card.native else {}) if library in table]
        if library in ("transformers-text", "transformers-audio"):
            kind = str(card.extra["config"]["model_type"]).replace("-", "_")
            trunk.append(f"transformers.models.{kind}.modeling_{kind}")  # imported when it is named, for seconds
        return ("torch", *trunk, "autoft_torch._learner")

    def build(self, job: Job) -> Learner:
        from autoft_torch._learner import TorchLearner

        return TorchLearner.start(job)

    def load(self, job: Job, folder: Path) -> Learner:
        from autoft_torch._learner import TorchLearner

        return TorchLearner.restore(job, folder)

    def loss(self, output: Output, raw: Array, targets: Array, label_smoothing: float = 0.0) -> float:
        from autoft_torch._losses import evaluate

        return evaluate(output, raw, targets, label_smoothing)
