"""L-BFGS (Liu and Nocedal, 1989): minimises a smooth convex function of many numbers from its gradients.

Own code, because `scipy.optimize` takes longer to import than most heads take to solve.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Function = Callable[[Array], tuple[float, Array]]
Pair = tuple[Array, Array, float]
"""A step, the change of the gradient that it made, and the product of both."""

MEMORY = 12
LARGE = 100_000
"""Numbers from which on the memory is kept in single precision: reading it is most of the work then, and it only says
where to go, not where the end is."""
SUFFICIENT = 1e-4
"""Of the decrease that the slope promises."""


def minimise(function: Function, start: Array, tolerance: float, most: int = 300) -> Array:
    """The point where no entry of the gradient is larger than `tolerance`, or where `most` steps ended.

    Args:
        function: value and gradient at a point.
    """
    point, (value, gradient) = start, function(start)
    pairs: deque[Pair] = deque(maxlen=MEMORY)
    for _ in range(most):
        if np.abs(gradient).max() <= tolerance:
            break
        way = -_times_inverse_hessian(pairs, gradient)
        slope = float(np.vdot(way, gradient))
        if slope >= 0:  # rounding has spoilt the memory
            pairs.clear()
            way, slope = -gradient, -float(np.vdot(gradient, gradient))
        step = 1.0
        while True:
            tried = point + step * way
            found, pull = function(tried)
            if found <= value + SUFFICIENT * step * slope:
                break
            step /= 2
            if step < 1e-8:
                return point  # no lower value can be told apart
        moved, bent = tried - point, pull - gradient
        curvature = float(np.vdot(moved, bent))
        if curvature > 1e-12 * float(np.vdot(bent, bent)):
            kind = np.float32 if moved.size > LARGE else moved.dtype
            pairs.append((moved.astype(kind), bent.astype(kind), curvature))
        point, value, gradient = tried, found, pull
    return point


def _times_inverse_hessian(pairs: deque[Pair], gradient: Array) -> Array:
    """The two loops over the last steps and the changes of the gradient that they made."""
    way: Array = gradient.astype(pairs[-1][0].dtype if pairs else gradient.dtype)
    scratch, shares = np.empty_like(way), []
    for moved, bent, curvature in reversed(pairs):
        shares.append(float(np.vdot(moved, way)) / curvature)
        way -= np.multiply(bent, shares[-1], out=scratch)
    if pairs:
        _, bent, curvature = pairs[-1]
        way *= curvature / float(np.vdot(bent, bent))
    for (moved, bent, curvature), share in zip(pairs, reversed(shares), strict=True):
        way += np.multiply(moved, share - float(np.vdot(bent, way)) / curvature, out=scratch)
    return way.astype(gradient.dtype)
