"""Random, TPE and grid searchers, on real Optuna."""

import itertools
import json
import math
import subprocess
import sys
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoft.errors import UsageError
from autoft.recipe import Recipe
from autoft.records import ModelCard, Param
from autoft.search import space as spaces
from autoft.search.defaults import default_space
from autoft.search.searchers import Grid, Random, Tpe

CARDS = [
    ModelCard(name="a", backend="numpy", modality="image"),
    ModelCard(name="b", backend="numpy", modality="image", pretrained=False),
]
DEFAULT = default_space(CARDS, {"a": (128, 96), "b": (64,)}, "balanced", 1000)
FINITE = (
    Param(key="optimizer", choices=("adamw", "adamw", "sgd"), default="adamw"),
    Param(key="momentum", choices=(0.8, 0.9), default=0.9, when={"optimizer": ("sgd",)}),
    Param(key="batch_size", kind="int", low=4, high=6, default=5),
)
EVERY = [Random, Tpe, Grid]


def frozen(params):
    return tuple(params.items())


def tell_all(searcher, numbers):
    for number in numbers:
        searcher.tell(number, number / 10, [number / 20, number / 10])


# ---- all of them ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plugin", EVERY)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_finite_space_is_given_out_once_each_the_baseline_first(plugin, seed):
    searcher = plugin().start(FINITE, "max", seed)
    given = []
    for number in itertools.count():
        params = searcher.ask(number)
        if params is None:
            break
        searcher.tell(number, params["batch_size"] / 10, [])
        given.append(params)
    assert given[0] == spaces.baseline(FINITE)
    assert len({frozen(params) for params in given}) == len(given) == spaces.size(FINITE) == 9
    assert searcher.ask(len(given) + 5) is None


@pytest.mark.parametrize("plugin", EVERY)
def test_asking_again_gives_the_same(plugin):
    searcher = plugin().start(FINITE, "max", 0)
    first = searcher.ask(1)
    first["batch_size"] = 99
    assert searcher.ask(1)["batch_size"] != 99


@pytest.mark.parametrize("plugin", [Random, Tpe])
def test_proposals_are_valid_recipes_in_json_within_the_conditions(plugin):
    searcher = plugin().start(DEFAULT, "max", 5)
    for number in range(40):
        params = searcher.ask(number)
        assert json.loads(json.dumps(params)) == params
        assert params == spaces.resolve(DEFAULT, params)
        assert all(type(v) in (str, int, float, bool) for v in params.values())
        recipe = Recipe.of(params)
        score = None if number % 7 == 3 else -abs(math.log10(recipe.lr) + 3) - recipe.freeze
        searcher.tell(number, score, [] if score is None else [score - 1, score])


@pytest.mark.parametrize("plugin", EVERY)
def test_a_broken_space_is_refused_at_the_start(plugin):
    with pytest.raises(UsageError, match="low <= high must hold"):
        plugin().start((Param(key="lr", kind="float", low=2, high=1),), "max", 0)


