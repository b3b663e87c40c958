"""The reference losses against numbers worked out by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from autoft import vocab
from autoft.records import Output
from autoft.testing import reference


def output(loss: str, size: int = 2, post: str = "identity", weights: tuple[float, ...] = ()) -> Output:
    return Output(name="y", head="pooled", size=size, loss=loss, post=post, target="y", class_weights=weights)


def test_every_loss_of_the_vocabulary_has_a_reference_or_a_reason() -> None:
    assert {*reference.REFERENCES, *reference.LATER, "ctc"} == set(vocab.LOSSES), "ctc has another shape than the rest"
    assert not set(reference.REFERENCES) & set(reference.LATER)
    with pytest.raises(KeyError):
        reference.loss(output("native"), np.zeros((1, 2)), np.zeros(1, np.int64))


@pytest.mark.parametrize("classes", [[1], [1, 2], [2, 2], [1, 1, 2]])
def test_ctc_is_the_chance_of_all_ways_to_say_a_row(classes: list[int]) -> None:
    raw = np.random.default_rng(0).normal(size=(4, 3))
    chances = np.exp(reference.log_softmax(raw))
    total = 0.0
    for path in itertools.product(range(3), repeat=4):
        said = [kind for kind, _ in itertools.groupby(path) if kind]
        total += np.prod(chances[range(4), path]) if said == classes else 0.0
    found = reference.loss(output("ctc"), raw[None], np.array([[*classes, -1]]))
    assert math.isclose(found, -math.log(total) / len(classes))


# Row 1 gives class 0 the chance 3/4, row 2 gives class 1 the chance 1/2.
RAW = np.log([[3.0, 1.0], [1.0, 1.0]])


def test_cross_entropy() -> None:
    a, b = -math.log(3 / 4), -math.log(1 / 2)
    assert math.isclose(reference.loss(output("cross_entropy"), RAW, np.array([0, 1])), (a + b) / 2)


def test_cross_entropy_weighs_by_the_true_class() -> None:
    a, b = -math.log(3 / 4), -math.log(1 / 2)
    found = reference.loss(output("cross_entropy", weights=(1.0, 3.0)), RAW, np.array([0, 1]))
    assert math.isclose(found, (1 * a + 3 * b) / 4)


def test_cross_entropy_smoothing_spreads_over_all_classes() -> None:
    first = -(0.9 * math.log(3 / 4) + 0.1 * math.log(1 / 4))
    found = reference.loss(output("cross_entropy"), RAW, np.array([0, 1]), label_smoothing=0.2)
    assert math.isclose(found, (first - math.log(1 / 2)) / 2)


def test_one_hot_rows_equal_class_indices() -> None:
    kind, index = output("cross_entropy", weights=(0.3, 2.0)), np.array([0, 1])
    for smoothing in (0.0, 0.3):
        soft = reference.loss(kind, RAW, np.eye(2)[index], smoothing)
        assert math.isclose(soft, reference.loss(kind, RAW, index, smoothing))


def test_negative_classes_are_padding() -> None:
    raw = np.concatenate([RAW, [[9.0, -9.0]]])
    found = reference.loss(output("cross_entropy"), raw, np.array([0, 1, -1]))
    assert math.isclose(found, reference.loss(output("cross_entropy"), RAW, np.array([0, 1])))


def test_binary_cross_entropy() -> None:
    raw, targets = np.array([[math.log(3), 0.0]]), np.array([[1.0, 0.0]])
    a, b = -math.log(3 / 4), -math.log(1 / 2)
    assert math.isclose(reference.loss(output("binary_cross_entropy"), raw, targets), (a + b) / 2)
    assert math.isclose(
        reference.loss(output("binary_cross_entropy", weights=(3.0, 1.0)), raw, targets), (3 * a + b) / 4
    )
    smooth = 0.9 * a + 0.1 * -math.log(1 / 4)
    assert math.isclose(reference.loss(output("binary_cross_entropy"), raw, targets, 0.2), (smooth + b) / 2)


def test_focal() -> None:
    raw, targets = np.array([[math.log(3), 0.0]]), np.array([[1.0, 0.0]])
    a = 0.25 * (1 / 4) ** 2 * -math.log(3 / 4)
    b = 0.75 * (1 / 2) ** 2 * -math.log(1 / 2)
    assert math.isclose(reference.loss(output("focal"), raw, targets), (a + b) / 2)


def test_distances() -> None:
    raw, targets = np.array([[0.5, 3.0]]), np.array([[0.0, 0.0]])
    assert reference.loss(output("mse"), raw, targets) == (0.25 + 9) / 2
    assert reference.loss(output("mae"), raw, targets) == 3.5 / 2
    assert reference.loss(output("huber"), raw, targets) == (0.125 + 2.5) / 2
    assert reference.loss(output("mae", weights=(3.0, 1.0)), raw, targets) == (1.5 + 3.0) / 4


def test_dice() -> None:
    raw, targets = np.array([[0.0], [0.0]]), np.array([[1.0], [0.0]])
    assert math.isclose(reference.loss(output("dice", 1, "sigmoid"), raw, targets), 1 - (2 * 0.5 + 1) / (1 + 1 + 1))
    found = reference.loss(output("dice", 2, "softmax"), RAW, np.array([0, 1]))
    first, second = (2 * 3 / 4 + 1) / (5 / 4 + 1 + 1), (2 * 1 / 2 + 1) / (3 / 4 + 1 + 1)
    assert math.isclose(found, 1 - (first + second) / 2)


def test_large_values_do_not_overflow() -> None:
    raw, targets = np.array([[1e4, -1e4]]), np.array([[0.0, 1.0]])
    with np.errstate(all="raise", under="ignore"):
        assert reference.loss(output("binary_cross_entropy"), raw, targets) == 1e4
        assert reference.loss(output("cross_entropy"), raw, np.array([1])) == 2e4
        assert math.isfinite(reference.loss(output("focal"), raw, targets))


def test_posts() -> None:
    assert np.allclose(reference.post("softmax", RAW), [[0.75, 0.25], [0.5, 0.5]])
    assert np.allclose(reference.post("sigmoid", RAW), [[0.75, 0.5], [0.5, 0.5]])
    assert reference.post("identity", RAW) is RAW
