"""Targets as heads are solved for them, and the losses that a solution is measured by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from autoft.records import Output, Problem

Array = np.ndarray[Any, np.dtype[Any]]

NEAREST = {
    "cross_entropy": "cross_entropy",
    "binary_cross_entropy": "binary_cross_entropy",
    "focal": "binary_cross_entropy",
    "mse": "mse",
    "mae": "mse",
    "huber": "mse",
}
"""Loss -> the one that is solved in its place."""


class Targets(NamedTuple):
    """What the rows of features should give."""

    kept: Array
    """bool (rows asked for,): False for padding."""
    values: Array
    """float64 (n, size)."""
    weights: Array
    """float64 (n,), of mean 1."""
    loss: str


def refusal(output: Output) -> str:
    """Why a head of this output cannot be solved, or empty."""
    if output.head != "pooled":
        return f"only pooled heads can be solved, but '{output.name}' is {output.head}"
    if output.loss not in NEAREST:
        return f"heads can be solved for {', '.join(NEAREST)}, but '{output.name}' has {output.loss}"
    return ""


def solvable(problem: Problem) -> bool:
    """Whether all heads of a problem can be solved."""
    return not any(refusal(output) for output in problem.outputs)


def distinct(problems: Mapping[str, Problem]) -> tuple[str, ...]:
    """Names of the problems whose solutions differ, the first of each: some losses are solved in another's place."""
    found: dict[object, str] = {}
    for name, problem in problems.items():
        if solvable(problem):
            outputs = ((o.name, o.target, o.size, o.post, NEAREST[o.loss], o.weight) for o in problem.outputs)
            found.setdefault((problem.encoder, tuple(outputs)), name)
    return tuple(found.values())


def encode(output: Output, targets: Array) -> Targets:
    """Encoded targets of a task, as `Task.encode` gives them.

    Raises:
        ValueError: heads cannot be solved for this output.
    """
    if reason := refusal(output):
        raise ValueError(f"{reason}.")
    word = NEAREST[output.loss]
    if targets.ndim == 1 and word == "cross_entropy":
        kept = targets >= 0
        values = np.eye(output.size)[targets[kept]]
    else:
        kept = np.ones(len(targets), bool)
        values = targets.reshape(len(targets), output.size).astype(np.float64)
    weights = np.ones(len(values))
    if word == "cross_entropy" and output.class_weights:
        weights = values @ np.asarray(output.class_weights, np.float64)
        weights = weights / weights.mean()
    return Targets(kept, values, weights, word)


def loss(output: Output, raw: Array, targets: Array) -> float:
    """The mean loss of raw outputs (n, size), as a head is solved for it."""
    kept, values, weights, word = encode(output, targets)
    return measure(word, np.asarray(raw, np.float64)[kept], values, weights)


def measure(word: str, raw: Array, values: Array, weights: Array) -> float:
    """The same of encoded targets."""
    if word == "cross_entropy":
        terms = -(values * log_softmax(raw)).sum(1)
    elif word == "binary_cross_entropy":
        terms = (np.logaddexp(0, raw) - raw * values).mean(1)
    else:
        terms = ((raw - values) ** 2).mean(1)
    return float(np.average(terms, weights=weights)) if len(terms) else float("nan")


def log_softmax(raw: Array) -> Array:
    shifted = raw - raw.max(-1, keepdims=True)
    logs: Array = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return logs


def sigmoid(raw: Array) -> Array:
    bent: Array = (1 + np.tanh(raw / 2)) / 2  # tanh does not overflow where exp would
    return bent


def finish(post: str, raw: Array) -> Array:
    """`Output.post` of raw outputs (n, size)."""
    if post == "softmax":
        chances: Array = np.exp(log_softmax(raw))
        return chances
    return sigmoid(raw) if post == "sigmoid" else raw
