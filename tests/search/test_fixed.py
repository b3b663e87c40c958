"""A network with nothing to learn comes on top of a preset's networks, and heads alone are trained on it."""

from __future__ import annotations

import random

from autoft.records import ModelCard
from autoft.search import families, sampling
from autoft.search import space as spaces
from autoft.search.defaults import default_space
from autoft.search.headgrid import values_of
from autoft.search.presets import pick_models
from autoft.search.strategy import Facts

IMAGE = ModelCard(name="a/net", backend="any", modality="image", prior=30.0)
FIXED = ModelCard(name="a/fixed", backend="any", modality="cepstra", prior=90.0, fixed=True)


def test_it_comes_on_top_of_what_a_preset_picks_and_behind_it() -> None:
    others = [ModelCard(name=f"a/net{n}", backend="any", modality="image", prior=70.0 + n) for n in range(6)]
    found = pick_models([FIXED, *others], "balanced")
    assert len(found) == 4 and found[-1] is FIXED
    assert pick_models([FIXED], "balanced") == (FIXED,)


def test_so_does_one_that_counts_words() -> None:
    read = [ModelCard(name=f"a/read{n}", backend="any", modality="text", prior=70.0 + n) for n in range(6)]
    words = ModelCard(name="a/words", backend="any", modality="text", pretrained=False, counts=True)
    found = pick_models([words, *read], "balanced")
    assert len(found) == 4 and found[0].pretrained and found[-1] is words
    assert pick_models([words], "balanced") == (words,)


def test_it_is_always_frozen_and_nothing_is_augmented() -> None:
    for preset in ("fast", "balanced", "best"):
        space = default_space([IMAGE, FIXED], {IMAGE.name: (64,)}, preset, 200)
        usual = {name: spaces.resolve(space, {"model": name}) for name in (FIXED.name, IMAGE.name)}
        depths = {name: values_of(space, "freeze", params) for name, params in usual.items()}
        assert depths[FIXED.name] == (1.0,) and len(set(depths[IMAGE.name])) > 1
        for seed in range(40):
            params = sampling.draw(space, random.Random(seed))
            fixed = params["model"] == FIXED.name
            assert not fixed or (params["freeze"] == 1.0 and params["augment"] == "none")
            assert fixed == ("layer_decay" not in params)
        alone = default_space([FIXED], {}, preset, 200)
        assert spaces.resolve(alone, {"model": FIXED.name})["freeze"] == 1.0


def test_it_is_in_no_family_of_networks_that_are_trained_whole() -> None:
    space = (*default_space([IMAGE, FIXED], {IMAGE.name: (64,)}, "balanced", 200), *families.additions())
    names = [IMAGE.name, FIXED.name]
    facts = Facts(
        space=space,
        seed=0,
        epochs=20,
        mode="max",
        workers=1,
        deadline=lambda: 0.0,
        sharing=frozenset(names),
        featured=frozenset(names),
    )
    found = families.families_of(facts, names, weak=True)
    assert found[families.WHOLE].models == [IMAGE.name] and found[families.PARTIAL].models == names
    draws = [found[families.WHOLE].draw(None, lambda name: None) for _ in range(10)]
    assert all(params is None or params["model"] == IMAGE.name for params in draws)
