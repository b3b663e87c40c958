"""The strategy `auto` against a simulated machine: no processes, no networks, a clock that we turn."""

from __future__ import annotations

import heapq
import math
import random
from typing import Any

import pytest

from autoft import course
from autoft.recipe import Recipe
from autoft.records import EpochReport, ModelCard, Param, TrialResult
from autoft.search import finals, first
from autoft.search import space as spaces
from autoft.search.auto import AGAIN, RIVAL, Auto, Facts
from autoft.search.bankwork import BANK, COUNT, configurations
from autoft.search.defaults import default_space
from autoft.search.families import BASELINE, HEADS, PARTIAL, WHOLE, additions
from autoft.search.headgrid import Solving, heads

CARDS = (
    ModelCard(name="m/strong", backend="b", modality="image", prior=75.0),
    ModelCard(name="m/weak", backend="b", modality="image", prior=70.0),
)


def space(*cards: ModelCard, **fixed: Any) -> spaces.Space:
    cards = cards or CARDS
    whole = (*default_space(cards, {c.name: (96, 128) for c in cards}, "balanced", 500), *additions())
    return spaces.edit(whole, [Param(key=key, choices=(value,), default=value) for key, value in fixed.items()])


HEAD = Solving("m/weak", {"image_size": 128}, "ridge", 1.0)


