"""Second runs against luck: perfect scores, what runs again, whose models are kept. On the machine of `test_auto`."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import msgspec
import pytest

from autoft.options import KEPT_MODELS
from autoft.search.families import HEADS, PARTIAL, WHOLE
from autoft.search.secondruns import CERTAIN, FINALISTS, POOLS, RUNS, SHARE
from autoft.search.strategy import Keeping
from tests.search.test_auto import Machine

FEW = (280, 60)
"""Training and validation samples."""


class Noisy(Machine):
    """Each configuration is right for a part of all samples. A run scores what it is on those that validate."""

    def __init__(self, seconds: float, usual: float = 0.86, best: float = 0.97, **facts: Any) -> None:
        self.usual, self.most = usual, best
        self.kept: set[int] = set()
        """Trials whose models are there."""
        super().__init__(2, seconds, **{"parts": FEW, "kept": self.kept.__contains__, **facts})

    def true(self, number: int) -> float:
        known = self.strategy.known[number]
        word = repr(sorted((key, value) for key, value in (known.first or known.params).items() if key != "epochs"))
        return min(self.most, self.usual + random.Random(word).gauss(0, 0.02))

    def _score(self, number: int, epoch: int) -> float:
        if self.strategy.known[number].family == HEADS:
            return min(self.true(number), 0.99) - 0.02
        part = self.true(number) * (1 - 0.3 * math.exp(-epoch / 2))
        generator, rows = random.Random(f"{number}{self.strategy.facts.seed}"), self.strategy.facts.parts[1]
        return sum(generator.random() < part for _ in range(rows)) / rows

    def _end(self, number: int, status: Any) -> None:
        """As a run folder does it: the strategy is asked before it is told."""
        ended = {*self.kept, number}
        best = self.strategy.ranks.best
        few = sorted(ended, key=lambda n: -best.get(n, 0.0))[:KEPT_MODELS]
        self.kept &= {0, *few, *self.strategy.needed()}
        self.kept |= {number} & {0, *few, *self.strategy.needed()}
        super()._end(number, status)

    def runs(self) -> Counter[object]:
        return Counter(known.key for known in self.strategy.known.values())


def trained(machine: Machine) -> int:
    return sum(known.family in (PARTIAL, WHOLE) for known in machine.strategy.known.values())


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_perfect_score_that_a_second_run_refutes_does_not_end_the_search(seed: int) -> None:
    machine = Noisy(1700.0, usual=0.96, best=0.98, seed=seed)
    machine.run()
    strategy = machine.strategy
    assert any(score == 1 for score in strategy.ranks.top.values()), "by luck"
    assert strategy.over() and "cannot become better" not in strategy.over()
    assert trained(machine) > 20
    many = Noisy(1700.0, usual=0.96, best=0.98, seed=seed, parts=(1000, CERTAIN), perfect=0.985)
    many.run()
    assert "cannot become better" in many.strategy.over()
    assert not any(known.again for known in many.strategy.known.values()), "of so many samples it is no luck"


def test_what_everybody_solves_ends_early() -> None:
    machine = Noisy(1700.0, usual=1.2, best=1.0)
    machine.run()
    assert "cannot become better" in machine.strategy.over()
    assert machine.now < 1.1 * machine.strategy.results[0].seconds
    assert 0 < sum(known.again for known in machine.strategy.known.values()) <= FINALISTS


@pytest.mark.parametrize("trials", [1, 2, 3, 5])
def test_a_limit_on_trials_holds_for_those_that_are_to_confirm(trials: int) -> None:
    machine = Noisy(1700.0, usual=1.2, best=1.0, trials=trials)
    machine.run()
    assert machine.strategy.over() and len(machine.strategy.known) <= trials


def test_where_one_was_refuted_two_must_confirm_another_one() -> None:
    machine = Noisy(1e5, usual=0.99, best=0.995, seed=3)
    machine.run()
    strategy, top = machine.strategy, machine.strategy.ranks.top
    assert "cannot become better" in strategy.over()
    groups: dict[object, list[float]] = {}
    for number, score in top.items():
        groups.setdefault(strategy.known[number].key, []).append(score)
    repeated = [scores for scores in groups.values() if len(scores) > 1]
    refuted = any(max(scores) == 1 > min(scores) for scores in repeated)
    assert max(len(scores) for scores in repeated if min(scores) == 1) == 2 + refuted


def test_cross_validation_confirms_a_perfect_head() -> None:
    machine = Noisy(1700.0)
    machine.run()
    second = machine.strategy.second
    head = next(n for n, known in machine.strategy.known.items() if known.family == HEADS)
    second.ranks.top.clear()
    second.ranks.top[head] = 1.0
    assert not second.sure()
    result = machine.strategy.results[head]
    machine.strategy.results[head] = msgspec.structs.replace(result, combined=1.0)
    assert second.sure()


def test_what_is_left_when_nothing_gets_better_has_further_second_runs() -> None:
    machine = Noisy(3420.0)
    machine.run()
    assert "rounds" in machine.strategy.over() and machine.now < 0.5 * machine.seconds, "it stops early all the same"
    runs = machine.runs()
    assert max(runs.values()) == RUNS
    assert sum(count > 1 for count in runs.values()) > max(FINALISTS, POOLS[0])
    again = [n for n, known in machine.strategy.known.items() if known.again]
    spent = sum(machine.strategy.results[n].seconds for n in again) / machine.workers
    assert spent < SHARE * machine.seconds + max(machine.strategy.results[n].seconds for n in again)


def test_of_those_that_may_win_one_that_has_run_least_often_is_next() -> None:
    machine = Noisy(3420.0)
    machine.run()
    second, known = machine.strategy.second, machine.strategy.known
    again = [n for n, one in known.items() if one.again]
    for number in again:
        del known[number]
        machine.strategy.results.pop(number, None)
        second.ranks.best.pop(number, None)
    firsts = [runs[0] for _, runs in second.ranked(second.ranks.best) if known[runs[0]].family != HEADS]
    assert second.next(1e9) == firsts[0]
    assert second.next(1e9, within=0.0) is None and second.next(0.0) is None


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_the_model_of_the_chosen_trial_is_there_and_few_others_are(seed: int) -> None:
    machine = Noisy(1700.0, seed=seed)
    machine.run()
    strategy = machine.strategy
    assert isinstance(strategy, Keeping)
    assert strategy.chosen() in machine.kept
    assert strategy.second.ranked(strategy.ranks.best)[0][1][0] in (
        n for n, known in strategy.known.items() if known.key == strategy.known[strategy.chosen() or 0].key
    ), "it is the best configuration"
    assert len(machine.kept) <= 1 + KEPT_MODELS + POOLS[0] + machine.workers
    assert not Noisy(1700.0).strategy.needed(), "before there is a second run the best single scores may win"


class Losing(Machine):
    """Trained blocks are right for all samples. Of second runs the first ones lose their process."""

    def __init__(self, lost: int) -> None:
        super().__init__(2, 1700.0, parts=FEW)
        self.lost = lost

    def _score(self, number: int, epoch: int) -> float:
        return 0.9 if self.strategy.known[number].family == HEADS or epoch < 3 else 1.0

    def _end(self, number: int, status: Any) -> None:
        if self.strategy.known[number].again and self.lost:
            self.lost -= 1
            self.history[number].clear()
            self.strategy.ranks.top.pop(number, None), self.strategy.ranks.best.pop(number, None)
            status = "failed"
        super()._end(number, status)


def test_a_second_run_that_fails_neither_confirms_nor_refutes_a_perfect_score() -> None:
    machine = Losing(lost=1)
    machine.run()
    again = [number for number, known in machine.strategy.known.items() if known.again]
    assert [machine.status[number] for number in again].count("failed") == 1 < len(again)
    assert "cannot become better" in machine.strategy.over() and machine.now < 200
    runs = Counter(known.key for known in machine.strategy.known.values())
    assert max(runs.values()) == 2, "what has lost its process is not tried for ever"
