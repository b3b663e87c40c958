"""`StrategyContract`: a strategy begins with the baseline, gives orders that can be followed, and comes to an end."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from autoft.records import Param
from autoft.search import space as spaces
from autoft.search.strategy import Keeping, Strategy, StrategyPlugin
from autoft.testing.contract import FRAMEWORKS, Contract, dragged_in, misfits
from autoft.testing.machine import EPOCHS, SPACE, Machine

FEW: tuple[Param, ...] = (
    Param(key="model", choices=("toy/good", "toy/poor"), default="toy/good"),
    Param(key="freeze", choices=(0.5, 1.0), default=0.5),
    Param(key="lr", choices=(1e-3,), default=1e-3),
    Param(key="epochs", choices=(EPOCHS,), default=EPOCHS),
)
"""Four configurations."""


class StrategyContract(Contract):
    """Set `strategy` to the class that the entry names. It is run on a simulated machine, which checks each order."""

    strategy: ClassVar[type[StrategyPlugin]]

    def machine(self, **options: Any) -> Machine:
        return Machine(self.strategy(), **options).run()

    def test_conforms_to_the_protocol(self) -> None:
        assert not misfits(self.strategy(), StrategyPlugin)
        assert not misfits(Machine(self.strategy()).strategy, Strategy)

    def test_import_needs_no_framework(self) -> None:
        assert not dragged_in(self.strategy.__module__, FRAMEWORKS)

    @pytest.mark.parametrize("workers", [1, 2, 16])
    def test_trial_0_is_the_default_recipe_run_to_its_end(self, workers: int) -> None:
        machine = self.machine(workers=workers)
        assert machine.params[0] == spaces.baseline(SPACE), "the gain is measured against trial 0"
        assert machine.status[0] == "finished"
        assert len(machine.history[0]) == EPOCHS

    def test_configurations_lie_in_the_space(self) -> None:
        machine = self.machine()
        assert len(machine.params) > 3, "in this time more could have been tried"
        for params in machine.params.values():
            assert spaces.resolve(SPACE, params) == params, "every value is one that the space has, and is complete"
            # Time may leave fewer epochs than the space says.
            whole = {**params, "epochs": EPOCHS} if params["epochs"] <= EPOCHS else params
            assert all(spaces.contains(_param(whole, key), value) for key, value in whole.items())

    @pytest.mark.parametrize("mode", ["max", "min"])
    def test_time_makes_it_better_than_the_baseline(self, mode: Any) -> None:
        machine = self.machine(mode=mode, seconds=2000.0)
        first = [report.score for report in machine.history[0]]
        gain = machine.best() - max(first) if mode == "max" else min(first) - machine.best()
        assert gain >= 0

    def test_models_that_may_be_chosen_are_those_of_its_trials(self) -> None:
        machine = self.machine(seconds=2000.0)
        if isinstance(machine.strategy, Keeping):
            assert {*machine.strategy.needed()} <= machine.params.keys()

    @pytest.mark.parametrize("trials", [1, 5])
    def test_no_more_trials_than_asked_for(self, trials: int) -> None:
        machine = self.machine(trials=trials, seconds=100_000.0)
        assert len(machine.params) <= trials
        assert machine.strategy.over(), "when all trials are done, it is over"

    def test_failing_trials_do_not_end_it(self) -> None:
        machine = self.machine(failing=frozenset({"toy/good"}))
        assert machine.status[0] == "failed"
        assert "toy/poor" in {machine.params[number]["model"] for number in machine.history}, "others must be tried"

    def test_all_trials_failing_come_to_an_end(self) -> None:
        machine = self.machine(failing=frozenset({"toy/good", "toy/poor"}), space=FEW)
        assert set(machine.status.values()) == {"failed"}

    def test_a_perfect_score_ends_it(self) -> None:
        machine = self.machine(ceiling=1.0, seconds=100_000.0)
        assert machine.strategy.over()
        assert machine.status[0] == "finished", "the baseline is finished all the same"

    def test_a_small_space_comes_to_an_end(self) -> None:
        machine = self.machine(space=FEW, seconds=1_000_000.0)
        assert machine.strategy.over()

    def test_same_seed_same_orders(self) -> None:
        assert self.machine(workers=1).orders == self.machine(workers=1).orders


def _param(params: dict[str, Any], key: str) -> Param:
    return next(param for param in SPACE if param.key == key and spaces.active(param, params))
