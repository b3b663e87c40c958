"""What trial 0 is."""

from __future__ import annotations

from typing import Any

import pytest

from autoft.records import ModelCard, Param
from autoft.search import first
from autoft.search import space as spaces
from autoft.search.defaults import default_space
from autoft.search.families import additions
from autoft.search.strategy import Facts

STRONG = ModelCard(name="m", backend="b", modality="image", prior=75.0)
WEAK = ModelCard(name="m", backend="b", modality="image", prior=10.0)


STRONGER = Param(key="augment", choices=("strong",), default="strong")


def facts(card: ModelCard = STRONG, **more: Any) -> Facts:
    whole = (*default_space([card], {"m": (128,)}, "balanced", 2000), *additions())
    whole = spaces.edit(whole, more.pop("edits", []))
    given = {"sharing": frozenset(["m"]), "parts": (2000, 300), **more}
    return Facts(space=whole, mode="max", seed=0, epochs=20, workers=2, deadline=lambda: 0.0, **given)


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
