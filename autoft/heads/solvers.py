"""The solvers by name, and what stays in memory between two calls."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from autoft.heads.decompose import Decomposition
from autoft.heads.encode import encode
from autoft.heads.logistic import Logistic
from autoft.heads.ridge import Ridge
from autoft.records import Output

Array = np.ndarray[Any, np.dtype[Any]]

KINDS: Final = ("ridge", "logistic")
MOST_BYTES: Final = 256 << 20
"""Of all decompositions that stay in memory."""
_parts: OrderedDict[str, Decomposition] = OrderedDict()
_solvers: OrderedDict[str, Ridge | Logistic] = OrderedDict()


class Head(NamedTuple):
    """A linear head for pooled features."""

    weights: Array
    """float32 (size, d)."""
    bias: Array
    """float32 (size,)."""

    def raw(self, features: Array) -> Array:
        """Raw outputs (n, size)."""
        values: Array = features @ self.weights.T + self.bias
        return values


def solve(kind: str, strength: float, features: Array, targets: Array, output: Output) -> Head:
    """The head of one strength. See `autoft.heads` for what it minimises.

    Args:
        kind: ridge or logistic.
        features: float32 (n, d), n > 0.
        targets: as `Task.encode` gives them for this output.
        output: its loss, size and class weights.

    Raises:
        ValueError: there is no such kind, or the output's head cannot be solved.
    """
    return Head(*_solver(kind, features, targets, output).solve(strength))


def path(kind: str, strengths: Sequence[float], features: Array, targets: Array, output: Output) -> list[Head]:
    """The heads of several strengths, in their order. Solved from the strongest on, each from the one before."""
    solver = _solver(kind, features, targets, output)
    found = {strength: Head(*solver.solve(strength)) for strength in sorted(strengths, reverse=True)}
    return [found[strength] for strength in strengths]


def leave_one_out(strengths: Sequence[float], features: Array, targets: Array, output: Output) -> list[Array]:
    """For each strength of ridge, raw outputs (n, size) of every row from the solution of the others."""
    solver = _solver("ridge", features, targets, output)
    assert isinstance(solver, Ridge)
    return [solver.leave_one_out(strength) for strength in strengths]


def cross_validated(
    kind: str, strength: float, features: Array, targets: Array, output: Output, folds: Sequence[Array]
) -> Array:
    """Raw outputs (n, size) of the rows of each fold from the logistic head of all others, or of each row from the
    ridge head of all others."""
    solver = _solver(kind, features, targets, output)
    return solver.left_out(strength, folds) if isinstance(solver, Logistic) else solver.leave_one_out(strength)


def forget() -> None:
    """Let go of everything that was kept."""
    _parts.clear()
    _solvers.clear()


def _solver(kind: str, features: Array, targets: Array, output: Output) -> Ridge | Logistic:
    if kind not in KINDS:
        raise ValueError(f"heads are solved by {' or '.join(KINDS)}, but got '{kind}'.")
    goal = encode(output, targets)
    rows = np.ascontiguousarray(features, np.float32)
    if len(rows) != len(goal.kept) or not len(goal.values):
        raise ValueError(
            f"features and targets must have the same rows, at least one, but have {rows.shape} and {targets.shape}."
        )
    if not goal.kept.all():
        rows = rows[goal.kept]
    if goal.loss == "mse":
        kind = "ridge"
    whole = _digest(rows, goal.weights)
    name = f"{kind}-{goal.loss}-{whole}-{_digest(goal.values)}"
    if name not in _solvers:
        if whole not in _parts:
            _parts[whole] = Decomposition(rows, goal.weights)
        _solvers[name] = (Ridge if kind == "ridge" else Logistic)(_parts[whole], goal)
        _trim()
    return _solvers[name]


def _trim() -> None:
    """Forget the oldest decompositions, and the solvers made of them, until they fit. The last one always stays."""
    while len(_parts) > 1 and sum(parts.nbytes() for parts in _parts.values()) > MOST_BYTES:
        whole, _ = _parts.popitem(last=False)
        for name in [name for name in _solvers if whole in name]:
            del _solvers[name]


def _digest(*arrays: Array) -> str:
    state = hashlib.blake2b(digest_size=16)
    for array in arrays:
        state.update(str(array.shape).encode())
        state.update(np.ascontiguousarray(array).data)
    return state.hexdigest()
