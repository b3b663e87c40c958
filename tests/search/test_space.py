"""The space: conditions, checks and the default spaces of the presets."""

import math
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoft.errors import UsageError
from autoft.recipe import FIELDS, Recipe
from autoft.records import ModelCard, Param
from autoft.search import overrides, presets
from autoft.search import space as spaces
from autoft.search.defaults import default_space
from autoft.search.sampling import draw
from autoft.search.searchers import Random

PRETRAINED = ModelCard(name="lib/trained", backend="numpy", modality="image", params=3_000_000, offline=True)
SCRATCH = ModelCard(name="lib/scratch", backend="numpy", modality="image", params=1_000_000, pretrained=False)
PRESETS = list(presets.PRESETS)

SGD_ONLY = Param(key="momentum", choices=(0.8, 0.9), default=0.9, when={"optimizer": ("sgd",)})
OPTIMIZER = Param(key="optimizer", choices=("adamw", "sgd"), default="adamw")
LR = Param(key="lr", kind="float", low=1e-4, high=1e-2, log=True, default=1e-3)


def space_of(preset="balanced", cards=(PRETRAINED, SCRATCH), n_train=1000):
    return default_space(cards, {card.name: presets.sizes_for(card, 100, preset) for card in cards}, preset, n_train)


# ---- walking --------------------------------------------------------------------------------------------


def test_an_inactive_parameter_is_left_out():
    assert spaces.baseline((SGD_ONLY, OPTIMIZER)) == {"optimizer": "adamw"}
    assert spaces.resolve((SGD_ONLY, OPTIMIZER), {"optimizer": "sgd", "momentum": 0.8}) == {
        "optimizer": "sgd",
        "momentum": 0.8,
    }
    assert spaces.resolve((SGD_ONLY, OPTIMIZER), {"optimizer": "adamw", "momentum": 0.8}) == {"optimizer": "adamw"}


def test_a_condition_on_a_key_outside_the_space_looks_at_the_recipes_default():
    assert spaces.active(Param(key="x", choices=(1,), when={"optimizer": ("adamw",)}), {})
    assert spaces.baseline((SGD_ONLY,)) == {}


def test_a_condition_on_an_inactive_key_looks_at_the_recipes_default():
    wide = Param(key="head_width", choices=(128,), when={"optimizer": ("sgd",)})
    activation = Param(key="head_activation", choices=("gelu",), when={"head_width": (128,)})
    assert spaces.baseline((activation, wide, OPTIMIZER)) == {"optimizer": "adamw"}


def test_resolve_refuses_a_key_that_the_space_lacks():
    with pytest.raises(UsageError, match=r"no parameter 'optimiser'. Did you mean 'optimizer'"):
        spaces.resolve((OPTIMIZER,), {"optimiser": "sgd"})


def test_order_puts_a_parameter_after_those_it_depends_on_and_keeps_the_rest():
    assert list(spaces.ordered((SGD_ONLY, LR, OPTIMIZER))) == ["lr", "optimizer", "momentum"]


def test_edit_replaces_all_variants_in_place_and_appends_new_keys():
    slow = Param(key="lr", choices=(0.1,), when={"optimizer": ("sgd",)})
    fixed = Param(key="lr", choices=(0.5,))
    added = Param(key="theirs", choices=(1, 2))
    assert spaces.edit((OPTIMIZER, LR, slow, SGD_ONLY), [added, fixed]) == (OPTIMIZER, fixed, SGD_ONLY, added)
    assert spaces.edit((OPTIMIZER, fixed), [LR, slow]) == (OPTIMIZER, LR, slow)


def test_default_of_falls_back_to_the_recipe_then_to_the_middle():
    assert spaces.default_of(Param(key="lr", kind="float", low=1e-4, high=1e-2, log=True)) == Recipe().lr
    assert spaces.default_of(Param(key="lr", kind="float", low=1e-6, high=1e-4, log=True)) == pytest.approx(1e-5)
    assert spaces.default_of(Param(key="theirs", kind="int", low=2, high=6)) == 4
    assert spaces.default_of(Param(key="theirs", choices=("b", "a"))) == "b"


# ---- counting -------------------------------------------------------------------------------------------


def test_size_counts_what_points_lists_conditions_and_repeats_included():
    weighted = Param(key="dropout", choices=(0.0, 0.0, 0.1))
    space = (SGD_ONLY, OPTIMIZER, weighted, Param(key="epochs", kind="int", low=1, high=3))
    listed = list(spaces.points(space))
    assert spaces.size(space) == len(listed) == (1 + 2) * 2 * 3
    assert len({tuple(point.items()) for point in listed}) == len(listed)


