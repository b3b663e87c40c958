"""Which configurations run again, with another seed and on another division, and which one they make the result.

A single score owes something to luck, and the best of many owes it much. So the best few run once more; where time is
left, of the five best by what they are worth (`finals.values`) always one that has run least often does, up to `RUNS`
times each; then of the ten best, and so on (docs/adr/0081-the-end-of-a-search.md).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Final

from autoft.course import OUT_OF_TIME
from autoft.records import TrialResult
from autoft.search import finals, headgroups
from autoft.search.families import HEADS
from autoft.search.halving import Ranks
from autoft.search.known import Known
from autoft.search.space import Values
from autoft.search.strategy import Facts

FINALISTS: Final = 3
"""Second runs before what time they leave has further brackets."""
POOLS: Final = (5, 10, 20)
"""Configurations that may still win: of these the next one to run again is taken; of more, where all have run often."""
RUNS: Final = 4
"""Runs of a configuration, at most."""
SHARE: Final = 0.2
"""Part of the search time that is kept for second runs, and that they may take."""
CONFIRMED: Final = 1
"""Runs that must be as perfect as the first one, one more where another configuration's were not."""
CERTAIN: Final = 200
"""Validation samples of which a perfect score is no luck; of fewer, a second run must be perfect too."""


class SecondRuns:
    """Knows the runs of each configuration.

    Args:
        known, results, ranks: of all trials, as the strategy keeps them.
        starts: trials that began with another one's model. What that has learned from validates in other divisions, so
            they cannot run again.
    """

    def __init__(
        self,
        facts: Facts,
        known: Mapping[int, Known],
        results: Mapping[int, TrialResult],
        ranks: Ranks,
        starts: Collection[int],
    ) -> None:
        self.facts, self.known, self.results, self.ranks, self.starts = facts, known, results, ranks, starts
        self._keys: dict[int, object] = {}
        self._heads: dict[int, bool] = {}
        """Whether a trial trains nothing but a head."""

    def key(self, number: int) -> object:
        """`Known.key`, which takes a while and does not change."""
        if number not in self._keys:
            self._keys[number] = self.known[number].key
        return self._keys[number]

    # ---- what they say ----------------------------------------------------------------------------------

    def ranked(self, scores: Mapping[int, float]) -> list[tuple[float, list[int]]]:
        """What each configuration is worth and its runs that have ended, the best first."""
        able = {n: score for n, score in scores.items() if n in self.results and self._counts(n)}
        for number in self.known.keys() - self._heads.keys():
            self._heads[number] = headgroups.is_head(self.known[number].params, self.facts)
        groups: dict[object, list[int]] = defaultdict(list)
        for number in sorted(able):
            groups[self.key(number)].append(number)
        leading = finals.distinct(able, self.key, self._heads)
        rivals = [groups[self.key(number)] for number in leading]
        exact = {0, *(n for n in able if self._solved(n))}  # trial 0 was not picked for its score
        return sorted(zip(finals.values(rivals, scores, exact), rivals, strict=True), key=lambda pair: -pair[0])

    def chosen(self) -> int | None:
        """The trial whose model is the result: the best run of the configuration that is worth most, of those whose
        models are there."""
        kept = ([n for n in runs if self._kept(n)] for _, runs in self.ranked(self.ranks.best))
        return next((max(runs, key=lambda n: self.ranks.best[n]) for runs in kept if runs), None)

    def worth(self) -> float:
        """What the best configuration is worth, by scores alone."""
        return max((value for value, _ in self.ranked(self.ranks.top)), default=-float("inf"))

    # ---- a perfect score --------------------------------------------------------------------------------

    def sure(self) -> bool:
        """Whether a perfect score is no luck: many samples validate, or other ones have confirmed it."""
        if self.facts.parts[1] >= CERTAIN:
            return True
        perfect = [n for n in self.ranks.top if self._is_perfect(n)]
        if any(n in self.results and self.results[n].combined is not None for n in perfect):
            return True  # cross-validation of a solved head was perfect as well
        spotless, refuted = self._perfect_ones()
        return any(len(self._told().intersection(runs)) > CONFIRMED + refuted for runs in spotless)

    def doubts(self, left: float, elapsed: float) -> tuple[int | None, bool]:
        """The perfect configuration that is to run again now, and whether all others wait for what such runs say: as
        long as none has refuted a perfect score, it may be the end of the search.

        Args:
            left, elapsed: seconds of the search.
        """
        spotless, refuted = self._perfect_ones()
        running = [runs for runs in spotless if any(self._again(n) and n not in self.results for n in runs)]
        if len(running) >= (1 if refuted else FINALISTS) or (refuted and self._spent() > SHARE * elapsed):
            return None, bool(running) and not refuted
        ended = [runs[0] for runs in spotless if runs not in running and runs[0] in self.results]
        told = self._told()
        failing = {self.key(n) for runs in spotless for n in runs if n in self.results and n not in told}
        able = [n for n in ended if self._able(n, left) and self.key(n) not in failing]
        found = max(able, key=lambda n: (self.ranks.best[n], -n), default=None)
        return found, bool(running) and not refuted

    def _perfect_ones(self) -> tuple[list[list[int]], bool]:
        """The runs of each configuration of which all that have a score are perfect; whether those of another one were
        so at first. One that failed, or for which time was over, says nothing."""
        perfect = [n for n in self.ranks.top if self._is_perfect(n)]
        keys = {self.key(n) for n in perfect}
        groups: dict[object, list[int]] = defaultdict(list)
        for number in self.known:
            if self.key(number) in keys:
                groups[self.key(number)].append(number)
        told = self._told()
        refuted = [key for key, runs in groups.items() if any(n in told and n not in perfect for n in runs)]
        return [runs for key, runs in groups.items() if key not in refuted], bool(refuted)

    def _told(self) -> set[int]:
        """Trials that have ended with a score that counts."""
        return {n for n in self.ranks.top if n in self.results and self._counts(n)}

    # ---- which one is next ------------------------------------------------------------------------------

    def next(self, left: float, within: float = float("inf")) -> int | None:
        """The first run of the configuration that runs again next; None where none is worth its time.

        Args:
            left: seconds of the search.
            within: seconds that all second runs may take.
        """
        if self._spent() >= within:
            return None
        runs = Counter(self.key(n) for n in self.known)
        rivals = [*islice(self._rivals(left), POOLS[-1])]
        for count in POOLS:
            few = [n for n in rivals[:count] if not self._solved(n) and runs[self.key(n)] < RUNS]
            if few:
                return min(few, key=lambda n: runs[self.key(n)])
        return None

    def order(self, first: int) -> tuple[Values, int, Values]:
        """The configuration of the next run, how many there were, and the configuration of the first one."""
        known = self.known[first]
        params = finals.rerun_params(known.params, self.results[first], self.facts.space)
        return params, sum(self.key(n) == self.key(first) for n in self.known), known.params

    def needed(self) -> list[int]:
        """Trials whose models may still be the result, though their single scores are not the best: of those that may
        still win the best run whose model is there, and all second runs that have not ended."""
        again = [n for n, known in self.known.items() if known.again]
        if not again:
            return []
        found = [n for n in again if n not in self.results]
        running = len(found)
        for _, runs in self.ranked(self.ranks.best):
            if kept := [n for n in runs if self._kept(n)]:
                found.append(max(kept, key=lambda n: self.ranks.best[n]))
            if len(found) >= POOLS[0] + running:
                break
        return found

    def _rivals(self, left: float) -> Iterator[int]:
        """First runs of the configurations that may still win, the best first. One that is too dear to run again
        leaves its place to the next; a solved head has no luck to lose and keeps it."""
        for _, runs in self.ranked(self.ranks.best):
            if self._solved(runs[0]) or self._able(runs[0], left):
                yield runs[0]

    def _able(self, first: int, left: float) -> bool:
        """Whether it can run again in the time left."""
        if self._solved(first) or self._again(first) or first in self.starts:
            return False
        return left > 0 and finals.rerun_seconds(self.results[first]) <= left

    def _spent(self) -> float:
        """Seconds that second runs take, were they alone on all workers."""
        again = [n for n, known in self.known.items() if known.again]
        ended = sum(self.results[n].seconds for n in again if n in self.results)
        running = sum(finals.rerun_seconds(self.results[self._first(n)]) for n in again if n not in self.results)
        return (ended + running) / self.facts.workers

    def _counts(self, number: int) -> bool:
        """Whether its score says what its configuration is worth."""
        result = self.results[number]
        return bool(result.folder) and not (self._again(number) and result.reason == OUT_OF_TIME)

    def _kept(self, number: int) -> bool:
        return self.facts.kept(number)

    def _first(self, number: int) -> int:
        return next(n for n in self.known if self.key(n) == self.key(number))

    def _again(self, number: int) -> bool:
        return self.known[number].again > 0

    def _solved(self, number: int) -> bool:
        return self.known[number].family == HEADS

    def _is_perfect(self, number: int) -> bool:
        perfect = self.facts.perfect
        return perfect is not None and self.ranks.top[number] >= self.ranks.sign * perfect
