"""What the peaks of each class weigh."""

from __future__ import annotations

import math

import pytest

from autoft.api import Dataset, Sample, Schema
from autoft_detection import _balance
from autoft_detection._task import ObjectDetection


def data(test: str = "", **sizes: int) -> Dataset:
    """A sample for each class with so many boxes; that of `test` is in the test part."""
    samples = tuple(
        Sample(
            id=name,
            fields={"image": f"{name}.png", "boxes": [[0, 0, 9, 9, name]] * size, "size": [90, 90]},
            split="test" if name == test else "",
        )
        for name, size in sizes.items()
    )
    return Dataset(samples=samples, reader="toy", root=".", recognised="")


def test_rare_classes_weigh_more_and_boxes_one_on_average() -> None:
    sizes = {"cell": 4153, "spot": 361, "white": 372}
    found = dict(zip(sizes, _balance.weights(data(**sizes), tuple(sizes)), strict=True))
    assert math.isclose(found["spot"] / found["cell"], math.sqrt(4153 / 361), rel_tol=0.01)
    assert math.isclose(sum(sizes[name] * found[name] for name in sizes), sum(sizes.values()), rel_tol=0.01)


def test_weights_have_a_limit_and_the_test_part_is_not_looked_at() -> None:
    sizes = {"all": 100_000, "one": 1, "locked": 500}
    assert _balance.weights(data("locked", **sizes), tuple(sizes))[1:] == [_balance.MOST, 1.0]


@pytest.mark.parametrize(("sizes", "weighted"), [({"a": 30, "b": 30}, False), ({"a": 30, "b": 3}, True)])
def test_the_loss_of_heat_maps_has_them(sizes: dict[str, int], weighted: bool) -> None:
    task = ObjectDetection()
    schema = task.schema(data(**sizes))
    heat, sides = task.formulations(schema)[1].outputs
    assert bool(heat.class_weights) is weighted and not sides.class_weights
    assert list(heat.class_weights or (1.0, 1.0)) == schema.extra["class_weights"]
    assert not task.formulations(Schema(task="object-det", classes=("a",)))[1].outputs[0].class_weights
