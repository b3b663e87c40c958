"""The search strategies of core: random draws, TPE (Optuna) and grids. All values they give are JSON scalars."""

from __future__ import annotations

import itertools
import math
import random
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from autoft.errors import UsageError
from autoft.records import Param, Scalar
from autoft.search import space as spaces
from autoft.search.sampling import draw, short
from autoft.search.space import Space, Values

if TYPE_CHECKING:
    import optuna

ATTEMPTS: Final = 100
"""Draws before a finite space is searched for what has not been tried."""
STARTUP: Final = 10
"""Scores that TPE waits for; until then it draws at random from the weighted space."""


class Random:
    """Independent draws. The n-th depends on the space, the seed and n alone, in whatever order results come."""

    def start(self, space: Sequence[Param], mode: str, seed: int) -> RandomSearch:
        return RandomSearch(tuple(space), seed)


class Tpe:
    """Tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011), as Optuna has it."""

    def start(self, space: Sequence[Param], mode: str, seed: int) -> TpeSearch:
        return TpeSearch(tuple(space), mode, seed)


class Grid:
    """Every combination of listed values, the default recipe first."""

    def start(self, space: Sequence[Param], mode: str, seed: int) -> GridSearch:
        return GridSearch(tuple(space))


class RandomSearch:
    def __init__(self, space: Space, seed: int) -> None:
        spaces.validate(space)
        self._space = space
        self._seed = seed
        self._size = spaces.size(space)
        self._drawn = _Seen()

    def ask(self, number: int) -> dict[str, Any] | None:
        if math.isinf(self._size):
            return self._draw(number, 0)
        while len(self._drawn) <= number:  # in order: a draw depends on those before it, never on results
            if len(self._drawn) == self._size:
                return None
            self._drawn.add(self._unseen(len(self._drawn), self._drawn))
        return dict(self._drawn.points[number])

    def tell(self, number: int, score: float | None, history: Sequence[float]) -> None:
        """Nothing is learned from scores."""

    def unlike(self, number: int, seen: _Seen) -> Values:
        """A draw that is not among `seen`; the caller knows that there is one."""
        return self._draw(number, 0) if math.isinf(self._size) else self._unseen(number, seen)

    def _unseen(self, number: int, seen: _Seen) -> Values:
        for attempt in range(ATTEMPTS):
            params = self._draw(number, attempt)
            if params not in seen:
                return params
        left = (params for params in spaces.points(self._space) if params not in seen)
        return self._generator(number, ATTEMPTS).choice(list(itertools.islice(left, 1000)))

    def _draw(self, number: int, attempt: int) -> Values:
        if number == 0 and attempt == 0:
            return spaces.baseline(self._space)
        generator = self._generator(number, attempt)
        return draw(self._space, generator)

    def _generator(self, number: int, attempt: int) -> random.Random:
        return random.Random(f"{self._seed}:{number}:{attempt}")


class GridSearch:
    def __init__(self, space: Space) -> None:
        spaces.validate(space)
        if math.isinf(spaces.size(space)):
            ranges = list(dict.fromkeys(param.key for param in space if spaces.listed(param) is None))
            raise UsageError(
                f"a grid needs listed values, but these are ranges: {', '.join(ranges)}.",
                f"List values, e.g. {ranges[0]}=0.0001,0.001,0.01, or use --searcher random.",
            )
        first = spaces.baseline(space)
        rest = (params for params in spaces.points(space) if params != first)
        self._left: Iterator[Values] = itertools.chain([first], rest)
        self._taken: list[Values] = []

    def ask(self, number: int) -> dict[str, Any] | None:
        self._taken.extend(itertools.islice(self._left, max(0, number + 1 - len(self._taken))))
        return dict(self._taken[number]) if number < len(self._taken) else None

    def tell(self, number: int, score: float | None, history: Sequence[float]) -> None:
        """Nothing is learned from scores."""


class TpeSearch:
    def __init__(self, space: Space, mode: str, seed: int) -> None:
        import optuna  # lazy: `autoft --help` must not load it

        spaces.validate(space)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `group` is called experimental
            sampler = optuna.samplers.TPESampler(
                n_startup_trials=0, multivariate=True, group=True, constant_liar=True, seed=seed
            )
        self._study = optuna.create_study(direction="maximize" if mode == "max" else "minimize", sampler=sampler)
        self._space = space
        self._size = spaces.size(space)
        self._random = RandomSearch(space, seed)
        self._asked: dict[int, tuple[optuna.Trial, Values]] = {}
        self._seen = _Seen()
        self._scores = 0

    def ask(self, number: int) -> dict[str, Any] | None:
        if number not in self._asked:
            if len(self._seen) == self._size:
                return None
            proposal = self._drawn(number) if self._scores < STARTUP or number == 0 else self._proposed(number)
            self._asked[number] = proposal
            self._seen.add(proposal[1])
        return dict(self._asked[number][1])

    def tell(self, number: int, score: float | None, history: Sequence[float]) -> None:
        from optuna.trial import TrialState

        trial, _ = self._asked[number]
        for step, value in enumerate(history, start=1):
            if math.isfinite(value):
                trial.report(value, step)
        if score is None or not math.isfinite(score):
            self._study.tell(trial, state=TrialState.FAIL)  # a failure is no score: TPE leaves it out
        else:
            self._study.tell(trial, score)
            self._scores += 1

    def _drawn(self, number: int) -> tuple[optuna.Trial, Values]:
        params = self._random.unlike(number, self._seen)
        variants = {p.key: _name(p) for p in self._space if p.key in params and spaces.active(p, params)}
        self._study.enqueue_trial({variants[key]: value for key, value in params.items()})
        trial = self._study.ask()
        return trial, self._suggested(trial)

    def _proposed(self, number: int) -> tuple[optuna.Trial, Values]:
        from optuna.trial import TrialState

        for _ in range(STARTUP):
            trial = self._study.ask()
            params = self._suggested(trial)
            if math.isinf(self._size) or params not in self._seen:
                return trial, params
            self._study.tell(trial, state=TrialState.FAIL)  # tried before
        return self._drawn(number)

    def _suggested(self, trial: optuna.Trial) -> Values:
        return spaces.walk(self._space, lambda param: _suggest(trial, param))


class _Seen:
    """Configurations that were given out, in order, found quickly."""

    def __init__(self) -> None:
        self.points: list[Values] = []
        self._index: set[tuple[tuple[str, Scalar], ...]] = set()

    def add(self, params: Values) -> None:
        self.points.append(params)
        self._index.add(tuple(params.items()))

    def __contains__(self, params: Values) -> bool:
        return tuple(params.items()) in self._index

    def __len__(self) -> int:
        return len(self.points)


def _name(param: Param) -> str:
    """Optuna's name of a parameter: variants with other values are other parameters to it."""
    return f"{param.key} if {spaces.condition_text(param)}" if param.when else param.key


def _suggest(trial: optuna.Trial, param: Param) -> Scalar:
    values = spaces.listed(param)
    if param.kind == "choice" and values is not None:
        chosen: Scalar = trial.suggest_categorical(_name(param), values)
        return chosen
    if param.kind == "int":
        return trial.suggest_int(_name(param), int(param.low), int(param.high), log=param.log)
    return short(param, trial.suggest_float(_name(param), param.low, param.high, log=param.log))
