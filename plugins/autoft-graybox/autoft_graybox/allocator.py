"""`Allocator`: which of the configurations of a search gets the next epochs.

Gray-box Bayesian optimisation over partial learning curves, as in DyHPO (Wistuba et al., NeurIPS 2022) and
Quick-Tune (Arango et al., ICLR 2024): a surrogate predicts how each curve may end, and the configuration with the
largest expected improvement for its cost goes on. Two things differ. The surrogate is an ensemble of small quantile
networks over curve features and peers, learned from past runs, and it is not refitted: what this search tells is in
the features. And, as in PriorBand (Mallik et al., NeurIPS 2023), a share of the decisions is left to plain successive
halving, so that a surrogate that is wrong about this data set cannot starve what is good.

Knows no scheduler: whoever runs the trials asks which one to start or resume, and says what came of it.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np

from autoft_graybox.costs import seconds_per_epoch
from autoft_graybox.curve import Array, Curve, to_unit
from autoft_graybox.encoding import encode, network
from autoft_graybox.features import Known, State, knowledge
from autoft_graybox.halving import next_in_halving
from autoft_graybox.surrogate import Surrogate, shipped

SHARE: Final = 0.5
"""Of the decisions left to successive halving."""
POWER: Final = 0.5
"""How much cost counts: expected improvement is divided by (what is left to pay) ** POWER."""
STRIDE: Final = 3
"""A configuration that has run n epochs gets n // STRIDE more at a time, at least 1."""
CLOSING: Final = 1.5
"""Near the end of the time: when what is left is less than so many times what the most promising one still needs."""
FAINT: Final = 1e-9
"""Weight of the predicted mean: decides where no configuration promises an improvement."""


class Allocator:
    """One search. `suggest` gives the same answer when asked again with the same arguments."""

    def __init__(
        self,
        mode: Literal["max", "min"] = "max",
        seed: int = 0,
        epochs: int = 50,
        cost: Literal["seconds", "epochs"] = "seconds",
        surrogate: Surrogate | None = None,
    ) -> None:
        """`epochs` is the most that a configuration can have; `cost` is what is to be saved."""
        self._mode = mode
        self._seed = seed
        self._epochs = epochs
        self._cost = cost
        self._surrogate = surrogate or shipped()
        self._known: Known | None = None
        self._candidates: list[Mapping[str, Any]] = []

    def suggest(
        self,
        observed: Mapping[int, Curve],
        candidates: Sequence[Mapping[str, Any]],
        running: Collection[int] = (),
    ) -> int | None:
        """Which candidate gets `rung` more epochs; None when all have ended or are running.

        `observed` has the curves of those that have begun, by place in `candidates`, whose keys are a recipe's.
        The first suggestion is candidate 0: put the default recipe there.
        """
        free = self._free(observed, len(candidates), running)
        if not free.any():
            return None
        if free[0] and not observed and not running:
            return 0
        known = self._know(candidates)
        state = self._state(observed, len(candidates))
        value = self._gain(state, known) / self._price(state, known, observed) ** POWER
        # Which kind of decision this is depends on how far the search is, and on nothing that is kept in between.
        turn = random.Random(f"{self._seed}:{int(state.used.sum())}:{len(running)}").random()
        if turn < SHARE:
            halved = next_in_halving(state, value, free, self._epochs)
            if halved is not None:
                return halved
        return int(np.where(free, value, -np.inf).argmax())

    def closing(
        self,
        observed: Mapping[int, Curve],
        candidates: Sequence[Mapping[str, Any]],
        running: Collection[int],
        left: float,
    ) -> int | None:
        """Which candidate should now run to its end, because the time is nearly over.

        None while there is time for more than the most promising one, or if nothing can come to its end. `left` is
        what each worker can still spend, in the unit of `cost`.
        """
        free = self._free(observed, len(candidates), running)
        measured = self._cost == "epochs" or any(len(curve.seconds) for curve in observed.values())
        if not free.any() or not measured:
            return None
        known, state = self._know(candidates), self._state(observed, len(candidates))
        gain = np.where(free, self._gain(state, known), -np.inf)
        price = self._price(state, known, observed)
        fits = free & (price <= left)
        if price[gain.argmax()] * CLOSING <= left or not fits.any():
            return None
        return int(np.where(fits, gain, -np.inf).argmax())

    def rung(self, curve: Curve | None) -> int:
        """How many epochs a configuration gets at a time."""
        done = len(curve.scores) if curve else 0
        planned = (curve.planned if curve else 0) or self._epochs
        return max(1, min(done // STRIDE, planned - done))

    def _gain(self, state: State, known: Known) -> Array:
        """(n,) expected improvement of the best score."""
        outlook = self._surrogate.outlook(state, known)
        gain: Array = outlook.improvement(float(outlook.best.max())) + FAINT * outlook.mean()
        return gain

    def _price(self, state: State, known: Known, observed: Mapping[int, Curve]) -> Array:
        """(n,) what each candidate still needs to its end, at least an epoch."""
        left: Array = np.maximum(state.planned - state.used, 1).astype(np.float64)
        if self._cost == "seconds":
            measured = [observed[n].seconds if n in observed else () for n in range(len(left))]
            left = left * seconds_per_epoch(known, measured)
        return left

    def _free(self, observed: Mapping[int, Curve], count: int, running: Collection[int]) -> Array:
        return np.array([n not in running and not self._ended(observed.get(n)) for n in range(count)], dtype=bool)

    def _know(self, candidates: Sequence[Mapping[str, Any]]) -> Known:
        listed = list(candidates)
        if self._known is None or listed != self._candidates:
            models = [network(values) for values in listed]
            self._known = knowledge(encode(listed, self._epochs), models, self._surrogate.prior)
            self._candidates = listed
        return self._known

    def _state(self, observed: Mapping[int, Curve], count: int) -> State:
        longest = max([self._epochs, *(len(curve.scores) for curve in observed.values())])
        scores = np.zeros((count, longest))
        used, planned = np.zeros(count, np.int64), np.full(count, self._epochs)
        order = list(observed)
        units = to_unit((np.asarray(observed[n].scores, np.float64) for n in order), self._mode)
        for n, unit in zip(order, units, strict=True):
            scores[n, : len(unit)] = unit
            used[n] = len(unit)
            planned[n] = max(observed[n].planned or self._epochs, len(unit)) if len(unit) else self._epochs
        return State(scores, used, planned)

    def _ended(self, curve: Curve | None) -> bool:
        return curve is not None and (curve.ended or len(curve.scores) >= (curve.planned or self._epochs))
