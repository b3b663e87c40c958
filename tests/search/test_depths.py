"""How deep the trials of the strategy `auto` freeze: cheap depths more often, whole networks a few at a time."""

from __future__ import annotations

from typing import Any

import pytest

from autoft.records import ModelCard, Param
from autoft.search import space as spaces
from autoft.search.auto import RIVAL
from autoft.search.defaults import default_space
from autoft.search.families import (
    HEADS,
    PARTIAL,
    WHOLE,
    Draws,
    additions,
    all_share,
    subspace,
)
from autoft.search.headgrid import PLAIN, heads, readings, values_of
from tests.search.test_auto import CARDS, Machine, space


def test_depths_at_which_little_is_left_to_compute_are_drawn_more_often() -> None:
    part = subspace(space(), PARTIAL)
    assert part is not None
    draws = Draws(part, PARTIAL, ["m/strong"], seed=0)
    found = [params["freeze"] for _ in range(400) if (params := draws.draw(None, lambda model: None)) is not None]
    assert {0.25, 0.5, 0.75, 1.0} <= set(found), "none is left out"
    cheap = sum(float(freeze or 0) >= 0.75 for freeze in found)
    assert cheap > 2 * (len(found) - cheap), "evenly, they would be half of the draws"


def test_depths_differ_less_in_cost_where_frozen_blocks_are_computed_at_every_step() -> None:
    part = subspace(space(), PARTIAL)
    assert part is not None
    found = {}
    for sharing in (True, False):
        draws = Draws(part, PARTIAL, ["m/strong"], seed=0, sharing=sharing)
        drawn = [params["freeze"] for _ in range(300) if (params := draws.draw(None, lambda model: None)) is not None]
        found[sharing] = sum(float(freeze or 0) <= 0.5 for freeze in drawn) / len(drawn)
    assert found[False] > 2 * found[True]


@pytest.mark.parametrize("plain", [{"m/strong"}, set()])
def test_where_features_alone_are_kept_heads_alone_see_samples_as_they_are(plain: set[str]) -> None:
    part = subspace(space(), PARTIAL)
    assert part is not None
    draws = Draws(part, PARTIAL, ["m/strong", "m/weak"], seed=0, sharing=False, plain=plain)
    drawn = [params for _ in range(300) if (params := draws.draw(None, lambda model: None)) is not None]
    changed = {
        (model, depth): {p["augment"] for p in drawn if p["freeze"] == depth and p["model"] == model}
        for model in ("m/strong", "m/weak")
        for depth in (0.5, 1)
    }
    assert changed["m/strong", 1] == ({"none"} if plain else {"none", "light"})
    others = [found for key, found in changed.items() if key != ("m/strong", 1)]
    assert all(found == {"none", "light"} for found in others), "what is computed at every step may change, too"


def test_heads_are_solved_on_features_where_nothing_else_is_kept() -> None:
    machine = Machine(2, 300.0, sharing=frozenset())
    machine.run()
    known = machine.strategy.known.values()
    assert {HEADS, PARTIAL, RIVAL} <= {one.family for one in known}
    for one in known:
        if one.family == RIVAL:
            assert PLAIN.items() <= {**PLAIN, **one.params}.items()


def test_heads_and_families_respect_the_space() -> None:
    assert heads(space(freeze=0.5), "m/strong") == []
    assert subspace(space(freeze=0.0), PARTIAL) is None
    assert subspace(space(mixup=0.2), PARTIAL) is None
    assert subspace(space(freeze=1.0), WHOLE) is None


