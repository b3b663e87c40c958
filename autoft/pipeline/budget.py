"""The hard budget: what is left for trials once preparation and the final evaluation are paid for."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Iterable

from autoft import evaluate
from autoft.course import repeated
from autoft.records import EpochReport, TrialResult

START = 3.0
"""Seconds to start a worker process and to shut the cluster down."""
FORK = 1.0
"""Seconds to start and to end a process without a cluster, by a fork of one that has imported the framework."""
SCORING = 5.0
"""Seconds for all metrics, their intervals, and the files of the run folder; of a short search no more than `BRIEF`.

Of 30 s a tenth was kept, with a process for each model, and 4 s were left over every time."""
BRIEF = 1 / 15
"""Part of the whole time that scoring may have, where that is less than `SCORING` seconds."""
WRITING = 2.0
"""Of the `SCORING` seconds, those for what comes after the last score: summary, card and report."""
DRAWS = 3 * evaluate.FEWEST
"""Scores of resamples that are made however late it is: of the best model alone, then of both."""
PLAIN = 0.08
"""Part of the whole time that is kept for a method without networks, where the task has one."""
SHARE = 0.5
"""Part of the search time that one trial may plan for."""
REFIT = 0.3
"""Part of the whole time that is kept for training the best configuration once more, at most."""
SHORT = 30.0
"""Seconds of a search in which nothing is kept for the last training before there is a model."""
PREPARING = 1 / 3
"""Part of the time left that decoding all samples may take."""
LEAST = 3.0
"""Seconds that decoding all samples may take at least."""
UNKNOWN = 0.01
"""Part of the whole time, and at most a second, that a validation is taken to last before the first one."""
SOLVING = 0.5
"""Seconds within which a head should be solved on features that are there."""
FIRST_BUILD = 8.0
"""Seconds until a worker is ready to train, before the first one has told."""
FIRST_FORK = 3.0
"""Seconds until a worker is ready to train, before the first one has told, where its process is a fork."""


class Budget:
    """Knows when the command must end, and learns from reports how long its last steps will take."""

    def __init__(self, seconds: float, began: float) -> None:
        self.began = began
        self.end = began + seconds
        self.seconds = seconds
        self.backends: tuple[str, ...] = ()
        """Those that trials may run on. One that has not told yet is taken to start in `FIRST_BUILD` seconds, or in
        `FIRST_FORK` if it is forked."""
        self.forked: frozenset[str] = frozenset()
        self.start = START
        self._builds: dict[str, list[float]] = defaultdict(list)
        self._validations: list[float] = []
        self._resamples: list[float] = []
        self._epochs: dict[str, list[float]] = defaultdict(list)
        self.test_ratio = 1.0
        """Test samples for each validation sample."""
        self.transfer = 0.0
        """Seconds to copy one model from or to a bucket."""
        self.refit_ratio = 0.0
        """Samples of the last training for each one that a trial has trained on, all folds together; 0 for none."""
        self.views_anew = False
        """Whether what frozen blocks give for augmented versions is computed once more then; that of plain samples is
        kept."""
        self.refit = 0.0
        """Seconds kept for it."""
        self.plain = 0.0
        """Seconds for a method without networks that is fitted when the search is over."""

    def saw(self, report: EpochReport, backend: str = "") -> None:
        """Learn from an epoch: frameworks differ in how long they take to start."""
        if report.epoch == 1:
            self._builds[backend].append(report.build_seconds - report.traced_seconds)
        self._validations.append(report.val_seconds)
        self._resamples.append(report.resample_seconds)
        before = report.build_seconds + report.prefix_seconds
        self._epochs[backend].append((report.seconds - before) / report.epoch)

    def forks(self, backends: Iterable[str], *, cluster: bool) -> None:
        """Processes of these backends are forks; without a cluster nothing else takes long to start."""
        self.forked = frozenset(backends)
        self.start = START if cluster else FORK

    def expect_refit(self, ratio: float) -> None:
        """Keep time for a short last training from the first trial on: who is told of a deadline keeps that one."""
        self.refit_ratio = ratio
        self.refit = min(self.start + self._build, REFIT * max(0.0, self.seconds - SHORT))

    def leads(self, result: TrialResult) -> None:
        """Keep time to train this trial's configuration once more, unless that would take too much of the search."""
        needed = self.to_refit(result)
        self.refit = needed if needed <= REFIT * self.seconds else 0.0

    def to_refit(self, result: TrialResult) -> float:
        """Seconds to train this trial's configuration once more, in a fresh process."""
        if not self.refit_ratio:
            return 0.0
        first = result.history[0] if result.history else None
        build, prefix = (first.build_seconds, first.prefix_seconds) if first else (0.0, 0.0)
        traced = first.traced_seconds if first else 0.0
        epochs = repeated(result.recipe, result.best_epoch).epochs
        trained = max(0.0, result.seconds - build - prefix) * epochs / max(1, result.epochs)
        views = prefix if self.views_anew and result.recipe.views else 0.0
        return self.start + self._build + traced + self.refit_ratio * (trained + views)

    @property
    def _build(self) -> float:
        """Seconds until a fresh process is ready to train or to predict."""
        known = [max(seconds) for seconds in self._builds.values()]
        unknown = [self._first(backend) for backend in self.backends if backend not in self._builds]
        return max([*known, *unknown], default=FIRST_BUILD)

    def _first(self, backend: str) -> float:
        return FIRST_FORK if backend in self.forked else FIRST_BUILD

    @property
    def preparing(self) -> float:
        """Seconds that decoding may take from now on."""
        return max(LEAST, PREPARING * (self.end - time.time()))

    @property
    def reserve(self) -> float:
        """Seconds kept back for the final evaluation: two models in fresh processes, side by side."""
        validation = max(self._validations, default=min(1.0, UNKNOWN * self.seconds))
        drawn = DRAWS * max(self._resamples, default=0.0) * self.test_ratio
        usual = min(SCORING, BRIEF * self.seconds)
        scoring = usual + max(0.0, drawn - usual / 2) + 1.5 * validation * self.test_ratio
        return self.start + scoring + 1.2 * self._build + 2 * self.transfer + self.plain

    @property
    def latest(self) -> float:
        """Unix time for what is worth nothing until it is whole, such as the solution of a head: without the time that
        is kept for a last training, which can be left out."""
        return max(self.end - self.reserve, self.deadline)

    @property
    def deadline(self) -> float:
        """Unix time at which trials must have stopped; at least a third of the budget is left to them, and half of it
        before a last training takes anything."""
        kept = self.end - self.reserve
        least = max(self.began + self.seconds / 3, min(kept, self.began + self.seconds / 2))
        return max(kept - self.refit, least)

    def allowance(self, search_began: float) -> float:
        """Seconds that one trial which begins now may plan for."""
        deadline = self.deadline
        return max(1.0, min(SHARE * (deadline - search_began), deadline - time.time()))

    def room_for_another(self, backend: str = "", *, solved: bool = False) -> bool:
        """Whether a trial of this backend that starts now would come to an epoch. A head that is `solved` needs no
        epochs, and no process of its own: it may begin until `latest`."""
        if solved and self._epochs:
            return time.time() + SOLVING < self.latest
        left = self.deadline - time.time()
        if not self._epochs:
            return left > 0
        epochs = self._epochs.get(backend) or [seconds for some in self._epochs.values() for seconds in some]
        return left > min(self._builds.get(backend) or [self._first(backend)]) + 1.5 * statistics.median(epochs)
