"""At which sides masks are learned: larger ones where there is time for them."""

from __future__ import annotations

import pytest

from autoft.records import ModelCard, Param, Schema
from autoft.search import space as spaces
from autoft.search.defaults import default_space
from autoft.search.presets import PRESETS, sizes_for

pytest.importorskip("autoft_segmentation")

SMALL = ModelCard(name="small", backend="x", modality="image", input_size=64, prior=30.0, macs=0.03)
LARGE = ModelCard(name="large", backend="x", modality="image", input_size=224, prior=80.0, macs=4.0)
RIGID = ModelCard(name="rigid", backend="x", modality="image", input_size=224, fixed_size=True, prior=75.0)


def sides(seconds: float, *cards: ModelCard, preset: str = "balanced") -> dict[str, list[object]]:
    """The default first."""
    from autoft_segmentation.plugin import autoft_edit_space

    whole = default_space(cards, {card.name: sizes_for(card, 256, preset) for card in cards}, preset, 200)
    schema = Schema(task="image-seg", classes=("a", "b"))
    space = spaces.edit(whole, autoft_edit_space(space=whole, schema=schema, cards=cards, seconds=seconds))
    spaces.validate(space)
    found = {}
    for card in cards:
        params = [p for p in space if p.key == "image_size" and spaces.active(p, {"model": card.name})]
        found[card.name] = [spaces.resolve(space, {"model": card.name})["image_size"], *_choices(params)]
    return found


@pytest.mark.parametrize(("samples", "size"), [(2000, 8), (154, 4), (100, 4), (40, 4)])
def test_batches_are_small(samples: int, size: int) -> None:
    """Also where so few samples leave no choice of sizes: larger ones leave few steps."""
    from autoft_segmentation.plugin import autoft_edit_space

    whole = default_space((SMALL,), {"small": (64, 96)}, "balanced", samples)
    schema = Schema(task="image-seg", classes=("a", "b"))
    space = spaces.edit(whole, autoft_edit_space(space=whole, schema=schema, cards=(SMALL,), seconds=1.0))
    spaces.validate(space)
    assert spaces.baseline(space)["batch_size"] == size


@pytest.mark.parametrize(
    ("classes", "sided"),
    [
        (("background", "left lung", "right_lung"), True),
        (("LeftVentricle", "RightVentricle"), True),
        (("background", "l_eye", "r_eye", "nose"), True),
        (("lung_L", "lung_R"), True),
        (("LEye", "REye"), True),
        (("lh-cortex", "rh-cortex"), True),
        (("leftlung", "rightlung"), True),
        (("leftlung", "rightkidney"), True),
        (("eyeleft", "eyeright"), True),
        (("Lunge links", "Lunge rechts"), True),
        (("linke Lunge", "rechte Lunge"), True),
        (("poumon gauche", "poumon droit"), True),
        (("main gauche", "main droite"), True),
        (("riñón izquierdo", "riñón derecho"), True),
        (("左肺", "右肺"), True),
        (("background", "left", "upright"), False),
        (("left", "bright"), False),
        (("l_eye", "r_ear"), False),
        (("road", "l", "s"), False),
        (("link", "cleft"), False),
        (("road", "sky"), False),
    ],
)
def test_what_tells_left_from_right_is_not_mirrored(classes: tuple[str, ...], sided: bool) -> None:
    from autoft_segmentation.plugin import autoft_edit_space

    whole = default_space((SMALL,), {"small": (64, 96)}, "balanced", 2000)
    schema = Schema(task="image-seg", classes=classes)
    space = spaces.edit(whole, autoft_edit_space(space=whole, schema=schema, cards=(SMALL,), seconds=1.0))
    words = {word for param in space if param.key == "augment" for word in param.choices}
    assert (words == {"none"}) is sided and ("light" in words) is not sided


def _choices(params: list[Param]) -> list[object]:
    return [choice for param in params for choice in param.choices]


@pytest.mark.parametrize("preset", PRESETS)
def test_time_allows_larger_images(preset: str) -> None:
    wanted = [224, 224] if preset in ("fast", "classic") else [224, 224, 160, 320]
    assert sides(1.1, SMALL, preset=preset) == sides(float("inf"), SMALL, preset=preset) == {"small": wanted}


def test_in_short_searches_more_epochs_are_worth_more() -> None:
    assert sides(0.2, SMALL) == {"small": [160, 160, 128, 224]}


def test_large_networks_need_more_time() -> None:
    assert sides(1.1, LARGE)["large"][0] == 160
    assert sides(10.0, LARGE)["large"][0] == 224


def test_networks_of_one_size_keep_it() -> None:
    assert sides(10.0, SMALL, RIGID)["rigid"] == [224, 224]
