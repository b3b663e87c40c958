"""What the detection plugin makes of the default space, for every preset."""

from __future__ import annotations

import inspect

import pytest

from autoft.recipe import Recipe
from autoft.records import ModelCard, Schema
from autoft.search import space as spaces
from autoft.search.defaults import default_space
from autoft.search.presets import PRESETS, sizes_for

pytest.importorskip("autoft_detection")

SMALL = ModelCard(name="small", backend="x", modality="image", input_size=64, prior=30.0)
USUAL = ModelCard(name="usual", backend="x", modality="image", input_size=224, prior=70.0)
RIGID = ModelCard(name="rigid", backend="x", modality="image", input_size=224, fixed_size=True, prior=75.0)


def edited(preset: str, **extra: int) -> spaces.Space:
    from autoft_detection.plugin import autoft_edit_space

    cards = (SMALL, USUAL, RIGID)
    whole = default_space(cards, {card.name: sizes_for(card, 480, preset) for card in cards}, preset, 200)
    return spaces.edit(whole, autoft_edit_space(whole, Schema(task="object-det", classes=("a",), extra=extra)))


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_gives_a_space_that_holds(preset: str) -> None:
    space = edited(preset)
    spaces.validate(space)
    recipe = Recipe.of(spaces.baseline(space))
    assert recipe.batch_size == 8 and recipe.optimizer == "adamw" and not recipe.label_smoothing
    for card in (SMALL, USUAL, RIGID):
        found = spaces.resolve(space, {"model": card.name})
        assert found["image_size"] == 224 if card.fixed_size else int(found["image_size"] or 0) >= 192


def test_small_boxes_are_seen_at_larger_sides_where_trials_are_long() -> None:
    """Not in the other presets: ten minutes on two cores would hold a trial or two."""

    def sides(preset: str, side: int) -> set[object]:
        space = edited(preset, image_size=side)
        spaces.validate(space)
        assert spaces.resolve(space, {"model": "rigid"})["image_size"] == 224
        (found,) = {param.choices for param in space if param.key == "image_size" and len(param.choices) > 1}
        return {*found}

    for preset in PRESETS:
        assert sides(preset, 256) == {192, 256, 320}
        assert sides(preset, 512) == ({384, 512, 640} if preset == "best" else {192, 256, 320})
    assert sides("best", 640) == {512, 640}


def test_other_tasks_keep_theirs() -> None:
    from autoft_detection.plugin import autoft_edit_space

    whole = default_space((SMALL,), {"small": (64, 96)}, "balanced", 200)
    assert list(autoft_edit_space(whole, Schema(task="image-cls", classes=("a", "b")))) == []


@pytest.mark.parametrize(("plugin", "weak", "new"), [("detection", 0.75, 0.5), ("segmentation", 0.5, 0.5)])
def test_networks_with_new_heads_are_partly_frozen_and_those_with_their_own_keep_their_depth(
    plugin: str, weak: float, new: float
) -> None:
    found = pytest.importorskip(f"autoft_{plugin}.plugin")
    task = {"detection": "object-det", "segmentation": "image-seg"}[plugin]
    own = {"detection": "boxes", "segmentation": "dense"}[plugin]
    headed = ModelCard(
        name="headed", backend="x", modality="image", input_size=224, prior=70.0, heads=("pooled", own), native=(own,)
    )
    for card, depth in ((SMALL, weak), (USUAL, new), (headed, 0.1)):
        whole = default_space((card,), {card.name: (224,)}, "balanced", 200)
        given = {"schema": Schema(task=task, classes=("a", "b")), "cards": (card,), "seconds": 1.0}
        hook = found.autoft_edit_space
        asked = {name: given[name] for name in inspect.signature(hook).parameters if name in given}
        space = spaces.edit(whole, hook(whole, **asked))
        spaces.validate(space)
        assert spaces.baseline(space)["freeze"] == depth
        (choices,) = [set(param.choices) for param in space if param.key == "freeze"]
        assert {0.0, 0.5} < choices