def test_importing_the_searchers_loads_neither_optuna_nor_numpy():
    code = (
        "import sys, autoft.search.searchers; sys.exit(any(name in sys.modules for name in ('optuna', 'numpy', 'ray')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- random -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("space", [FINITE, DEFAULT], ids=["finite", "infinite"])
def test_random_depends_on_space_seed_and_number_alone(space):
    orderly = Random().start(space, "max", 7)
    wanted = [orderly.ask(number) for number in range(8)]
    hasty = Random().start(space, "min", 7)
    assert hasty.ask(6) == wanted[6]
    tell_all(hasty, [6])
    assert [hasty.ask(number) for number in range(8)] == wanted
    other = Random().start(space, "max", 8)
    assert [other.ask(number) for number in range(8)] != wanted
    assert other.ask(0) == wanted[0] == spaces.baseline(space)


def test_random_is_the_same_in_another_process():
    code = (
        "import json, sys; from autoft.search.searchers import Random; from autoft.records import Param;"
        "s = Random().start((Param(key='lr', kind='float', low=1e-5, high=1, log=True),), 'max', 3);"
        "print(json.dumps([s.ask(n) for n in range(5)]))"
    )
    told = json.loads(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)
    here = Random().start((Param(key="lr", kind="float", low=1e-5, high=1, log=True),), "max", 3)
    assert told == [here.ask(number) for number in range(5)]


def test_a_value_listed_twice_is_drawn_twice_as_often():
    space = (
        Param(key="augment", choices=("none", "light", "light")),
        Param(key="lr", kind="float", low=0.1, high=1.0),
    )
    searcher = Random().start(space, "max", 0)
    light = sum(searcher.ask(number)["augment"] == "light" for number in range(1, 1201))
    assert 0.6 < light / 1200 < 0.73


def test_a_log_range_spreads_over_its_decades():
    searcher = Random().start((Param(key="lr", kind="float", low=1e-4, high=1.0, log=True),), "max", 0)
    drawn = [searcher.ask(number)["lr"] for number in range(1, 801)]
    for decade in range(-4, 0):
        assert 0.2 < sum(10**decade <= lr < 10 ** (decade + 1) for lr in drawn) / 800 < 0.3


def test_what_weights_all_but_hide_is_still_found():
    space = (Param(key="augment", choices=("none",) * 5000 + ("light", "strong")),)
    searcher = Random().start(space, "max", 0)
    assert {searcher.ask(number)["augment"] for number in range(3)} == {"none", "light", "strong"}
    assert searcher.ask(3) is None


@given(low=st.integers(1, 50), width=st.integers(0, 50), log=st.booleans(), seed=st.integers(0, 999))
@settings(max_examples=50, deadline=None)
def test_whole_numbers_stay_within_their_ends(low, width, log, seed):
    param = Param(key="batch_size", kind="int", low=low, high=low + width, log=log)
    searcher = Random().start((param,), "max", seed)
    for number in range(min(10, width + 1)):
        value = searcher.ask(number)["batch_size"]
        assert isinstance(value, int) and low <= value <= low + width


# ---- TPE ------------------------------------------------------------------------------------------------------


def quadratic(params):
    """Best at lr=1e-3, dropout=0.3 and sgd with much momentum."""
    bonus = 0.5 * params["momentum"] if params["optimizer"] == "sgd" else 0.0
    return bonus - (math.log10(params["lr"]) + 3) ** 2 - 10 * (params["dropout"] - 0.3) ** 2


TOY = (
    Param(key="optimizer", choices=("adamw", "sgd"), default="adamw"),
    Param(key="momentum", kind="float", low=0.0, high=0.99, default=0.0, when={"optimizer": ("sgd",)}),
    Param(key="lr", kind="float", low=1e-4, high=1.0, log=True, default=1.0, when={"optimizer": ("adamw",)}),
    Param(key="lr", kind="float", low=1e-5, high=10.0, log=True, default=1.0, when={"optimizer": ("sgd",)}),
    Param(key="dropout", kind="float", low=0.0, high=0.9, default=0.9),
)


def best_after(plugin, seed, trials, mode="max"):
    sign = 1 if mode == "max" else -1
    searcher = plugin().start(TOY, mode, seed)
    scores = []
    for number in range(trials):
        score = sign * quadratic(searcher.ask(number))
        searcher.tell(number, score, [score])
        scores.append(sign * score)
    return max(scores)


@pytest.mark.parametrize("mode", ["max", "min"])
def test_tpe_finds_better_than_random_on_average(mode):
    seeds = range(10)
    tpe = sum(best_after(Tpe, seed, 40, mode) for seed in seeds) / len(seeds)
    drawn = sum(best_after(Random, seed, 40, mode) for seed in seeds) / len(seeds)
    assert tpe > drawn + 0.02


def test_tpe_in_one_order_of_results_is_the_same_each_time():
    def run():
        searcher = Tpe().start(TOY, "max", 4)
        asked = []
        for number in range(25):
            asked.append(searcher.ask(number))
            searcher.tell(number, quadratic(asked[-1]), [])
        return asked

    assert run() == run()


def test_tpe_starts_with_the_baseline_then_with_the_draws_of_random():
    tpe, drawn = Tpe().start(DEFAULT, "max", 2), Random().start(DEFAULT, "max", 2)
    assert [tpe.ask(number) for number in range(6)] == [drawn.ask(number) for number in range(6)]


def test_tpe_takes_results_in_any_order_while_others_run():
    searcher = Tpe().start(TOY, "max", 0)
    for number in range(16):
        searcher.ask(number)
    for number in reversed(range(14)):
        searcher.tell(number, quadratic(searcher.ask(number)), [0.0, math.nan, 1.0])
    assert searcher.ask(16) is not None


def test_tpe_learns_nothing_from_failures():
    searcher = Tpe().start(TOY, "max", 0)
    for number in range(30):
        assert searcher.ask(number) == Random().start(TOY, "max", 0).ask(number)
        searcher.tell(number, (None, math.nan)[number % 2], [])


def test_tpe_is_quiet(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        best_after(Tpe, 0, 15)
    assert capfd.readouterr() == ("", "")


# ---- grid -----------------------------------------------------------------------------------------------------


def test_a_grid_goes_through_the_listed_values_in_order_after_the_baseline():
    space = (
        Param(key="freeze", choices=(0.0, 0.5, 0.5), default=0.5),
        Param(key="dropout", choices=(0.0, 0.1), default=0.0),
    )
    searcher = Grid().start(space, "max", 0)
    assert [tuple(searcher.ask(number).values()) for number in range(4)] == [
        (0.5, 0.0),
        (0.0, 0.0),
        (0.0, 0.1),
        (0.5, 0.1),
    ]
    assert searcher.ask(4) is None


def test_a_grid_over_a_huge_space_starts_at_once():
    space = tuple(Param(key=f"k{index}", choices=tuple(range(10))) for index in range(12))
    assert Grid().start(space, "max", 0).ask(3) is not None


def test_a_grid_refuses_a_range_and_says_what_to_do():
    with pytest.raises(UsageError, match="these are ranges: lr, weight_decay") as caught:
        Grid().start(DEFAULT, "max", 0)
    assert "lr=0.0001,0.001,0.01" in caught.value.hint
