"""What trial 0 is."""

from __future__ import annotations

from typing import Any

import pytest

from autoft.records import ModelCard, Param
from autoft.search import first
from autoft.search import space as spaces
from autoft.search.defaults import default_space
from autoft.search.families import PARTIAL, additions, families_of
from autoft.search.headgrid import Solving
from autoft.search.strategy import Facts

STRONG = ModelCard(name="m", backend="b", modality="image", prior=75.0)
WEAK = ModelCard(name="m", backend="b", modality="image", prior=10.0)


STRONGER = Param(key="augment", choices=("strong",), default="strong")


def facts(card: ModelCard = STRONG, **more: Any) -> Facts:
    whole = (*default_space([card], {"m": (128,)}, "balanced", 2000), *additions())
    whole = spaces.edit(whole, more.pop("edits", []))
    given = {"sharing": frozenset(["m"]), "parts": (2000, 300), "seed": 0, **more}
    return Facts(space=whole, mode="max", epochs=20, workers=2, deadline=lambda: 0.0, **given)


def test_where_time_is_very_short_it_leaves_samples_as_they_are() -> None:
    plain = first.recipe(facts(), 20.0)
    usual = spaces.baseline(facts().space)
    assert (plain["augment"], plain["mixup"], plain["freeze"]) == ("none", 0.0, 0.75)
    assert plain["batch_size"] == 16, "few epochs are then more steps"
    kept = {key: usual[key] for key in ("augment", "batch_size", "freeze")}
    assert kept == {"augment": "light", "batch_size": 32, "freeze": 0.5}
    assert {**plain, **kept} == usual, "nothing else differs"


def test_what_the_user_says_holds() -> None:
    given = facts(edits=[Param(key="batch_size", choices=(64,), default=64)])
    assert first.recipe(given, 20.0)["batch_size"] == 64
    given = facts(edits=[Param(key="freeze", choices=(0.5,), default=0.5)])
    assert first.recipe(given, 20.0)["freeze"] == 0.5
    given = facts(edits=[STRONGER])
    assert first.recipe(given, 20.0) == {**spaces.baseline(given.space), "batch_size": 16}, "so does its augmentation"


def test_of_a_network_that_knows_much_it_begins_with_a_solved_head() -> None:
    able = {"solvable": True, "featured": frozenset(["m"])}
    usual = spaces.baseline(facts().space)
    found = first.recipe(facts(**able), float("inf"))
    begun = {"head_init": "logistic", "head_strength": 1.0, "head_rows": 0, "norms": "kept", "lr": 4e-4}
    assert found == {**usual, **begun} and usual["lr"] == 1e-3
    short = first.recipe(facts(**able), 20.0)
    assert short["freeze"] == 0.75 and {key: short[key] for key in begun} == begun
    numbers = facts(**able, edits=[Param(key="head_init", choices=("random", "ridge"), default="random")])
    assert first.recipe(numbers, float("inf"))["head_init"] == "ridge"


def test_the_plain_default_recipe_is_then_drawn_first() -> None:
    able = {"solvable": True, "featured": frozenset(["m"])}
    assert first.begins_solved(facts(**able)) and not first.begins_solved(facts())
    solved = Solving("m", {"image_size": 128}, "ridge", 1.0)

    def drawn(*, anew: bool) -> set[tuple[Any, ...]]:
        found = set()
        for seed in range(8):
            draws = families_of(facts(**able, seed=seed), ["m"], weak=False, anew=anew)
            params = draws[PARTIAL].draw(None, lambda model: solved)
            assert params is not None
            found.add((params["head_init"], params["norms"], params["lr"]))
        return found

    plain = ("random", "batch", 1e-3)
    assert drawn(anew=True) == {plain}
    assert drawn(anew=False) == {plain, ("ridge", "kept", 4e-4)}, "a third of them"


@pytest.mark.parametrize("given", [{"gpu": True}, {"sharing": frozenset()}])
def test_where_time_may_not_be_enough_for_one_pass_it_is_not_waited_for(given: dict[str, Any]) -> None:
    able = facts(solvable=True, featured=frozenset(["m"]), **given)
    assert first.recipe(able, 20.0) == spaces.baseline(able.space)
    assert first.recipe(able, 2000.0)["head_init"] == "logistic"


@pytest.mark.parametrize(
    "given",
    [
        facts(WEAK, solvable=True, featured=frozenset(["m"])),
        facts(solvable=True),  # its features are not at hand
        facts(featured=frozenset(["m"])),
        facts(solvable=True, featured=frozenset(["m"]), edits=[Param(key="freeze", choices=(1.0,), default=1.0)]),
        facts(solvable=True, featured=frozenset(["m"]), edits=[Param(key="head_width", choices=(64,), default=64)]),
        facts(
            solvable=True,
            featured=frozenset(["m"]),
            edits=[Param(key="head_init", choices=("random",), default="random")],
        ),
    ],
)
def test_else_its_head_is_learned_from_nothing(given: Facts) -> None:
    assert first.recipe(given, float("inf")) == spaces.baseline(given.space)


def test_a_rate_that_is_given_holds_for_a_solved_head_too() -> None:
    fixed = Param(key="lr", choices=(2e-3,), default=2e-3)
    given = facts(solvable=True, featured=frozenset(["m"]), edits=[fixed])
    assert first.recipe(given, float("inf"))["lr"] == 2e-3


@pytest.mark.parametrize(
    ("seconds", "given"),
    [
        (200.0, facts()),  # there is time for some epochs
        (20.0, facts(parts=(200, 50))),
        (20.0, facts(WEAK)),  # nothing is frozen
        (20.0, facts(sharing=frozenset())),
        (20.0, facts(gpu=True)),
        (float("inf"), facts()),
    ],
)
def test_else_it_is_the_default_recipe(seconds: float, given: Facts) -> None:
    assert first.recipe(given, seconds) == spaces.baseline(given.space)
