"""Heads on all levels: solved first, and never what a partly frozen network begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from autoft.errors import UsageError
from autoft.recipe import LEVELS, Recipe
from autoft.records import EpochReport, Param
from autoft.search import bankwork, overrides
from autoft.search import space as spaces
from autoft.search.auto import HEADS, RIVAL
from autoft.search.families import PARTIAL, Draws, additions, subspace
from autoft.search.headgrid import PLAIN, STRENGTHS, WIDE, Solving
from autoft.search.headwork import LEVELED, HeadSearch
from tests.search.test_auto import Machine, space

NAME = "m/strong"
PLAINLY, LEVEL = Solving(NAME, {"image_size": 96}, "ridge", 1.0), Solving(NAME, {"pooling": LEVELS}, "logistic", 0.1)


def leveled() -> spaces.Space:
    return (*space(), additions(levels=(NAME,))[-1])


def report(score: float) -> EpochReport:
    return EpochReport(epoch=1, score=score, metrics={}, train_loss=1.0, seconds=1.0)


@pytest.mark.parametrize("rows", [LEVELED, LEVELED + 1])
def test_they_come_first_for_the_same_pass_where_they_fit_into_memory(rows: int) -> None:
    work = HeadSearch(leveled(), [NAME, "m/weak"], "max", (rows, 100))
    found = [(params.get("pooling") == LEVELS, params["head_init"]) for _ in range(2) for params in work.next(100.0)]
    every = [(False, kind) for kind, strengths in STRENGTHS.items() for _ in strengths]
    assert found[: 4 + len(every)] == [(True, "ridge")] * 4 + every if rows == LEVELED else found[: len(every)] == every
    others = [params for _ in range(10) for params in work.next(100.0) if params["model"] == "m/weak"]
    assert others and not any("pooling" in params for params in others), "which has no levels"


def handed(seconds: dict[tuple[bool, str], float], left: float) -> list[tuple[bool, str]]:
    """Kinds of all heads at one size that are handed out where each takes so long, at first one alone."""
    whole = spaces.edit(leveled(), [Param(key="image_size", choices=(96,), default=96)])
    work, found = HeadSearch(whole, [NAME], "max"), list[tuple[bool, str]]()
    while wanted := work.next(left):
        for params in wanted if found else work.first(wanted):
            found.append((params.get("pooling") == LEVELS, str(params["head_init"])))
            spent = seconds.get(found[-1], 0.1)
            left -= spent
            # at no end, so that none comes beyond it
            score = 0.9 if params["head_strength"] == 0.1 and found[-1][1] == "ridge" else 0.5
            work.saw(NAME, params, EpochReport(epoch=1, score=score, metrics={}, train_loss=1.0, seconds=spent))
    return found


def test_heads_on_all_levels_leave_time_to_others() -> None:
    plain = sum(map(len, STRENGTHS.values()))
    free = handed({}, 1000.0)
    assert [free.count((True, kind)) for kind in WIDE] >= [len(WIDE["ridge"]), len(WIDE["logistic"])]
    assert free.index((True, "logistic")) > max(n for n, kind in enumerate(free) if not kind[0]), "others come first"
    slow = handed({(True, "ridge"): 5.0}, 60.0)
    assert slow.count((True, "ridge")) == 1 and slow[1:] == [kind for kind in slow if not kind[0]]
    assert len(slow) == 1 + plain, "the first one has told what they cost"
    assert (True, "logistic") not in handed({(False, "logistic"): 0.8}, 60.0), "wider ones are slower"
    assert handed({(True, "logistic"): 4.0}, 60.0).count((True, "logistic")) == 1


def test_heads_that_would_not_be_done_are_not_begun() -> None:
    assert HeadSearch(leveled(), [NAME], "max").next(0.0) == []
    work = HeadSearch(space(), [NAME], "max")
    for params in work.next(100.0):
        work.saw(NAME, params, EpochReport(epoch=1, score=0.5, metrics={}, train_loss=1.0, seconds=4.0))
    assert len(work.next(10.0)) == 2, "for which there is time"


def test_the_best_of_each_kind_is_remembered_by_itself() -> None:
    work = HeadSearch(leveled(), [NAME], "max")
    for params in (*work.next(100.0), *work.next(100.0)):
        work.saw(NAME, params, report(0.9 if params.get("pooling") == LEVELS else 0.7))
    best, wide = work.best(NAME), work.wide(NAME)
    assert best and wide and "pooling" not in best.reading and wide.reading["pooling"] == LEVELS
    assert work.leading(NAME) == wide and work.ranked([NAME]) == [NAME]


def test_partly_frozen_trials_begin_with_heads_on_the_last_features_alone() -> None:
    part = subspace(leveled(), PARTIAL)
    assert part is not None
    draws = Draws(part, PARTIAL, [NAME], seed=0)
    drawn = [draws.draw(None, lambda model: PLAINLY, wide=lambda model: LEVEL) for _ in range(300)]
    solved = {
        (params.get("pooling") == LEVELS, params["head_init"])
        for params in drawn
        if params and params["head_init"] != "random"
    }
    assert solved == {(False, "ridge"), (True, "logistic")}
    for params in drawn:
        assert params is not None
        if params.get("pooling") == LEVELS:
            assert params["freeze"] == 1.0 and PLAIN.items() <= {**PLAIN, **params}.items() and not params["views"]
        Recipe.of(spaces.resolve(part, params))  # no law is broken


@dataclass
class Better:
    """Scores of a network whose heads on all levels are better."""

    machine: Machine

    def __call__(self, number: int, epoch: int) -> float:
        params = self.machine.params[number]
        return 0.8 + 0.1 * (params.get("pooling") == LEVELS) - 0.001 * (number % 10)


def test_a_search_solves_both_and_trains_heads_by_steps_on_the_better_features(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(2, 600.0, space=leveled())
    monkeypatch.setattr(machine, "_score", Better(machine))
    machine.run()
    known = machine.strategy.known.values()
    words = {
        family: {str(one.params.get("pooling", "auto")) for one in known if one.family == family}
        for family in (HEADS, PARTIAL, RIVAL)
    }
    assert words[HEADS] == {"auto", LEVELS} and words[PARTIAL] == {"auto"} and LEVELS in words[RIVAL]
    bank = [one.params for one in known if one.family == bankwork.BANK and one.params["model"] == NAME]
    assert bank and {params["pooling"] for params in bank} == {LEVELS}
    for one in known:
        Recipe.of(spaces.resolve(machine.strategy.facts.space, one.params))


def test_heads_by_steps_on_the_last_features_see_no_levels() -> None:
    found = bankwork.configurations(leveled(), PLAINLY, seed=0)
    assert found and {params["pooling"] for params in found} == {"auto"}


@pytest.mark.parametrize("given", [{"pooling": LEVELS}, {"optimizer": "solve"}])
def test_words_that_need_others_can_be_said_on_the_command_line(given: dict[str, Any]) -> None:
    (param,) = overrides.parse(given, ())
    assert param.choices == tuple(given.values())
    with pytest.raises(UsageError, match="freeze=1"):
        Recipe.of(given)