def test_size_is_infinite_only_if_a_range_can_be_active():
    assert math.isinf(spaces.size((LR, OPTIMIZER)))
    never = Param(key="lr", kind="float", low=0.0, high=1.0, when={"optimizer": ("adam",)})
    assert spaces.size((never, OPTIMIZER)) == 2


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_size_equals_the_number_of_points_in_any_conditional_space(data):
    keys = ["model", "optimizer", "schedule", "augment"]
    space = []
    for index, key in enumerate(keys):
        names = data.draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=4))
        on = data.draw(st.sampled_from([None, *keys[:index]]))
        when = {on: tuple(data.draw(st.sets(st.sampled_from("abc"), min_size=1)))} if on else {}
        space.append(Param(key=key, choices=tuple(names), when=when))
    listed = list(spaces.points(space))
    assert spaces.size(space) == len(listed)
    for point in listed:
        for param in space:
            assert (param.key in point) == spaces.active(param, point)


# ---- checks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("param", "words"),
    [
        (Param(key="lr", choices=()), "at least one choice"),
        (Param(key="lr", kind="float", low=2, high=1), r"low <= high must hold for lr, but got 2\.\.1"),
        (Param(key="lr", kind="float", low=0, high=1, log=True), "log scale needs low > 0"),
        (Param(key="lr", kind="float", low=0, high=math.inf), "low <= high must hold"),
        (Param(key="epochs", kind="int", low=1, high=2.5), "whole numbers"),
        (
            Param(key="lr", kind="float", low=0, high=1, default=2.0),
            "default of lr must be one of its values, 0..1",
        ),
        (Param(key="augment", choices=("none",), default="light"), "default of augment must be .* none, but is light"),
        (Param(key="lr", choices=(1.0,), when={"optimiser": ("sgd",)}), "names 'optimiser'. Did you mean 'optimizer'"),
    ],
)
def test_validate_names_the_broken_law(param, words):
    with pytest.raises(UsageError, match=words):
        spaces.validate((param,))


def test_validate_refuses_variants_that_can_both_hold():
    for_sgd = Param(key="lr", choices=(0.1,), when={"optimizer": ("sgd",)})
    with pytest.raises(UsageError, match="share a key must exclude each other, but lr"):
        spaces.validate((OPTIMIZER, LR, for_sgd))
    for_adamw = Param(key="lr", choices=(0.1,), when={"optimizer": ("adamw",)})
    spaces.validate((OPTIMIZER, for_sgd, for_adamw))


def test_validate_refuses_a_circle():
    one = Param(key="mixup", choices=(1.0,), when={"cutmix": (1.0,)})
    other = Param(key="cutmix", choices=(1.0,), when={"mixup": (1.0,)})
    with pytest.raises(UsageError, match="circle, but these do: cutmix, mixup"):
        spaces.validate((one, other))


# ---- the default spaces ---------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
def test_200_draws_of_each_preset_are_valid_recipes_within_the_conditions(preset):
    space = space_of(preset)
    searcher = Random().start(space, "max", 3)
    for number in range(200):
        params = searcher.ask(number)
        assert params == spaces.resolve(space, params)
        recipe = Recipe.of(params)
        assert not recipe.extra
        for param in space:
            if spaces.active(param, params):
                assert spaces.contains(param, params[param.key])
        assert ("momentum" in params) == (recipe.optimizer == "sgd")
        assert ("head_activation" in params) == (recipe.head_width > 0)
        if recipe.model == SCRATCH.name:
            assert recipe.freeze == 0.0 and recipe.layer_decay == 1.0
        assert recipe.image_size in presets.sizes_for(
            PRETRAINED if recipe.model == PRETRAINED.name else SCRATCH, 100, preset
        )


def test_the_balanced_space_searches_every_parameter_of_the_recipe_but_the_lengths():
    searched = {param.key for param in space_of("balanced") if not param.fixed}
    solved = {
        "head_init",
        "head_strength",
        "head_rows",
        "norms",
        "views",
        "formulation",
    }  # strategies and tasks add these
    words = {"text_length", "truncation", "pooling"}  # of networks for texts
    assert set(FIELDS) - searched == {"epochs", "patience", "precision", "extra", *solved, *words}


def test_what_is_read_of_a_text_is_searched_for_networks_that_take_texts():
    card = ModelCard(name="a/text", backend="a", modality="text", pretrained=False)
    keys = {param.key for param in default_space([card], {}, "balanced", 200)}
    assert {"text_length", "truncation"} <= keys and not {"pooling", "image_size", "mixup", "cutmix"} & keys
    cut = default_space([card], {}, "balanced", 200, lengths=(80, 300))
    first = spaces.baseline(cut)
    assert first["text_length"] == 0 and "truncation" not in first, "what is whole has no end left out"
    drawn = [draw(cut, random.Random(seed)) for seed in range(60)]
    assert {params["text_length"] for params in drawn} == {0, 80, 300}
    assert all(("truncation" in params) == (params["text_length"] > 0) for params in drawn)
    assert {params["truncation"] for params in drawn if params["text_length"]} == {"end", "middle", "start"}
    whole = default_space([card], {}, "balanced", 200)
    assert all(param.fixed for param in whole if param.key in ("text_length", "truncation"))
    token = msgspec.structs.replace(card, pretrained=True)
    assert "pooling" in {param.key for param in default_space([token], {}, "balanced", 200)}


