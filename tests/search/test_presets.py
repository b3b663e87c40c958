"""Which networks a preset picks: bounds on size and cost, strength, variety, and what is at hand."""

from __future__ import annotations

import pytest

from autoft.recipe import Recipe
from autoft.records import ModelCard
from autoft.search.defaults import default_space
from autoft.search.presets import PRESETS, REPEATED, Preset, pick_models, sizes_for
from autoft.search.space import active, resolve


def card(name: str, **facts) -> ModelCard:
    return ModelCard(name=name, backend="numpy", modality="image", **{"params": 1_000_000, **facts})


def names(cards, preset: str = "balanced") -> list[str]:
    return [one.name for one in pick_models(cards, preset)]


def test_the_strongest_then_the_strongest_cheap_one_then_another_family():
    cards = [
        card("lib/alpha_s", params=1, macs=0.1, prior=70),
        card("lib/alpha_m", params=2, macs=0.5, prior=78),
        card("lib/alpha_l", params=3, macs=0.7, prior=80),
        card("lib/beta_s", params=4, macs=0.1, prior=72),
        card("lib/gamma_m", params=5, macs=0.6, prior=77),
    ]
    assert names(cards) == ["lib/alpha_l", "lib/beta_s", "lib/gamma_m"]
    assert names(cards[::-1]) == names(cards), "the order given decides ties only"


def test_a_strongest_network_that_is_cheap_needs_no_second_cheap_one():
    cards = [
        card("lib/alpha", params=1, macs=0.1, prior=80),
        card("lib/beta", params=2, macs=0.7, prior=79),
        card("lib/gamma", params=3, macs=0.1, prior=60),
        card("lib/delta", params=4, macs=0.6, prior=78),
    ]
    assert names(cards) == ["lib/alpha", "lib/beta", "lib/delta"]


def test_a_family_comes_again_only_with_a_clear_lead():
    first, second, other = (card(f"lib/{name}", params=n, macs=0.01) for n, name in enumerate(["a_1", "a_2", "b"], 1))

    def third(lead: float) -> str:
        rated = [(first, 90.0), (second, 70 + lead), (other, 70.0)]
        return names([card(c.name, params=c.params, macs=c.macs, prior=prior) for c, prior in rated], "fast")[1]

    assert third(REPEATED - 1) == "lib/b"
    assert third(REPEATED + 1) == "lib/a_2"


@pytest.mark.parametrize("preset", [p for p in PRESETS.values() if not p.architecture], ids=lambda preset: preset.name)
def test_nothing_above_the_bounds_is_picked(preset: Preset):
    side = preset.image_size
    fits = card("lib/fits", params=preset.params, input_size=side, macs=preset.macs, prior=50)
    costly = card("lib/costly", params=2, input_size=side, macs=1.1 * preset.macs, prior=90)
    large = card("lib/large", params=preset.params + 1, input_size=side, macs=preset.macs, prior=90)
    assert names([costly, large, fits], preset.name) == ["lib/fits"]


def test_the_cost_is_that_of_the_preset_s_images():
    bound, side = PRESETS["fast"].macs, PRESETS["fast"].image_size
    weak = card("lib/weak", params=1, macs=0.001, prior=50)
    shrinks = card("lib/shrinks", params=2, input_size=2 * side, macs=4 * bound, prior=80)
    fixed = card("lib/fixed", params=3, input_size=2 * side, macs=4 * bound, prior=80, fixed_size=True)
    small = card("lib/small", params=4, input_size=side // 2, macs=2 * bound, prior=80)
    assert names([weak, shrinks], "fast") == ["lib/shrinks", "lib/weak"]
    assert names([weak, fixed], "fast") == ["lib/weak"], "takes no smaller images"
    assert names([weak, small], "fast") == ["lib/weak"], "is not given larger images than its own"


def test_when_nothing_fits_the_cheapest_stands_in():
    dear = card("lib/dear", params=10**9, macs=90.0, prior=90)
    less = card("lib/less", params=10**9, macs=40.0, prior=60)
    assert names([dear, less]) == ["lib/less"]
    assert names([]) == []


def test_an_unknown_cost_is_judged_by_size_and_an_unknown_strength_is_a_small_network_s():
    weak, strong = card("lib/weak", params=1, prior=59, macs=0.3), card("lib/strong", params=2, prior=61, macs=0.3)
    assert names([weak, card("lib/own", params=10_000_000), strong]) == ["lib/strong", "lib/own", "lib/weak"]
    assert names([weak, card("lib/own", params=16_000_000), strong]) == ["lib/strong", "lib/weak"]


def test_pretrained_beats_scratch():
    weak = card("lib/weak", prior=40)
    scratch = card("lib/scratch", params=2, pretrained=False, prior=90, offline=True)
    assert names([scratch, weak]) == ["lib/weak"]
    assert names([scratch]) == ["lib/scratch"]


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("timm/resnet18", "hf/microsoft/resnet-18"),
        ("timm/resnet18.a1_in1k", "torchvision/resnet18"),
        ("timm/tf_efficientnetv2_s", "torchvision/efficientnet_v2_s"),
        ("timm/convnext_tiny", "hf/facebook/convnext-tiny-224"),
        ("timm/resnet18@./weights/mine.pth", "timm/resnet18"),
    ],
)
def test_one_architecture_has_many_names(one: str, same: str):
    cards = [card(one, params=0, prior=70), card(same, params=0, prior=71), card("timm/other", params=3, prior=60)]
    assert names(cards) == [same, "timm/other"]


