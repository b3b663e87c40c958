"""`TorchBackend`: what autoft sees of PyTorch. Importing this module imports no framework."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoft.api import Job, Learner, ModelCard, Output, Problem

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

LOSSES = ("cross_entropy", "binary_cross_entropy", "focal", "mse", "mae", "huber")
HEADS = ("pooled",)
POSTS = ("softmax", "sigmoid", "identity")
INPUTS = ("image",)


class TorchBackend:
    """Trains networks of timm, torchvision, Transformers and autoft with PyTorch."""

    name = "torch"
    distributions = ("torch", "torchvision", "timm")
    abilities = ("cut",)

    def supports(self, problem: Problem, card: ModelCard) -> str:
        if card.backend != self.name:
            return f"{card.name} is a network of the backend '{card.backend}'"
        for field in problem.inputs:
            if field not in INPUTS:
                return f"no input '{field}' (has {', '.join(INPUTS)})"
        for output in problem.outputs:
            for kind, word, known in (
                ("head", output.head, HEADS),
                ("loss", output.loss, LOSSES),
                ("post", output.post, POSTS),
            ):
                if word not in known:
                    return f"no {kind} '{word}' (has {', '.join(known)})"
            if output.head not in card.heads:
                return f"{card.name} has no {output.head} features"
        return ""

    def build(self, job: Job) -> Learner:
        from autoft_torch._learner import TorchLearner

        return TorchLearner.start(job)

    def load(self, job: Job, folder: Path) -> Learner:
        from autoft_torch._learner import TorchLearner

        return TorchLearner.restore(job, folder)

    def loss(self, output: Output, raw: Array, targets: Array, label_smoothing: float = 0.0) -> float:
        from autoft_torch._losses import evaluate

        return evaluate(output, raw, targets, label_smoothing)
