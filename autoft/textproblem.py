"""The linear problem on the terms of texts: what each counts, the loss, and its solution as far as there is time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from autoft.heads.encode import Targets, log_softmax, sigmoid
from autoft.heads.lbfgs import MEMORY, minimise
from autoft.texthash import PIECES, telling
from autoft.textterms import Terms

if TYPE_CHECKING:
    from autoft.contracts import Array, Stop
else:
    Array = Any

STARTED: Final = 10
"""Evaluations of the loss after which a solution that time cuts is better than none."""
EVALUATIONS: Final = 200
"""Of the loss, that a solution may take: 80 to 190 were seen, and some of its time is spent between them."""


class Late(Exception):
    """Time is over, and nothing there that would be of use."""


class TextProblem:
    """The loss of linear solutions on the terms of texts, and what minimises it."""

    def __init__(self, terms: Terms, goal: Targets, rare: Array, stop: Stop, said: str = "") -> None:
        """`rare` is the rarity of every number; `said` tells which columns were left out."""
        self.said = said
        self.cut = False
        """Whether time has ended a solution."""
        self.terms, self.goal, self.rare, self.stop = terms, goal, rare, stop
        self.squares = np.zeros(len(terms.columns))
        size = goal.values.shape[1]
        # The curvature where all outcomes are equally likely; in units of it, all columns are alike to the solver.
        self.spread = {"cross_entropy": 1 / max(2, size), "binary_cross_entropy": 1 / 4}.get(goal.loss, 1.0)

    def weigh(self, counted: Array) -> Array:
        """Let numbers count by what they say in those texts that are 1 in `counted` (n,), not 0; what each number, of
        all there are, counts now."""
        terms, rare = self.terms, self.rare
        if self.goal.loss != "mse":
            terms.count(np.ones(len(terms.columns)))
            found, unseen = telling(terms.back(self.goal.values * counted[:, None]), terms.back(counted[:, None])[:, 0])
            tells = np.full(len(rare), unseen, np.float32)
            tells[terms.columns] = found
            rare = np.sqrt(tells * rare)
        counts = rare * np.where(np.arange(len(rare)) >= len(rare) // 2, PIECES, 1)
        terms.count(counts[terms.columns], level=True, rest=counts[terms.rest])
        self.squares = terms.squares()
        return rare

    def nothing(self) -> Array:
        return np.zeros((1 + len(self.terms.columns), self.goal.values.shape[1]))

    def raw(self, found: Array) -> Array:
        values: Array = self.terms.times(found[1:]) + found[0]
        return values

    def seconds(self) -> float:
        """What a solution may take, by one evaluation; the first is slower than others."""
        taken = []
        for _ in range(2):
            began = time.monotonic()
            _, slope = self._loss(self.raw(self.nothing()), self.goal.weights[:, None])
            self.terms.back(slope)
            taken.append(time.monotonic() - began)
        return EVALUATIONS * (max(min(taken), 1e-9) + self._between())

    def _between(self) -> float:
        """What the solver does between two evaluations, with all that it remembers."""
        way = self.nothing().astype(np.float32)
        other, began = np.empty_like(way), time.monotonic()
        np.multiply(way, 0.5, out=other)
        np.vdot(way, other)
        return 2 * MEMORY * (time.monotonic() - began)

    def solve(self, strength: float, near: Array, counted: Array, tolerance: float) -> Array:
        """(1 + columns, size): bias, then weights. `counted` (n,) is 1 for texts that are solved on, else 0.

        Where time ends it, as far as it has come.

        Raises:
            Late: that is not far.
        """
        share = (counted * self.goal.weights / counted.sum())[:, None]
        strength = strength / counted.sum()
        penalty = np.append(0.0, np.full(len(self.squares), strength))[:, None]
        pace = 1 / np.sqrt(self.spread * np.append(1.0, self.squares)[:, None] + penalty)

        lowest, nearest, count = float("inf"), near / pace, 0

        def function(scaled: Array) -> tuple[float, Array]:
            nonlocal lowest, nearest, count
            if self.stop():
                raise Late
            values = scaled * pace
            loss, slope = self._loss(self.raw(values), share)
            pull = np.concatenate([slope.sum(0)[None], self.terms.back(slope)])
            value, count = loss + float((penalty * values**2).sum()) / 2, count + 1
            if value < lowest:
                lowest, nearest = value, scaled
            return value, (pull + penalty * values) * pace

        try:
            nearest = minimise(function, nearest, tolerance)
        except Late:
            if count < STARTED and not near.any():
                raise
            self.cut = True
        solution: Array = nearest * pace
        return solution

    def _loss(self, raw: Array, share: Array) -> tuple[float, Array]:
        """The loss, and its slope for each raw output (n, size)."""
        wanted = self.goal.values
        if self.goal.loss == "cross_entropy":
            logs = log_softmax(raw)
            return -float((share * wanted * logs).sum()), share * (np.exp(logs) * wanted.sum(1, keepdims=True) - wanted)
        if self.goal.loss == "binary_cross_entropy":
            return float((share * (np.logaddexp(0, raw) - raw * wanted)).sum()), share * (sigmoid(raw) - wanted)
        return float((share * (raw - wanted) ** 2).sum()) / 2, share * (raw - wanted)
