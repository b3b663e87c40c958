"""How much worse a score may be by chance alone: the more samples, the less."""

from __future__ import annotations

import math

import pytest

from autoft import leeway
from autoft.counted import CHANCE
from autoft.records import Metric

SHARE = Metric(name="accuracy", best=1.0, share=True)
CER = Metric(name="cer", mode="min", best=0.0, blank=1.0)
WER = Metric(name="wer", mode="min", best=0.0, blank=1.0, stand_in=CER)


@pytest.mark.parametrize(
    ("score", "rows", "allowed"),
    [
        (0.8, 100, 0.04),
        (0.8, 400, 0.02),
        (0.5, 4, 0.25),
        (1.0, 50, 0.02),  # one of the samples
        (0.99, 100, 0.01),
        (1.1, 10, 0.1),
        (0.5, 0, 1.0),
    ],
)
def test_of_a_share_one_standard_error_or_one_sample(score: float, rows: int, allowed: float) -> None:
    assert leeway.allowed(SHARE, score, rows) == pytest.approx(allowed)


@pytest.mark.parametrize(
    ("metric", "score", "whole"),
    [
        (Metric(name="miou", best=1.0), 0.8, 0.4),
        (Metric(name="r2", best=1.0), 0.9, 0.3),
        (Metric(name="r2", best=1.0), -0.1, math.sqrt(0.11)),
        (Metric(name="mae", mode="min", best=0.0), 2.0, 2.0),  # in its unit, of errors that differ as much as they are
        (Metric(name="log_loss", mode="min"), 0.7, 0.7),
        (Metric(name="reward"), 5.0, 5.0),
        (CER, 0.2, 0.4),
        (WER, 0.2, 0.4),
        (CER, 1.0, 0.0),  # nobody is worse than who knows nothing by chance
    ],
)
def test_of_other_metrics_a_part_of_what_a_share_would_have(metric: Metric, score: float, whole: float) -> None:
    assert leeway.allowed(metric, score, 100) == pytest.approx(leeway.PART * whole / 10)


def test_near_blank_it_is_that_of_the_metric_which_decides_there() -> None:
    """A character error rate of .5 counts as a word error rate of .975: half of the way that is left to it."""
    assert leeway.allowed(WER, 1 - CHANCE / 2, 100) == pytest.approx(CHANCE * leeway.allowed(CER, 0.5, 100))
    assert leeway.allowed(WER, 1.0, 100) == 0.0