def test_equal_numbers_of_parameters_are_one_architecture():
    cards = [card("timm/vit_base_patch16_224", prior=80), card("torchvision/vit_b_16", prior=79)]
    assert names(cards) == ["timm/vit_base_patch16_224"]
    unknown = [card("lib/a", params=0), card("lib/b", params=0)]
    assert names(unknown) == ["lib/a", "lib/b"], "0 is not a number of parameters"


def test_those_at_hand_win_ties_and_nothing_more():
    far, near = card("timm/resnet18", prior=71), card("torchvision/resnet18", prior=71, offline=True)
    assert names([far, near]) == ["torchvision/resnet18"]
    assert names([card("timm/resnet18", prior=72), near]) == ["timm/resnet18"]
    other = card("lib/other", params=7, prior=71, offline=True)
    assert names([far, other]) == ["lib/other", "timm/resnet18"]


def test_a_network_for_small_images_sees_them_at_its_own_size_at_least() -> None:
    small = ModelCard(name="x/small", backend="x", modality="image", input_size=64)
    assert sizes_for(small, 32, "balanced") == (64,)
    assert sizes_for(small, 160, "balanced") == (64, 96)
    large = ModelCard(name="x/large", backend="x", modality="image", input_size=224)
    assert sizes_for(large, 32, "balanced")[0] == 128


def test_a_weak_network_is_trained_whole_by_default() -> None:
    weak = ModelCard(name="x/weak", backend="x", modality="image", prior=30.0)
    strong = ModelCard(name="x/strong", backend="x", modality="image", prior=75.0)
    whole = default_space((weak, strong), {}, "balanced", 1000)
    assert resolve(whole, {"model": "x/weak"})["freeze"] == 0.0
    assert resolve(whole, {"model": "x/weak"})["lr"] == 2e-3
    assert resolve(whole, {"model": "x/strong"})["freeze"] == 0.5
    assert resolve(whole, {"model": "x/strong"})["lr"] == 1e-3


@pytest.mark.parametrize(
    "name", ["keras/resnet50", "timm/resnet50.a1_in1k", "torchvision/resnet50", "hf/microsoft/resnet-50"]
)
def test_the_classic_preset_takes_its_network_from_any_library(name: str) -> None:
    cards = [card("timm/resnet50d", prior=90), card(name, prior=76, macs=4.1), card("x/resnet18", params=3, prior=80)]
    assert names(cards, "classic") == [name]
    assert names([cards[0], cards[2]], "classic") == []


def test_the_classic_preset_is_the_recipe_of_the_tutorials() -> None:
    network = card("keras/resnet50", prior=76, macs=4.1)
    whole = default_space((network,), {network.name: sizes_for(network, 500, "classic")}, "classic", 1000)
    first = Recipe.of(resolve(whole, {}))
    assert (first.freeze, first.head_width, first.head_activation) == (0.94, 1024, "relu")
    assert round(first.freeze * 17) == 16, "all blocks of a ResNet-50 but the last"
    assert (first.optimizer, first.lr, first.schedule, first.warmup, first.image_size) == (
        "adam",
        1e-3,
        "constant",
        0,
        224,
    )
    assert {p.key for p in whole if not p.fixed and active(p, resolve(whole, {}))} == {"lr", "batch_size"}


def test_a_network_from_scratch_is_not_frozen_by_a_preset() -> None:
    scratch = card("keras/resnet50@scratch", pretrained=False, offline=True)
    alone = resolve(default_space((scratch,), {}, "classic", 1000), {})
    assert "freeze" not in alone
    assert alone["head_width"] == 1024
    beside = default_space((scratch, card("timm/resnet50", params=3)), {}, "classic", 1000)
    assert "freeze" not in resolve(beside, {"model": scratch.name})
    assert resolve(beside, {"model": "timm/resnet50"})["freeze"] == 0.94
