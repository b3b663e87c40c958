"""How much worse a score may be, on the same samples, without saying more than chance explains.

The score of the trial that a search chooses is the best of many, in part by chance. Whoever repeats the trial has no
such luck, and of few samples one that is told wrong is a large part (docs/adr/0082-chance-in-the-last-training.md).
"""

from __future__ import annotations

import math
from typing import Final

from autoft.counted import CHANCE, near_blank
from autoft.metric import Metric

PART: Final = 1 / 3
"""Of the standard error that a metric would have as a mean of zeros and ones, for those that are none: pixels, boxes
and letters of a sample share its fate only in part. Measured on test parts, by resamples: a fifth for mIoU, three
tenths for mAP, two fifths for R2, six tenths for word errors (docs/adr/0082-chance-in-the-last-training.md)."""


def allowed(metric: Metric, score: float, rows: int) -> float:
    """How far behind `score` another one on the same `rows` samples may be.

    One standard error of a mean over samples that are right or wrong, or one sample, whichever is more. For other
    metrics `PART` of such an error, between the best value (0 where none is known) and that of a model without
    knowledge (0 where none is known).
    """
    best, blank = metric.best or 0.0, metric.blank or 0.0
    if metric.stand_in is not None and near_blank(metric, score):  # another metric decides, squeezed into this range
        best = blank + CHANCE * (best - blank)
    if metric.share:
        return max(math.sqrt(max(0.0, score * (1 - score)) / max(1, rows)), 1 / max(1, rows))
    return PART * math.sqrt(abs(score - best) * abs(score - blank) / max(1, rows))
