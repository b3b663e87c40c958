"""What is known of targets comes from samples that will not be the test part."""

from __future__ import annotations

import pytest

from autoft.pipeline import prepare
from autoft.records import Dataset, Sample
from autoft.tasks.regression import Regression

DIGESTS = tuple(f"{number:032x}" for number in range(80))


class Numbers(Regression):
    name = "numbers"
    modality = "image"
    inputs = ("image",)


def dataset(**last: str) -> Dataset:
    samples = [Sample(id=f"{n:02d}", fields={"image": f"{n}.png", "value": float(n)}) for n in range(79)]
    samples.append(Sample(id="79", fields={"image": "79.png", "value": 1e6}, **last))
    return Dataset(samples=tuple(samples), reader="none", root="here", recognised="numbers")


@pytest.mark.parametrize("seed", range(3))
def test_samples_that_are_drawn_for_the_test_part_tell_nothing(seed: int) -> None:
    test = {*prepare.split(dataset(), Numbers(), DIGESTS, seed).test}
    told = prepare._told(dataset(), test)
    locked = {sample.id for sample in told.samples if sample.split == "test"}
    assert locked == test and len(locked) == 12
    mean, deviation = Numbers().schema(told).extra["value"]
    known = [float(s.fields["value"]) for s in dataset().samples if s.id not in locked]
    assert mean == pytest.approx(sum(known) / len(known), rel=1e-3)
    assert deviation > 0


def test_a_test_part_of_the_data_stays_what_it_is() -> None:
    given = dataset(split="test")
    told = prepare._told(given, {*prepare.split(given, Numbers(), DIGESTS, 0).test})
    assert [sample.id for sample in told.samples if sample.split == "test"] == ["79"]
    assert Numbers().schema(told).extra["value"][0] < 100