def test_the_features_of_texts_are_pooled_in_each_way_that_is_searched() -> None:
    card = ModelCard(name="t/encoder", backend="torch", modality="text", lr=5e-5)
    whole = (*default_space([card], {}, "balanced", 1000), *additions())
    assert readings(whole, card.name) == [{"pooling": "auto"}, {"pooling": "mean"}]
    found = {head["pooling"] for head in heads(whole, card.name)}
    assert found == {"auto", "mean"} and readings(space(), "m/weak")[0].keys() == {"image_size"}
    machine = Machine(1, 600.0, space=whole, sharing=frozenset(), featured=frozenset({card.name}))
    machine.run()
    best, known = machine.strategy.heads.best(card.name), machine.strategy.known.values()
    assert best is not None
    begun = [one.params for one in known if one.params.get("head_init") != "random" and one.family in (PARTIAL, RIVAL)]
    alone = [one.params for one in known if one.params["freeze"] == 1.0]
    assert len({(params["text_length"], params["truncation"]) for params in alone}) == 1 < len(alone), (
        "else a pass each"
    )
    assert begun and all(best.reading.items() <= params.items() for params in begun), "whose features are kept"


def test_what_is_best_keeps_its_depth() -> None:
    part = subspace(space(), PARTIAL)
    assert part is not None
    draws = Draws(part, PARTIAL, ["m/strong"], seed=0)
    best = {**spaces.resolve(part, {"model": "m/strong"}), "freeze": 0.25}
    around = [params["freeze"] for n in range(200) if (params := draws.draw(best, lambda model: None)) and n % 3 == 1]
    assert around.count(0.25) > len(around) / 3
    others = Draws(part, PARTIAL, ["m/strong"], seed=0)
    drawn = [p["freeze"] for n in range(200) if (p := others.draw(best, lambda model: None)) and n % 3 != 1]
    assert drawn.count(0.25) < len(drawn) / 10, "but only in draws around it"


def test_where_nothing_is_shared_every_augmentation_is_drawn() -> None:
    shared, alone = subspace(space(), PARTIAL), subspace(space(), PARTIAL, sharing=False)
    assert shared is not None and alone is not None
    assert {*values_of(shared, "augment", {})} == {"none", "light"} < {*values_of(alone, "augment", {})}
    draws = Draws(alone, PARTIAL, ["m/strong"], seed=0, sharing=False)
    drawn = [params for _ in range(100) if (params := draws.draw(None, lambda model: None))]
    assert {params["augment"] for params in drawn} > {"strong", "light"} and not any(p["views"] for p in drawn)


def test_a_single_trial_is_of_the_best_network() -> None:
    part = subspace(space(), PARTIAL)
    assert part is not None
    draws = Draws(part, PARTIAL, ["m/weak", "m/strong"], seed=0)
    alone = [params for _ in range(20) if (params := draws.draw(None, lambda model: None, near=True))]
    assert {params["model"] for params in alone} == {"m/weak"}, "the first in the order of their heads"


def test_networks_that_know_much_are_trained_whole_a_few_at_a_time_until_one_of_them_leads() -> None:
    machine = Machine(2, 1e6, trials=120)
    machine.run()
    strategy = machine.strategy
    first = next(bracket for bracket in strategy.brackets if bracket.family == WHOLE)
    assert len(first.numbers) == 3
    strategy.ranks.best[first.numbers[0]] = 2.0
    assert strategy._most(WHOLE) > 3, "now one leads"
    again = [known for known in strategy.known.values() if known.again]
    assert again, "of a limited number of trials some are kept for second runs"


LEFT_ALONE: dict[str, Any] = {"augment": "light", "mixup": 0.0, "cutmix": 0.0}


@pytest.mark.parametrize("weak", [False, True])
def test_networks_that_know_much_and_share_their_blocks_are_no_dear_family(weak: bool) -> None:
    whole = space(**LEFT_ALONE)
    whole = spaces.edit(whole, [Param(key="freeze", choices=(0.25, 0.5, 0.75), default=0.5)])
    assert all_share(whole) and not all_share(space(**LEFT_ALONE)) and not all_share(space(freeze=0.5))
    machine = Machine(2, 600.0, space=whole, weak=frozenset(c.name for c in CARDS if weak))
    machine.run()
    families = {known.family for known in machine.strategy.known.values()}
    assert PARTIAL in families and (WHOLE in families) == weak, "a weak one must train what lies deep"
