"""Which heads are solved: beyond the grid where the best one is at its end, and for each way to pose numbers."""

from __future__ import annotations

from autoft.heads import distinct
from autoft.records import EpochReport, Output, Param, Problem
from autoft.search.bankwork import configurations
from autoft.search.headgrid import LIMITS, STRENGTHS, Solving, beyond, heads
from autoft.search.headwork import HeadSearch
from autoft.search.space import Space, Values
from tests.search.test_auto import CARDS, space

NAME = CARDS[0].name
WORDS = ("log_mse", "log_mae", "mse", "huber")
LOGS = Param(key="formulation", choices=WORDS, default="log_mse")


def solved(whole: Space, best: Values, posed: tuple[str, ...] = ()) -> list[Values]:
    """All that is handed out where heads are the better, the nearer they are to these strengths by kind."""
    work, found = HeadSearch(whole, [NAME], "max", posed=posed), list[Values]()
    while wanted := work.next(1e9):
        found += wanted
        for params in wanted:
            kind, strength = str(params["head_init"]), float(params["head_strength"] or 0)
            far = abs(strength - float(best[kind] or 0)) if kind in best else 1e9
            score = 1 / (1 + far) + 0.01 * (params.get("formulation") == "mse")
            work.saw(NAME, params, EpochReport(epoch=1, score=score, metrics={}, train_loss=0.0, seconds=1.0))
    return found


def strengths(found: list[Values], kind: str) -> set[float]:
    return {float(params["head_strength"] or 0) for params in found if params["head_init"] == kind}


def test_it_goes_on_where_the_best_is_at_an_end() -> None:
    assert beyond(STRENGTHS["ridge"], 1e-3) == [1e-4, 1e-5] and beyond(STRENGTHS["ridge"], 100.0) == [1e3, 1e4]
    assert beyond((*STRENGTHS["ridge"], 1e-4, 1e-5), 1e-5) == beyond(STRENGTHS["ridge"], 0.1) == []
    assert beyond(STRENGTHS["logistic"], 1e-4) == [1e-5]


def test_features_that_are_weak_have_heads_that_are_held_back_less() -> None:
    whole = space(image_size=96)
    found = solved(whole, {"ridge": 0.0})
    assert strengths(found, "ridge") == {*STRENGTHS["ridge"], 1e-4, LIMITS[0]}
    assert strengths(found, "logistic") == {*STRENGTHS["logistic"]}
    assert strengths(solved(whole, {"ridge": 1e9}), "ridge") == {*STRENGTHS["ridge"], 1e3, LIMITS[1]}
    assert strengths(solved(whole, {"logistic": 1e9}), "logistic") == {*STRENGTHS["logistic"], 10.0, 100.0, 1e3, 1e4}
    assert len(solved(whole, {"ridge": 0.1})) == len(heads(whole, NAME)), "the best is no end"
    assert len(solved(space(image_size=96, head_strength=1.0), {"ridge": 0.0})) == len(heads(whole, NAME))


def numbers(loss: str, target: str) -> Problem:
    output = Output(name="value", head="pooled", size=1, loss=loss, post="identity", target=target)
    return Problem(name=loss, inputs=("image",), outputs=(output,))


def test_formulations_that_are_solved_alike_are_one() -> None:
    ways = {"log_mse": numbers("mse", "log"), "log_mae": numbers("mae", "log"), "mse": numbers("mse", "value")}
    assert distinct({**ways, "huber": numbers("huber", "value")}) == ("log_mse", "mse")


def test_heads_are_solved_for_logarithms_and_for_the_numbers_themselves() -> None:
    whole = (*space(image_size=96), LOGS)
    found = solved(whole, {"ridge": 0.1}, ("log_mse", "mse"))
    assert [params["formulation"] for params in found] == ["log_mse"] * 11 + ["mse"] * 11
    assert {params["formulation"] for params in heads(whole, NAME)} == {"log_mse"}
    mine = (*space(image_size=96), Param(key="formulation", choices=("huber",), default="huber"))
    assert {params["formulation"] for params in heads(mine, NAME, posed=("log_mse", "mse"))} == {"huber"}


def test_the_best_head_says_how_the_problem_is_posed_to_heads_by_steps() -> None:
    whole = (*space(image_size=96), LOGS)
    work = HeadSearch(whole, [NAME], "max", posed=("log_mse", "mse"))
    for params in work.next(1e9):
        score = 0.9 if params["formulation"] == "mse" else 0.8
        work.saw(NAME, params, EpochReport(epoch=1, score=score, metrics={}, train_loss=0.0, seconds=1.0))
    head = work.best(NAME)
    assert head is not None and head == Solving(NAME, {"image_size": 96}, "ridge", 1.0, "mse")
    assert {params["formulation"] for params in configurations(whole, head, 0)} == {"mse"}