def test_networks_that_name_a_rate_are_searched_around_it_and_others_as_before():
    named = msgspec.structs.replace(PRETRAINED, name="lib/named", modality="text", lr=2e-5)
    for cards in ((named,), (PRETRAINED, SCRATCH, named)):
        space = default_space(cards, {}, "balanced", 1000)
        first = spaces.resolve(space, {"model": named.name})
        assert (first["lr"], first["freeze"]) == (2e-5, 0.1)
        assert spaces.resolve(space, {"model": named.name, "optimizer": "sgd"})["lr"] == 2e-4
        searcher = Random().start(space, "max", 3)
        for number in range(100):
            params = searcher.ask(number)
            if params["model"] == named.name:
                rate = params["lr"] / (10 if params.get("optimizer") == "sgd" else 1)
                assert 0.99 * 2e-5 / 4 <= rate <= 1.01 * 2e-5 * 4
    assert spaces.resolve(space, {"model": PRETRAINED.name})["lr"] == 1e-3
    assert spaces.resolve(space, {"model": SCRATCH.name})["lr"] == 2e-3


def test_a_new_head_keeps_the_usual_pace_beside_slow_blocks():
    named = msgspec.structs.replace(PRETRAINED, lr=5e-5)
    assert named.pace * named.lr == pytest.approx(Recipe().lr)
    assert PRETRAINED.pace == 1 and msgspec.structs.replace(named, pretrained=False).pace == 1
    with pytest.raises(UsageError, match="learning rate of a card must be 0 or above, but lib/trained has -1"):
        ModelCard(name="lib/trained", backend="numpy", modality="image", lr=-1.0)


def test_trial_0_is_the_recipes_default_but_for_what_depends_on_model_data_and_preset():
    recipe = Recipe.of(spaces.baseline(space_of("balanced")))
    differing = {key for key, value in recipe.flat().items() if value != Recipe().flat()[key]}
    assert differing == {"model", "image_size", "freeze"}


def test_with_one_kind_of_model_no_condition_on_the_model_is_left():
    assert not any("model" in param.when for param in space_of(cards=(PRETRAINED,)))
    assert "freeze" not in {param.key for param in space_of(cards=(SCRATCH,))}


@pytest.mark.parametrize(
    ("n_train", "sizes"), [(20, {4}), (70, {8}), (200, {16}), (300, {16, 32}), (5000, {16, 32, 64})]
)
def test_batches_leave_steps_in_an_epoch(n_train, sizes):
    batch = next(param for param in space_of(n_train=n_train) if param.key == "batch_size")
    assert set(batch.choices) == sizes and batch.default == min(max(sizes), 32)


@pytest.mark.parametrize("preset", PRESETS)
def test_describe_prints_what_overrides_accept(preset):
    space = space_of(preset)
    rows = spaces.describe(space)
    assert len(rows) == len(space)
    for row, param in zip(rows, (p for variants in spaces.ordered(space).values() for p in variants), strict=True):
        (parsed,) = overrides.parse({row.key: row.values}, space)
        assert spaces.values_text(parsed) == row.values
        if param.kind == "choice":
            assert parsed.choices == param.choices
        else:
            assert (parsed.low, parsed.high, parsed.log) == (param.low, param.high, param.log)


def test_a_search_without_models_is_refused():
    with pytest.raises(UsageError, match="at least one model"):
        default_space((), {}, "fast", 100)


# ---- presets --------------------------------------------------------------------------------------------


def test_presets_go_by_their_other_names():
    assert presets.find_preset("high_quality").name == "balanced"
    with pytest.raises(UsageError, match=r"but got 'bets'. Did you mean 'best'"):
        presets.find_preset("bets")


def test_pick_models_prefers_pretrained_then_at_hand_within_the_size():
    def card(name, params, pretrained=True, offline=False):
        return ModelCard(
            name=name, backend="numpy", modality="image", params=params, pretrained=pretrained, offline=offline
        )

    small, near, huge = card("small", 2_000_000), card("near", 5_000_000, offline=True), card("huge", 90_000_000)
    plain = card("plain", 1_000, pretrained=False)
    assert presets.pick_models([small, plain, near, huge], "fast") == (near, small)
    assert presets.pick_models([small, plain, near, huge], "best") == (near, small, huge)
    assert presets.pick_models([plain], "fast") == (plain,)
    assert presets.pick_models([huge], "fast") == (huge,)


def test_sizes_for_stays_near_the_size_of_pretraining():
    assert presets.sizes_for(PRETRAINED, 32, "fast") == (128, 224)  # half of 224, up to a multiple of 32, and 224
    assert presets.sizes_for(PRETRAINED, 500, "best")[0] == 224
    assert presets.sizes_for(SCRATCH, 32, "fast") == (32,)
    fixed = ModelCard(name="f", backend="numpy", modality="image", input_size=299, fixed_size=True)
    assert presets.sizes_for(fixed, 32, "best") == (299,)