class Machine:
    """Workers that need simulated seconds, and networks whose scores are made up."""

    def __init__(self, workers: int, seconds: float, **facts: Any) -> None:
        self.now = 0.0
        whole = facts.pop("space", None) or space()
        plain = {
            "mode": "max",
            "seed": 0,
            "epochs": 20,
            **dict.fromkeys(("sharing", "featured"), frozenset(c.name for c in CARDS)),
            "weak": frozenset(),
            "solvable": True,
            "perfect": 1.0,
        }
        self.strategy = Auto(
            Facts(space=whole, workers=workers, deadline=lambda: seconds, clock=lambda: self.now, **{**plain, **facts})
        )
        self.workers, self.seconds = workers, seconds
        self.params: dict[int, dict[str, Any]] = {}
        self.starts: dict[int, int] = {}
        self.baseline_epochs = 20
        """Epochs that time leaves to trial 0."""
        self.history: dict[int, list[EpochReport]] = {}
        self.status: dict[int, str] = {}
        self.failing: set[str] = set()
        self.ceiling = 0.95
        self.silent = 0
        """Epochs in which every score is 0."""

    def run(self) -> None:
        running: list[tuple[float, int, Any]] = []
        for tick in range(100_000):
            while len(running) < self.workers and not self.strategy.over():
                work = self.strategy.next()
                if work is None:
                    break
                heapq.heappush(running, (self.now + self._seconds(work), tick * 100 + len(running), work))
            self._close()
            if not running:
                assert self.strategy.over(), "idle, but not over"
                return
            self.now, _, work = heapq.heappop(running)
            if self.now > self.seconds:
                return
            self._finish(work)
        raise AssertionError("the strategy does not end")

    def _seconds(self, work: Any) -> float:
        total = 0.0
        for order in work.orders:
            if order.params is not None:
                self.params[order.number] = order.params
                self.starts[order.number] = order.start
            total += self._epochs(order) * self._epoch(self.params[order.number])
        return total

    def _epoch(self, params: dict[str, Any]) -> float:
        if params.get("optimizer") == "solve":
            return 0.1
        if params["freeze"] == 1 and not params.get("head_width") and params["augment"] == "none":
            return 0.01
        return 1.0 if params["freeze"] >= 0.5 else 4.0

    def _epochs(self, order: Any) -> int:
        done = len(self.history.get(order.number, []))
        planned = self._planned(order.number)
        return (min(order.until, planned) or planned) - done

    def _planned(self, number: int) -> int:
        return int(self.params[number].get("epochs", 20)) if number else self.baseline_epochs

    def _finish(self, work: Any) -> None:
        for order in work.orders:
            number, params = order.number, self.params[order.number]
            assert self.status.get(number) in (None, "paused"), f"{number} runs twice or after its end"
            rows = self.history.setdefault(number, [])
            if params["model"] in self.failing:
                self._end(number, "failed")
                continue
            for _ in range(self._epochs(order)):
                epoch = len(rows) + 1
                spent = epoch * self._epoch(params)
                report = EpochReport(
                    epoch=epoch,
                    score=self._score(number, epoch),
                    metrics={},
                    train_loss=1.0,
                    seconds=spent,
                    planned=self.baseline_epochs % 20 if not number else 0,
                )
                rows.append(report)
                self.strategy.reported(number, report)
            if len(rows) >= self._planned(number):
                self._end(number, "finished")
            else:
                self.status[number] = "paused"
                self.strategy.paused(number)
        self._close()

    def _score(self, number: int, epoch: int) -> float:
        params = self.params[number]
        if epoch <= self.silent:
            return 0.0
        noise = random.Random(repr(sorted(params.items()))).uniform(-0.15, 0.0)
        quality = 0.9 if params["model"] == "m/strong" else 0.7
        if (start := self.starts.get(number, -1)) >= 0:
            epoch += len(self.history[start])
        return min(self.ceiling, quality + noise) * (1 - math.exp(-epoch / 3))

    def _end(self, number: int, status: Any) -> None:
        self.status[number] = status
        rows = self.history[number]
        self.strategy.ended(
            TrialResult(
                number=number,
                status=status,
                model=str(self.params[number]["model"]),
                backend="b",
                recipe=Recipe.of(spaces.resolve(self.strategy.facts.space, self.params[number])),
                score=max((r.score for r in rows), default=None),
                history=tuple(rows),
                best_epoch=max(rows, key=lambda r: r.score).epoch if rows else 0,
                epochs=len(rows),
                seconds=rows[-1].seconds if rows else 0.0,
                folder="somewhere" if rows else "",
            )
        )

    def _close(self) -> None:
        for closed in self.strategy.closed():
            assert self.status[closed.number] == "paused"
            assert closed.reason
            self._end(closed.number, "stopped")

    def best(self) -> float | None:
        return max((r.score for rows in self.history.values() for r in rows), default=None)

    def families(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for known in self.strategy.known.values():
            found[known.family] = found.get(known.family, 0) + 1
        return found


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_rounds_of_trials_run_past_the_epochs_in_which_nothing_can_be_told(workers: int) -> None:
    machine = Machine(workers, 2000.0, blank=0.0)
    machine.silent = 5
    machine.run()
    stopped = [len(machine.history[n]) for n, status in machine.status.items() if status == "stopped"]
    assert stopped and min(stopped) >= 6
    assert all(bracket.rungs[0] >= 6 for bracket in machine.strategy.brackets)


@pytest.mark.parametrize("workers", [1, 2, 16])
def test_the_baseline_runs_first_and_to_its_end(workers: int) -> None:
    machine = Machine(workers, 600.0)
    machine.run()
    assert machine.params[0] == first.recipe(machine.strategy.facts, 600.0)
    assert machine.status[0] == "finished"
    assert len(machine.history[0]) == 20
    assert machine.strategy.known[0].family == BASELINE


def test_it_goes_from_cheap_to_dear() -> None:
    machine = Machine(2, 1200.0)
    machine.run()
    found = machine.families()
    assert found[HEADS] >= len(heads(space(), "m/strong")) + len(heads(space(), "m/weak"))
    assert found[PARTIAL] > 5
    assert found[WHOLE] > 2
    order = [known.family for known in machine.strategy.known.values()]
    assert order.index(HEADS) < order.index(PARTIAL)


def test_heads_by_steps_are_one_piece_of_work_for_each_network_that_stays() -> None:
    machine = Machine(2, 600.0)
    machine.run()
    found = {number: known for number, known in machine.strategy.known.items() if known.family == BANK}
    assert {known.params["model"] for known in found.values()} == {"m/strong", "m/weak"}
    assert len(found) == 2 * COUNT
    first = min(found)
    assert first > max(n for n, known in machine.strategy.known.items() if known.family == HEADS)
    assert sorted(found) == list(range(first, first + len(found)))
    for known in found.values():
        head = machine.strategy.heads.best(str(known.params["model"]))
        assert head.reading == {"image_size": known.params["image_size"]}
        if known.params["head_init"] != "random":
            assert (known.params["head_init"], known.params["head_strength"]) == (head.kind, head.strength)
    assert {machine.status[number] for number in found} == {"finished"}


def test_heads_drawn_for_a_bracket_run_whole_and_no_other_trial_waits_for_one_rung_of_theirs() -> None:
    machine = Machine(2, 2000.0)
    machine.run()
    rivals = {number for number, known in machine.strategy.known.items() if known.family == RIVAL}
    assert rivals
    assert {machine.status[number] for number in rivals} == {"finished"}
    assert all(machine.params[number]["freeze"] == 1 for number in rivals)
    brackets = machine.strategy.brackets
    assert not rivals & {number for bracket in brackets for number in bracket.numbers}
    assert all(bracket.done for bracket in brackets)


def test_heads_by_steps_can_train_side_by_side() -> None:
    whole = space()
    drawn = configurations(whole, HEAD, seed=0)
    assert len({repr(params) for params in drawn}) == len(drawn) == COUNT
    recipes = [Recipe.of(spaces.resolve(whole, params)) for params in drawn]
    assert {(r.model, r.image_size, r.freeze, r.dropout, r.head_width) for r in recipes} == {
        ("m/weak", 128, 1.0, 0.0, 0)
    }
    assert len({(r.augment, r.mixup, r.cutmix, r.batch_size, r.class_weights) for r in recipes}) == 1
    assert len({r.lr for r in recipes}) > COUNT // 2
    assert {r.head_init for r in recipes} == {"random", "ridge"}


@pytest.mark.parametrize("fixed", [{"freeze": 0.5}, {"augment": "strong"}, {"dropout": 0.2}, {"image_size": 96}])
def test_heads_by_steps_respect_the_space(fixed: dict[str, Any]) -> None:
    assert configurations(space(**fixed), HEAD, seed=0) == []
    drawn = configurations(space(optimizer="sgd", batch_size=8), HEAD, seed=0)
    assert {(params["optimizer"], params["batch_size"]) for params in drawn} == {("sgd", 8)}


def test_partly_frozen_trials_start_from_the_best_head_and_share_their_prefix() -> None:
    machine = Machine(2, 600.0)
    machine.run()
    best = {card.name: machine.strategy.heads.best(card.name) for card in CARDS}
    partial = [k.params for k in machine.strategy.known.values() if k.family == PARTIAL]
    for params in partial:
        assert params["freeze"] > 0
        assert params["mixup"] == params["cutmix"] == 0
        assert (params["views"] == 0) == (params["augment"] == "none"), "what is drawn anew cannot be shared"
        head = best[params["model"]]
        if params["head_width"]:
            assert params["head_init"] == "random"
        elif params["head_init"] != "random":
            assert (params["head_init"], params["head_strength"]) == (head.kind, head.strength)
            assert params["norms"] == "kept", "features stay what the head was solved on"
    linear = [params["head_init"] for params in partial if not params["head_width"]]
    assert 0.1 * len(linear) < linear.count("random") < 0.6 * len(linear), "some networks must change much"


def test_every_trial_stays_within_the_space() -> None:
    whole = space()
    machine = Machine(2, 600.0, space=whole)
    machine.run()
    recipes = [Recipe.of(spaces.resolve(whole, known.params)).flat() for known in machine.strategy.known.values()]
    assert len(recipes) > 10
    for recipe, known in zip(recipes, machine.strategy.known.values(), strict=True):
        assert known.params.items() <= recipe.items(), "every value that was drawn is one that the trial runs with"


def test_what_the_user_fixes_stays_fixed() -> None:
    fixed = space(freeze=1.0, augment="strong", optimizer="sgd")
    machine = Machine(2, 300.0, space=fixed)
    machine.run()
    learned = [k.params for k in machine.strategy.known.values() if k.family != HEADS]
    assert learned
    assert {(p["freeze"], p["augment"], p["optimizer"]) for p in learned} == {(1.0, "strong", "sgd")}


@pytest.mark.parametrize("seconds", [5.0, 30.0, 120.0])
def test_short_budgets_are_kept(seconds: float) -> None:
    machine = Machine(2, seconds)
    machine.run()
    assert machine.best() is not None


def test_the_best_few_run_again_with_another_seed_and_division() -> None:
    machine = Machine(2, 1200.0)
    machine.run()
    again = [(n, k) for n, k in machine.strategy.known.items() if k.family == AGAIN]
    assert again
    for number, known in again:
        twins = [n for n, k in machine.strategy.known.items() if k.key == known.key and n != number]
        first = min(twins)
        assert known.again == len([twin for twin in twins if twin < number])
        wanted = course.repeated(machine.strategy.results[first].recipe, machine.strategy.results[first].best_epoch)
        assert (known.params["epochs"], known.params["patience"]) == (wanted.epochs, 0)
        assert len(machine.history[number]) == wanted.epochs, "its schedule comes to its end"
        assert {**known.params, **{key: known.first[key] for key in finals.LENGTH if key in known.first}} == known.first
    chosen = machine.strategy.chosen()
    assert chosen is not None
    assert machine.status[chosen] == "finished"


def test_a_solved_head_is_not_chosen_over_a_better_trial_for_which_there_was_no_second_run() -> None:
    machine = Machine(2, 1e6, trials=6)
    machine.run()
    strategy = machine.strategy
    assert strategy.closing, "it came to its end"
    best = max(strategy.ranks.best, key=lambda number: strategy.ranks.best[number])
    assert not any(known.again for known in strategy.known.values()), "no trial was left for second runs"
    assert strategy.chosen() == best


def test_a_score_that_was_not_repeated_counts_less() -> None:
    machine = Machine(2, 1200.0)
    machine.run()
    strategy = machine.strategy
    again = next(n for n, known in strategy.known.items() if known.again)
    first = min(n for n, known in strategy.known.items() if known.key == strategy.known[again].key)
    alone = next(n for n, known in strategy.known.items() if known.family == PARTIAL and n != first)
    strategy.ranks.best.clear()
    strategy.ranks.best |= {first: 0.9, again: 0.8, alone: 0.86}
    assert strategy.chosen() == first, "0.85 is more than 0.86 - 0.05"
    strategy.ranks.best[alone] = 0.95
    assert strategy.chosen() == alone


def test_a_network_that_always_fails_does_not_end_the_search() -> None:
    machine = Machine(2, 600.0)
    machine.failing = {"m/weak"}
    machine.run()
    good = [n for n, status in machine.status.items() if status == "finished"]
    assert {machine.params[n]["model"] for n in good} == {"m/strong"}


def test_weak_networks_are_trained_whole() -> None:
    machine = Machine(2, 600.0, weak=frozenset(c.name for c in CARDS))
    machine.run()
    assert machine.strategy.brackets[0].family == WHOLE


def test_a_limit_on_trials_is_kept() -> None:
    machine = Machine(2, 0.0, trials=12)
    machine.seconds = 1e9
    machine.run()
    assert len(machine.strategy.known) <= 12


def test_without_shared_prefixes_no_head_is_solved() -> None:
    machine = Machine(2, 300.0, sharing=frozenset(), featured=frozenset())
    machine.run()
    assert HEADS not in machine.families()
    assert not machine.strategy.over() or machine.best() is not None


def test_where_one_family_does_not_fit_the_other_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(2, 500.0, weak=frozenset(c.name for c in CARDS))
    extents = machine.strategy.extents
    fitting = extents.of
    monkeypatch.setattr(extents, "of", lambda family, *more: (0, 0) if family == WHOLE else fitting(family, *more))
    assert machine.strategy._families()[0] == WHOLE, "most of the time is for it"
    machine.run()
    assert {bracket.family for bracket in machine.strategy.brackets} == {PARTIAL}
