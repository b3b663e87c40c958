"""The strategy of core keeps the contract; the kit finds what it is there to find."""

from __future__ import annotations

import pytest

from autoft.errors import UsageError
from autoft.records import Entry
from autoft.registry import extra
from autoft.search.auto import Auto
from autoft.search.settings import check_strategy
from autoft.search.strategies import FromCheapToDear
from autoft.search.strategy import Facts, Order, Work
from autoft.testing import StrategyContract


class TestAuto(StrategyContract):
    strategy = FromCheapToDear


class _Spoilt(Auto):
    """Gives each order as `spoil` leaves it."""

    def next(self) -> Work | None:
        work = super().next()
        return work and Work(tuple(self.spoil(order) for order in work.orders))

    def spoil(self, order: Order) -> Order:
        return order


class _NoBaseline(_Spoilt):
    def spoil(self, order: Order) -> Order:
        return order._replace(params={**order.params, "lr": 1e-5}) if order.params else order


class _CutsTheBaseline(_Spoilt):
    def spoil(self, order: Order) -> Order:
        return order._replace(until=2) if order.number == 0 else order


class _Forgets(_Spoilt):
    def spoil(self, order: Order) -> Order:
        return order._replace(number=0)


class _NeverOver(_Spoilt):
    def over(self) -> str:
        return ""


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (_NoBaseline, "trial_0_is_the_default_recipe_run_to_its_end"),
        (_CutsTheBaseline, "trial_0_is_the_default_recipe_run_to_its_end"),
        (_Forgets, "configurations_lie_in_the_space"),
        (_NeverOver, "a_small_space_comes_to_an_end"),
    ],
)
def test_the_kit_catches(wrong: type[Auto], check: str) -> None:
    class Plugin:
        def start(self, facts: Facts) -> Auto:
            return wrong(facts)

    kit = StrategyContract()
    kit.strategy = Plugin  # type: ignore[misc]
    method = getattr(kit, f"test_{check}")
    with pytest.raises(AssertionError):
        method(2) if "trial_0" in check else method()


def test_a_strategy_that_is_not_installed_says_what_brings_it() -> None:
    offered = [Entry(name="auto", target="a:b", aliases=("default",))]
    assert check_strategy("flat", offered) == "flat"
    assert check_strategy("default", offered) == "auto"
    with pytest.raises(UsageError, match=r"no strategy 'graybox'.*Known: auto, flat") as caught:
        check_strategy("graybox", offered)
    assert caught.value.hint == extra("graybox"), "the command that installs it, where this version knows of it"
